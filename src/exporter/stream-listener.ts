import { readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Logger } from '../core/logger.ts';
import type { Endpoint } from './collector-options.ts';
import { IPFIX_HEADER } from './ipfix.ts';
import type { Receiver } from './message-receiver.ts';
import type { Listener } from './udp-listener.ts';

const MAPPED = '::ffff:';
const MOST_CONNECTIONS = 1024;
const LONGEST = 65_535;
/** A TLS client that does not get through its handshake in this time is cut off. */
const HANDSHAKE_MS = 10_000;

export interface TlsFiles {
  cert: string;
  key: string;
  ca?: string;
}

/** IPFIX messages over TCP or TLS (RFC 7011, sections 10.4 and 11.1): one after another, each with its length. */
export class StreamListener implements Listener {
  readonly drops = 0;
  readonly #endpoint: Endpoint;
  readonly #name: string;
  readonly #tls: TlsFiles | null;
  readonly #logger: Logger;
  readonly #isFull: () => boolean;
  readonly #open = new Set<Socket>();
  #server: Server | null = null;

  /** @param isFull while it answers true, connections are not read: TCP makes the exporter wait */
  constructor(
    endpoint: Endpoint,
    options: { name: string; tls: TlsFiles | null; isFull: () => boolean },
    logger: Logger,
  ) {
    this.#endpoint = endpoint;
    this.#name = options.name;
    this.#tls = options.tls;
    this.#isFull = options.isFull;
    this.#logger = logger;
  }

  get port(): number {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  start(receive: Receiver): Promise<void> {
    const accept = (socket: Socket): void => this.#accept(socket, receive);
    const server = this.#tls === null ? createServer(accept) : createTlsServer(this.#secrets(this.#tls), accept);
    server.maxConnections = MOST_CONNECTIONS;
    server.on('tlsClientError', (error) => this.#warn(`an exporter did not get through TLS: ${error.message}`));
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#endpoint.port, this.#endpoint.address, () => {
        server.off('error', reject);
        server.on('error', (error) => this.#warn(error.message));
        resolve();
      });
    });
  }

  #secrets({ cert, key, ca }: TlsFiles): object {
    const authorities = ca === undefined ? {} : { ca: readFileSync(ca), requestCert: true, rejectUnauthorized: true };
    return { cert: readFileSync(cert), key: readFileSync(key), handshakeTimeout: HANDSHAKE_MS, ...authorities };
  }

  #accept(socket: Socket, receive: Receiver): void {
    const remote = socket.remoteAddress ?? '';
    const address = remote.startsWith(MAPPED) ? remote.slice(MAPPED.length) : remote;
    const messages = new MessageCutter((message) =>
      receive(message, 0, message.length, address, socket.remotePort ?? 0),
    );
    this.#open.add(socket);
    socket.on('close', () => this.#open.delete(socket));
    socket.on('error', (error) => this.#warn(`${address}: ${error.message}`));
    socket.on('data', (bytes: Uint8Array) => {
      if (!messages.add(bytes)) {
        this.#warn(`${address}: what it sends is no IPFIX`);
        socket.destroy();
      } else if (this.#isFull()) socket.pause();
    });
  }

  /** There is room again. */
  resume(): void {
    for (const socket of this.#open) if (socket.isPaused()) socket.resume();
  }

  #warn(message: string): void {
    this.#logger.warn({ code: 'exporter.stream', source: this.#name }, message);
  }

  stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    for (const socket of this.#open) socket.destroy();
    return server === null ? Promise.resolve() : new Promise((resolve) => server.close(() => resolve()));
  }
}

/** Cuts a stream into messages by the length in their header. Keeps at most one message that is not whole yet. */
export class MessageCutter {
  readonly #receive: (message: Uint8Array) => void;
  #kept: Uint8Array = new Uint8Array(0);

  constructor(receive: (message: Uint8Array) => void) {
    this.#receive = receive;
  }

  /** @returns false when the stream is none of IPFIX */
  add(bytes: Uint8Array): boolean {
    const data = this.#kept.length === 0 ? bytes : Buffer.concat([this.#kept, bytes]);
    let at = 0;
    while (data.length - at >= 4) {
      const version = (data[at] << 8) | data[at + 1];
      const length = (data[at + 2] << 8) | data[at + 3];
      if (version !== 10 || length < IPFIX_HEADER || length > LONGEST) return false;
      if (length > data.length - at) break;
      this.#receive(data.subarray(at, at + length));
      at += length;
    }
    this.#kept = data.slice(at);
    return true;
  }
}
