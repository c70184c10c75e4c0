import type { FlowBatch } from '../model/flow-batch.ts';
import { BIFLOW, HAS_ICMP, HAS_IP, HAS_OUTER, HAS_PORTS, IS_ARP } from '../model/flow-batch.ts';

/**
 * How flow records go to Parquet: batch columns are copied as they are into a staging table (`STAGED`), and SQL turns
 * them into the published columns (`PUBLISHED`), so that no object is made a record. Names are IPFIX's; addresses are
 * there twice: as text for people and other tools, as two 64-bit halves for network tests.
 */
type Numeric = 'DOUBLE' | 'INTEGER' | 'USMALLINT' | 'UTINYINT';
type NumericColumn = {
  [K in keyof FlowBatch]: FlowBatch[K] extends Float64Array | Int32Array | Uint16Array | Uint8Array ? K : never;
}[keyof FlowBatch];

export const STAGED_NUMBERS: readonly [NumericColumn, Numeric][] = [
  ['startUs', 'DOUBLE'],
  ['endUs', 'DOUBLE'],
  ['packetDeltaCount', 'DOUBLE'],
  ['octetDeltaCount', 'DOUBLE'],
  ['layer2OctetDeltaCount', 'DOUBLE'],
  ['reversePacketDeltaCount', 'DOUBLE'],
  ['reverseOctetDeltaCount', 'DOUBLE'],
  ['reverseLayer2OctetDeltaCount', 'DOUBLE'],
  ['samplingInterval', 'DOUBLE'],
  ['observationDomainId', 'DOUBLE'],
  ['sourceMacAddress', 'DOUBLE'],
  ['destinationMacAddress', 'DOUBLE'],
  ['meta', 'INTEGER'],
  ['vlanId', 'INTEGER'],
  ['ingressInterface', 'INTEGER'],
  ['egressInterface', 'INTEGER'],
  ['sourceAs', 'INTEGER'],
  ['destinationAs', 'INTEGER'],
  ['sourceTransportPort', 'USMALLINT'],
  ['destinationTransportPort', 'USMALLINT'],
  ['tcpControlBits', 'USMALLINT'],
  ['reverseTcpControlBits', 'USMALLINT'],
  ['icmpTypeCode', 'USMALLINT'],
  ['dnsType', 'USMALLINT'],
  ['protocolIdentifier', 'UTINYINT'],
  ['ipClassOfService', 'UTINYINT'],
  ['flowEndReason', 'UTINYINT'],
];

export const STAGED_ADDRESSES = [
  'sourceAddress',
  'destinationAddress',
  'outerSourceAddress',
  'outerDestinationAddress',
] as const;

/** Ids in `Names`, staged as text because ids mean nothing in a file. */
export const STAGED_NAMES = [
  ['layers', 'layers'],
  ['dnsName', 'names'],
  ['sni', 'names'],
  ['exporter', 'exporters'],
] as const;

/** `CREATE TABLE` of the staging table. Addresses stage four words and, for IPv6 only, their text. */
export function stagingTable(name: string): string {
  const numbers = STAGED_NUMBERS.map(([column, type]) => `${column} ${type}`);
  const words = STAGED_ADDRESSES.flatMap((column) => [0, 1, 2, 3].map((i) => `${column}${i} INTEGER`));
  const texts = [...STAGED_ADDRESSES.map((column) => `${column}Text`), ...STAGED_NAMES.map(([column]) => column)];
  return `CREATE OR REPLACE TABLE ${name} (${[...numbers, ...words, ...texts.map((t) => `${t} VARCHAR`)].join(', ')})`;
}

const when = (bit: number, value: string): string => `CASE WHEN meta & ${bit} <> 0 THEN ${value} END`;
const unsigned = (word: string): string => `CAST(CAST(${word} AS BIGINT) & 4294967295 AS UBIGINT)`;
const half = (high: string, low: string): string => `${unsigned(high)} * 4294967296 + ${unsigned(low)}`;

