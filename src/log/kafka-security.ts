import { isIP } from 'node:net';
import type { ConsumerOptions } from '@platformatic/kafka';
import { messageOf, WeirError } from '../core/errors.ts';
import { readSecret, readText } from '../core/secrets.ts';
import type { KafkaOptions } from './kafka-options.ts';

type Security = Pick<ConsumerOptions<Buffer, Buffer, Buffer, Buffer>, 'tls' | 'tlsServerName' | 'sasl'>;
const MECHANISMS = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
} as const;

/** How connections to the brokers are secured. Files are read now. Throws `kafka.secret` for what cannot be read. */
export function securityOf({ tls, sasl, brokers }: Pick<KafkaOptions, 'tls' | 'sasl' | 'brokers'>): Security {
  const security: Security = {};
  try {
    if (tls !== undefined && tls !== false) {
      const { ca, cert, key, servername = hasName(brokers[0]) } = tls === true ? {} : tls;
      const text = (path: string | undefined): string | undefined => (path === undefined ? undefined : readText(path));
      security.tls = { ca: text(ca), cert: text(cert), key: text(key) };
      security.tlsServerName = servername;
    }
    if (sasl !== undefined) security.sasl = { ...credentials(sasl), mechanism: MECHANISMS[sasl.mechanism] };
  } catch (cause) {
    throw new WeirError('kafka.secret', messageOf(cause), { cause });
  }
  return security;
}

function credentials(sasl: NonNullable<KafkaOptions['sasl']>): { username: string; password: string } {
  const given = { value: sasl.password, file: sasl.password_file, env: sasl.password_env };
  const password = readSecret(given, { baseDir: '/', env: process.env });
  return { username: sasl.username, password: password ?? '' };
}

/** An address is no server name (RFC 6066, section 3); the certificate is checked against it all the same. */
function hasName(broker: string): boolean {
  return isIP(broker.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')) === 0;
}

const DEEPEST = 8;

/** What the client says, and the first cause behind it: it wraps what a broker or TLS answered in lists of tries. */
export function reasonOf(cause: unknown): string {
  let inner: unknown = cause;
  for (let depth = 0; depth < DEEPEST; depth++) {
    const { errors, cause: next } = inner as { errors?: unknown[]; cause?: unknown };
    const deeper = errors?.at(-1) ?? next;
    if (!(deeper instanceof Error)) break;
    inner = deeper;
  }
  return inner === cause ? messageOf(cause) : `${messageOf(cause)} ${messageOf(inner)}`;
}
