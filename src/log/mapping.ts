import { BAD, type Dialect, type Verdict } from './dialect.ts';
import * as F from './fields.ts';
import { type Column, column } from './fields.ts';
import type { LogRow } from './log-row.ts';

/** A log that only its owner knows: which of its fields are which of ours. */
export interface Mapping {
  format: 'csv' | 'json';
  separator: string;
  /** Column names of a CSV without a header line. */
  header?: readonly string[];
  /** Their name (in JSON: names of nested objects joined by `/`) to our name, or to our name and the unit. */
  fields: Readonly<Record<string, Target | { to: Target; unit?: Unit }>>;
}

const COLUMNS = {
  flowStart: column(F.START, F.TIME),
  flowEnd: column(F.END, F.TIME),
  flowDuration: column(F.DURATION, F.SPAN),
  sourceAddress: column(F.SOURCE, F.ADDRESS),
  destinationAddress: column(F.DESTINATION, F.ADDRESS),
  outerSourceAddress: column(F.OUTER_SOURCE, F.ADDRESS),
  outerDestinationAddress: column(F.OUTER_DESTINATION, F.ADDRESS),
  sourceTransportPort: column(F.SOURCE_PORT, F.PORT),
  destinationTransportPort: column(F.DESTINATION_PORT, F.PORT),
  protocolIdentifier: column(F.PROTOCOL, F.PROTOCOL_NAME),
  packetDeltaCount: column(F.PACKETS, F.COUNT),
  octetDeltaCount: column(F.OCTETS, F.COUNT),
  layer2OctetDeltaCount: column(F.LAYER2, F.COUNT),
  reversePacketDeltaCount: column(F.R_PACKETS, F.COUNT),
  reverseOctetDeltaCount: column(F.R_OCTETS, F.COUNT),
  reverseLayer2OctetDeltaCount: column(F.R_LAYER2, F.COUNT),
  tcpControlBits: column(F.FLAGS, F.FLAG_LETTERS),
  reverseTcpControlBits: column(F.R_FLAGS, F.FLAG_LETTERS),
  ipClassOfService: column(F.TOS, F.COUNT),
  vlanId: column(F.VLAN, F.COUNT),
  ingressInterface: column(F.IN_IF, F.COUNT),
  egressInterface: column(F.OUT_IF, F.COUNT),
  bgpSourceAsNumber: column(F.SOURCE_AS, F.COUNT),
  bgpDestinationAsNumber: column(F.DESTINATION_AS, F.COUNT),
  sourceMacAddress: column(F.SOURCE_MAC, F.MAC),
  destinationMacAddress: column(F.DESTINATION_MAC, F.MAC),
  icmpType: column(F.ICMP_TYPE, F.COUNT),
  icmpCode: column(F.ICMP_CODE, F.COUNT),
  samplingInterval: column(F.SAMPLING, F.COUNT),
  observationDomainId: column(F.DOMAIN, F.COUNT),
  exporter: column(F.EXPORTER, F.NAME),
  flowEndReason: column(F.END_REASON, F.COUNT),
} as const;

export type Target = keyof typeof COLUMNS;
export const TARGETS = Object.keys(COLUMNS) as Target[];

/** Factors to our units: bytes, and microseconds for times; `hex` reads flags without `0x`. */
const UNITS = {
  s: 1e6,
  ms: 1e3,
  us: 1,
  ns: 1e-3,
  iso: 1,
  bits: 1 / 8,
  bytes: 1,
  KB: 1e3,
  KiB: 1024,
  MB: 1e6,
  MiB: 2 ** 20,
  hex: 1,
} as const;
export type Unit = keyof typeof UNITS;
export const UNIT_NAMES = Object.keys(UNITS) as Unit[];
const TIMES: ReadonlySet<Unit> = new Set(['s', 'ms', 'us', 'ns']);

export function mappedDialect({ fields }: Pick<Mapping, 'fields'>): Dialect {
  const columns = Object.entries(fields).map(([theirs, ours]): [string, Column] =>
    typeof ours === 'string' ? [theirs, COLUMNS[ours]] : [theirs, inUnit(COLUMNS[ours.to], ours.unit)],
  );
  return { name: 'mapping', columns: Object.fromEntries(columns), finish };
}

function inUnit(own: Column, unit: Unit | undefined): Column {
  if (unit === undefined || unit === 'iso') return own;
  if (unit === 'hex') return column(own.field, F.FLAG_HEX);
  if (!TIMES.has(unit)) return column(own.field, own.syntax, { scale: UNITS[unit] });
  if (unit === 'ns') return column(own.field, F.NANOSECONDS);
  if (unit === 's') return column(own.field, F.SECONDS);
  return column(own.field, F.COUNT, { scale: UNITS[unit] });
}

function finish(row: LogRow): Verdict {
  const { values } = row;
  if (row.has(F.R_PACKETS) || row.has(F.R_OCTETS)) values[F.OPENER] = 1;
  const ends = row.has(F.SOURCE) && row.has(F.DESTINATION);
  return ends || row.has(F.PACKETS) || row.has(F.OCTETS) ? null : BAD;
}
