import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type AddressObject, type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

const TLS = join(import.meta.dirname, 'tls');
/** A certificate for localhost that signs itself; its key is public, hence good for tests only. */
export const CERT_FILE = join(TLS, 'test-only-cert.pem');
const PAIR = { key: readFileSync(join(TLS, 'test-only-key.pem')), cert: readFileSync(CERT_FILE) };

export interface Received {
  mail: ParsedMail;
  raw: string;
  to: string[];
  user: string | null;
  secure: boolean;
}

/** A mail server on a socket. Addresses that begin with `nobody` are refused (550), with `later` put off (450). */
export class MailServer {
  readonly got: Received[] = [];
  /** Answers to the next mails, in order; null: taken. */
  readonly answers: (number | null)[] = [];
  readonly #server: SMTPServer;
  readonly #arrivals: (() => void)[] = [];

  constructor(options: SMTPServerOptions = {}) {
    this.#server = new SMTPServer({
      ...PAIR,
      authOptional: true,
      logger: false,
      onAuth: ({ username, password }, _session, done) =>
        username === 'weir' && password === 'hush' ? done(null, { user: username }) : done(refusal(535, 'wrong')),
      onRcptTo: ({ address }, _session, done) => {
        if (address.startsWith('nobody')) done(refusal(550, 'no such user'));
        else if (address.startsWith('later')) done(refusal(450, 'greylisted'));
        else done();
      },
      onData: (stream, session, done) => {
        const parts: Buffer[] = [];
        stream.on('data', (part: Buffer) => parts.push(part));
        stream.on('end', async () => {
          const answer = this.answers.shift() ?? null;
          if (answer !== null) return done(refusal(answer, 'not today'));
          const raw = Buffer.concat(parts);
          this.got.push({
            mail: await simpleParser(raw),
            raw: raw.toString('latin1'),
            to: session.envelope.rcptTo.map(({ address }) => address),
            user: (session.user as unknown as string | undefined) ?? null,
            secure: session.secure,
          });
          done();
          for (const wake of this.#arrivals.splice(0)) wake();
        });
      },
      ...options,
    });
    this.#server.on('error', () => {});
  }

  async listen(port = 0): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', () => resolve()));
    return (this.#server.server.address() as AddressInfo).port;
  }

  /** Resolves when a mail that satisfies the test has come. */
  async arrived(test: (received: Received) => boolean): Promise<void> {
    while (!this.got.some(test)) await new Promise<void>((resolve) => this.#arrivals.push(resolve));
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

export function addressesOf(field: AddressObject | AddressObject[] | undefined): string[] {
  return [field ?? []].flat().flatMap(({ value }) => value.map(({ address }) => address ?? ''));
}

function refusal(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode });
}
