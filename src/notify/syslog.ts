import { createSocket } from 'node:dgram';
import { connect, isIP, isIPv6, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { connect as connectTls } from 'node:tls';
import type { Clock } from '../core/clock.ts';
import type { Transition } from '../model/alert.ts';
import type { Channel, Content, Message, Outcome, Told } from './content.ts';
import type { SyslogOptions } from './options.ts';
import { withDeadline } from './poster.ts';
import { FACILITIES, syslogLine } from './syslog-line.ts';

export interface SyslogDeps {
  clock: Clock;
  /** PEM of the certificates to trust; undefined: those that Node brings. */
  ca: string | undefined;
}

const PORTS = { udp: 514, tcp: 601, tls: 6514 };
const PRIORITIES: Record<Transition['severity'], number> = { info: 5, warning: 4, critical: 2 };
const NOTICE = 5;

/**
 * Sends alerts as syslog messages (RFC 5424): a datagram each (RFC 5426), or octet-counted over TCP (RFC 6587, section
 * 3.4.1) or TLS (RFC 5425). Syslog has no answer: over TCP and TLS a message counts as delivered when the connection that
 * carried it was closed in order, over UDP when it was sent.
 */
export class SyslogChannel implements Channel {
  readonly name: string;
  readonly groups = false;
  readonly concurrency = 1;
  readonly #options: SyslogOptions;
  readonly #deps: SyslogDeps;
  readonly #port: number;

  constructor(options: SyslogOptions, deps: SyslogDeps) {
    this.name = options.name;
    this.#options = options;
    this.#deps = deps;
    this.#port = options.port ?? PORTS[options.protocol];
  }

  send({ content, idempotencyKey }: Message, signal: AbortSignal): Promise<Outcome> {
    const lines = this.#lines(content, idempotencyKey);
    const { timeout, protocol } = this.#options;
    const attempt = (over: AbortSignal) => (protocol === 'udp' ? this.#datagrams(lines) : this.#stream(lines, over));
    return withDeadline(attempt, { timeout, clock: this.#deps.clock, signal });
  }

  #lines(content: Content, key: string): Buffer[] {
    const { app_name, facility } = this.#options;
    const base = { facility: FACILITIES[facility], host: hostname(), app: app_name, nowUs: this.#deps.clock.nowUs() };
    if (content.kind === 'digest') {
      const { title, from, until } = content.digest;
      const facts = { from, until, idempotencyKey: key };
      return [syslogLine({ ...base, severity: NOTICE, messageId: 'digest', facts, text: title })];
    }
    const told: Told[] = content.kind === 'group' ? content.alerts : [content];
    return told.map(({ alert, repeat }) =>
      syslogLine({
        ...base,
        severity: alert.state === 'resolved' ? NOTICE : PRIORITIES[alert.severity],
        messageId: alert.rule,
        facts: factsOf(alert, repeat),
        text: alert.summary,
      }),
    );
  }

  async #datagrams(lines: readonly Buffer[]): Promise<Outcome> {
    const { host } = this.#options;
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    try {
      for (const line of lines) {
        await new Promise<void>((resolve, reject) => {
          socket.once('error', reject);
          socket.send(line, this.#port, host, (error) => (error ? reject(error) : resolve()));
        });
      }
    } finally {
      socket.close();
    }
    return { kind: 'delivered', answer: { datagrams: lines.length } };
  }

  #stream(lines: readonly Buffer[], signal: AbortSignal): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const socket = this.#connect();
      const abort = () => socket.destroy(signal.reason as Error);
      signal.addEventListener('abort', abort, { once: true });
      socket.on('error', reject);
      socket.on('close', (failed) => {
        signal.removeEventListener('abort', abort);
        if (!failed) resolve({ kind: 'delivered', answer: { messages: lines.length } });
      });
      socket.once(this.#options.protocol === 'tls' ? 'secureConnect' : 'connect', () => {
        for (const line of lines) socket.write(Buffer.concat([Buffer.from(`${line.length} `), line]));
        socket.end();
      });
      socket.resume();
    });
  }

  #connect(): Socket {
    const { host, protocol, servername } = this.#options;
    if (protocol === 'tcp') return connect({ host, port: this.#port });
    const name = servername ?? (isIP(host) ? undefined : host);
    return connectTls({ host, port: this.#port, ca: this.#deps.ca, servername: name });
  }
}

function factsOf(alert: Transition, repeat: number | undefined): Record<string, string> {
  const { rule, severity, state, time, since, alertId, idempotencyKey, key } = alert;
  const facts: Record<string, string> = { rule, severity, state, time, since, alertId, idempotencyKey };
  if (repeat !== undefined) facts['repeat'] = String(repeat);
  for (const [field, value] of Object.entries(key)) facts[`key.${field}`] = String(value);
  return facts;
}