function addressText(column: string): string {
  const byte = (shift: number) => `((${column}3 >> ${shift}) & 255)`;
  return `coalesce(${column}Text, ${byte(24)} || '.' || ${byte(16)} || '.' || ${byte(8)} || '.' || ${byte(0)})`;
}

const count = (column: string): string => `CAST(${column} AS BIGINT)`;
const known = (column: string): string => `CASE WHEN ${column} >= 0 THEN ${column} END`;
const macText = (column: string): string =>
  `CASE WHEN ${column} >= 0 THEN printf('%012x', CAST(${column} AS BIGINT)) END`;

/** Published column -> SQL over the staging table. */
export const PUBLISHED: Readonly<Record<string, string>> = {
  flowStart: 'make_timestamp(CAST(startUs AS BIGINT))',
  flowEnd: 'make_timestamp(CAST(endUs AS BIGINT))',
  sourceAddress: when(HAS_IP | IS_ARP, addressText('sourceAddress')),
  destinationAddress: when(HAS_IP | IS_ARP, addressText('destinationAddress')),
  sourceTransportPort: when(HAS_PORTS, 'sourceTransportPort'),
  destinationTransportPort: when(HAS_PORTS, 'destinationTransportPort'),
  protocolIdentifier: when(HAS_IP, 'protocolIdentifier'),
  packetDeltaCount: count('packetDeltaCount'),
  octetDeltaCount: count('octetDeltaCount'),
  layer2OctetDeltaCount: count('layer2OctetDeltaCount'),
  reversePacketDeltaCount: when(BIFLOW, count('reversePacketDeltaCount')),
  reverseOctetDeltaCount: when(BIFLOW, count('reverseOctetDeltaCount')),
  reverseLayer2OctetDeltaCount: when(BIFLOW, count('reverseLayer2OctetDeltaCount')),
  tcpControlBits: 'CASE WHEN protocolIdentifier = 6 THEN tcpControlBits END',
  reverseTcpControlBits: 'CASE WHEN protocolIdentifier = 6 THEN reverseTcpControlBits END',
  icmpType: when(HAS_ICMP, 'icmpTypeCode >> 8'),
  icmpCode: when(HAS_ICMP, 'icmpTypeCode & 255'),
  vlanId: known('vlanId'),
  ingressInterface: known('ingressInterface'),
  egressInterface: known('egressInterface'),
  ipClassOfService: when(HAS_IP, 'ipClassOfService'),
  flowEndReason: 'flowEndReason',
  samplingInterval: 'CASE WHEN samplingInterval > 0 THEN samplingInterval END',
  observationDomainId: count('observationDomainId'),
  exporter: 'exporter',
  layers: 'layers',
  outerSourceAddress: when(HAS_OUTER, addressText('outerSourceAddress')),
  outerDestinationAddress: when(HAS_OUTER, addressText('outerDestinationAddress')),
  dnsQueryName: 'dnsName',
  dnsQueryType: 'CASE WHEN dnsName IS NOT NULL THEN dnsType END',
  tlsServerName: 'sni',
  sourceMacAddress: macText('sourceMacAddress'),
  destinationMacAddress: macText('destinationMacAddress'),
  bgpSourceAsNumber: known('sourceAs'),
  bgpDestinationAsNumber: known('destinationAs'),
  sourceHigh: half('sourceAddress0', 'sourceAddress1'),
  sourceLow: half('sourceAddress2', 'sourceAddress3'),
  destinationHigh: half('destinationAddress0', 'destinationAddress1'),
  destinationLow: half('destinationAddress2', 'destinationAddress3'),
  meta: 'meta',
};

/** The `SELECT` that publishes staged rows of one hour (hours since the epoch). */
export function publishFlows(table: string, hour: number): string {
  const columns = Object.entries(PUBLISHED).map(([name, sql]) => `${sql} AS ${name}`);
  return `SELECT ${columns.join(', ')} FROM ${table} WHERE floor(startUs / 3600e6) = ${hour} ORDER BY startUs`;
}
