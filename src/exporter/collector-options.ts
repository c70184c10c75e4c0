import { z } from 'zod';
import { parseBytes, parseDurationUs } from '../core/units.ts';
import { parsePrefix } from '../model/address.ts';
import { duration, sourceFields } from '../model/source-options.ts';

const LISTEN = /^(?:\[([0-9a-fA-F:.]+)\]|([^[\]:]+)):(\d{1,5})$/;
const network = z.string().refine((text) => parsePrefix(text) !== null, 'an address or a network such as 192.0.2.0/24');
const bytes = z.string().refine((text) => parseBytes(text) > 0, 'a size such as 4MiB');

const collectorFields = {
  ...sourceFields,
  listen: z
    .string()
    .refine((text) => parseListen(text) !== null, 'an address and a port such as [::]:2055')
    .describe('Address and port that exporters send to.'),
  receiveBuffer: bytes.default('32MiB').describe('Receive buffer of each socket (SO_RCVBUF).'),
  queue: bytes.default('64MiB').describe('Datagrams that wait for the engine; past it they are dropped and counted.'),
  workers: z
    .int()
    .min(0)
    .max(16)
    .default(1)
    .describe(
      'Threads with a socket each that share the port (SO_REUSEPORT) by exporter; 0: the engine takes datagrams itself.',
    ),
  reusePort: z.boolean().default(false).describe('Share the port with other processes (SO_REUSEPORT).'),
  sampling: z
    .record(network, z.int().positive())
    .default({})
    .describe('N of 1:N by exporter or network, whatever the exporter says of it; the longest prefix wins.'),
  templateLifetime: duration
    .default('1d')
    .describe('Templates that were not announced again for so long are forgotten.'),
  delay: duration
    .default('1m')
    .describe('How long after its beginning a flow is exported at the latest: the active timeout of the exporters.'),
  ahead: duration
    .default('10m')
    .describe('A record that ends later than this after its arrival has an impossible time.'),
  age: duration.default('7300d').describe('So has one that ended longer ago than this.'),
  silence: duration.default('5m').describe('An exporter that sent nothing for so long is silent.'),
  observe: z
    .enum(['all', 'ingress-only', 'external-if', 'by-exporter-priority'])
    .default('all')
    .describe('Which records count, so that two routers do not count a flow twice.'),
  external: z.array(z.string()).default([]).describe('EXPORTER IFINDEX of external interfaces, for external-if.'),
  priority: z.array(z.string()).default([]).describe('Exporters, the preferred first, for by-exporter-priority.'),
  pair: z
    .string()
    .refine((text) => text === 'never' || parseDurationUs(text) > 0, 'a duration such as 30s, or never')
    .optional()
    .describe(
      'Join the two directions of a flow when they come within this time; never: not at all. By default 30s for NetFlow and IPFIX where a rule asks who began or answered.',
    ),
};

const netflowOptions = z
  .strictObject({ ...collectorFields, type: z.literal('netflow') })
  .describe('Collector of NetFlow v1, v5, v7, v9 and IPFIX over UDP.');

const ipfixOptions = z
  .strictObject({
    ...collectorFields,
    type: z.literal('ipfix'),
    transport: z.enum(['udp', 'tcp', 'tls']).default('udp'),
    cert: z.string().optional().describe('Certificate file (PEM), for tls.'),
    key: z.string().optional().describe('Key file (PEM), for tls.'),
    ca: z.string().optional().describe('Authorities of exporters (PEM); with it exporters must show a certificate.'),
  })
  .refine(({ transport, cert, key }) => transport !== 'tls' || (cert !== undefined && key !== undefined), {
    path: ['transport'],
    message: 'tls needs cert and key',
  })
  .describe('Collector of IPFIX over UDP, TCP or TLS (RFC 7011, section 10).');

const sflowOptions = z
  .strictObject({ ...collectorFields, type: z.literal('sflow') })
  .describe('Collector of sFlow version 5.');

/** The room's entries of `sources:`, for the configuration's union by `type`. */
export const sourceOptions = [netflowOptions, ipfixOptions, sflowOptions] as const;

export type CollectorOptions =
  | z.infer<typeof netflowOptions>
  | z.infer<typeof ipfixOptions>
  | z.infer<typeof sflowOptions>;

export interface Endpoint {
  address: string;
  port: number;
}

/** Reads `[::]:2055`, `0.0.0.0:2055` or `*:2055`; null when it is none. */
export function parseListen(text: string): Endpoint | null {
  const match = LISTEN.exec(text);
  if (match === null || Number(match[3]) > 65_535) return null;
  const address = match[1] ?? match[2];
  return { address: address === '*' ? '::' : address, port: Number(match[3]) };
}
