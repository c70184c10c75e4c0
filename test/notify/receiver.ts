import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Request {
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
  json: Record<string, unknown>;
}

/** What the receiver does with its n-th request (from 0). */
export type Behaviour = (response: ServerResponse, request: Request, n: number) => void;

export const OK: Behaviour = (response) => response.end('taken');
export const status =
  (code: number, headers: Record<string, string> = {}): Behaviour =>
  (response) =>
    response.writeHead(code, headers).end(`answer ${code}`);
export const RESET: Behaviour = (response) => void response.socket?.destroy();
export const HANG: Behaviour = () => {};

/** A receiver on loopback that keeps what it got and behaves as told. */
export class Receiver {
  readonly got: Request[] = [];
  behave: Behaviour = OK;
  #server: Server | null = null;
  #port = 0;
  #arrivals: (() => void)[] = [];

  async listen(): Promise<void> {
    const server = createServer((incoming, response) => this.#take(incoming, response));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => (this.#server ? this.#server.close(resolve) : resolve(null)));
    this.#server = null;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hook`;
  }

  keys(): string[] {
    return this.got.map(({ headers }) => String(headers['idempotency-key']));
  }

  /** Resolves when `count` requests have come in all. */
  async arrived(count: number): Promise<void> {
    while (this.got.length < count) await new Promise<void>((resolve) => this.#arrivals.push(resolve));
  }

  #take(incoming: IncomingMessage, response: ServerResponse): void {
    const parts: Buffer[] = [];
    incoming.on('error', () => {});
    response.on('error', () => {});
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      const body = Buffer.concat(parts).toString();
      const json = JSON.parse(body) as Record<string, unknown>;
      const request = { path: incoming.url ?? '', headers: incoming.headers, body, json };
      this.got.push(request);
      this.behave(response, request, this.got.length - 1);
      for (const wake of this.#arrivals.splice(0)) wake();
    });
  }
}
