import {
  BIFLOW,
  type FlowBatch,
  HAS_ICMP,
  HAS_IP,
  HAS_OUTER,
  HAS_PORTS,
  IS_ARP,
  viewFlowBatch,
} from '../model/flow-batch.ts';
import { AddressTexts } from './address-texts.ts';
import type { NumberType, ParquetColumn } from './parquet-page.ts';
import { BLOCK_ROWS, type IdTexts, type StagedData } from './staged-rows.ts';

/**
 * Flow records as columns of a Parquet file. Names are IPFIX's; addresses are there twice: as text for people and other
 * tools, as two 64-bit halves for network tests. Row `n` stands in block `n / 4096`.
 */
type Get = (batch: FlowBatch, row: number) => number;

const TCP = 6;
const SHIFT = Math.log2(BLOCK_ROWS);
const MASK = BLOCK_ROWS - 1;

const when =
  (bits: number, get: Get): Get =>
  (batch, row) =>
    (batch.meta[row] & bits) !== 0 ? get(batch, row) : Number.NaN;
const known =
  (get: Get): Get =>
  (batch, row) => {
    const value = get(batch, row);
    return value >= 0 ? value : Number.NaN;
  };
/** AS numbers of 32 bits; -1 without. */
const asOf = (as: number): number => (as === -1 ? -1 : as >>> 0);
const ofTcp =
  (get: Get): Get =>
  (batch, row) =>
    batch.protocolIdentifier[row] === TCP ? get(batch, row) : Number.NaN;

/** All columns, in the order in which a file has them. */
const ORDER = [
  ...['flowStart', 'flowEnd', 'sourceAddress', 'destinationAddress', 'sourceTransportPort', 'destinationTransportPort'],
  ...['protocolIdentifier', 'packetDeltaCount', 'octetDeltaCount', 'layer2OctetDeltaCount', 'reversePacketDeltaCount'],
  ...['reverseOctetDeltaCount', 'reverseLayer2OctetDeltaCount', 'tcpControlBits', 'reverseTcpControlBits', 'icmpType'],
  ...['icmpCode', 'vlanId', 'ingressInterface', 'egressInterface', 'ipClassOfService', 'flowEndReason'],
  ...['samplingInterval', 'observationDomainId', 'exporter', 'layers', 'outerSourceAddress', 'outerDestinationAddress'],
  ...['dnsQueryName', 'dnsQueryType', 'tlsServerName', 'sourceMacAddress', 'destinationMacAddress'],
  ...[
    'bgpSourceAsNumber',
    'bgpDestinationAsNumber',
    'sourceHigh',
    'sourceLow',
    'destinationHigh',
    'destinationLow',
    'meta',
  ],
];

/** The numbers among them. */
const NUMBERS: Readonly<Record<string, [NumberType, Get]>> = {
  flowStart: ['timestamp', (b, i) => Math.round(b.startUs[i])],
  flowEnd: ['timestamp', (b, i) => Math.round(b.endUs[i])],
  sourceTransportPort: ['uint16', when(HAS_PORTS, (b, i) => b.sourceTransportPort[i])],
  destinationTransportPort: ['uint16', when(HAS_PORTS, (b, i) => b.destinationTransportPort[i])],
  protocolIdentifier: ['uint8', when(HAS_IP, (b, i) => b.protocolIdentifier[i])],
  packetDeltaCount: ['int64', (b, i) => Math.round(b.packetDeltaCount[i])],
  octetDeltaCount: ['int64', (b, i) => Math.round(b.octetDeltaCount[i])],
  layer2OctetDeltaCount: ['int64', (b, i) => Math.round(b.layer2OctetDeltaCount[i])],
  reversePacketDeltaCount: ['int64', when(BIFLOW, (b, i) => Math.round(b.reversePacketDeltaCount[i]))],
  reverseOctetDeltaCount: ['int64', when(BIFLOW, (b, i) => Math.round(b.reverseOctetDeltaCount[i]))],
  reverseLayer2OctetDeltaCount: ['int64', when(BIFLOW, (b, i) => Math.round(b.reverseLayer2OctetDeltaCount[i]))],
  tcpControlBits: ['uint16', ofTcp((b, i) => b.tcpControlBits[i])],
  reverseTcpControlBits: ['uint16', ofTcp((b, i) => b.reverseTcpControlBits[i])],
  icmpType: ['uint16', when(HAS_ICMP, (b, i) => b.icmpTypeCode[i] >> 8)],
  icmpCode: ['uint16', when(HAS_ICMP, (b, i) => b.icmpTypeCode[i] & 255)],
  vlanId: ['int32', known((b, i) => b.vlanId[i])],
  ingressInterface: ['int32', known((b, i) => b.ingressInterface[i])],
  egressInterface: ['int32', known((b, i) => b.egressInterface[i])],
  ipClassOfService: ['uint8', when(HAS_IP, (b, i) => b.ipClassOfService[i])],
  flowEndReason: ['uint8', (b, i) => b.flowEndReason[i]],
  samplingInterval: ['double', (b, i) => (b.samplingInterval[i] > 0 ? b.samplingInterval[i] : Number.NaN)],
  observationDomainId: ['int64', (b, i) => Math.round(b.observationDomainId[i])],
  dnsQueryType: ['uint16', (b, i) => (b.dnsName[i] !== 0 ? b.dnsType[i] : Number.NaN)],
  bgpSourceAsNumber: ['int64', known((b, i) => asOf(b.sourceAs[i]))],
  bgpDestinationAsNumber: ['int64', known((b, i) => asOf(b.destinationAs[i]))],
  meta: ['int32', (b, i) => b.meta[i]],
};

type AddressColumn = 'sourceAddress' | 'destinationAddress' | 'outerSourceAddress' | 'outerDestinationAddress';
const ADDRESSES: readonly [AddressColumn, number][] = [
  ['sourceAddress', HAS_IP | IS_ARP],
  ['destinationAddress', HAS_IP | IS_ARP],
  ['outerSourceAddress', HAS_OUTER],
  ['outerDestinationAddress', HAS_OUTER],
];
const NAMED: readonly [string, 'exporter' | 'layers' | 'dnsName' | 'sni', keyof IdTexts][] = [
  ['exporter', 'exporter', 'exporters'],
  ['layers', 'layers', 'layers'],
  ['dnsQueryName', 'dnsName', 'names'],
  ['tlsServerName', 'sni', 'names'],
];

/** The staged records' blocks, and their columns. */
export function flowColumns({ buffers, names }: StagedData['flows']): {
  blocks: FlowBatch[];
  columns: ParquetColumn[];
} {
  const blocks = buffers.map((buffer) => viewFlowBatch(buffer, BLOCK_ROWS));
  const columns: ParquetColumn[] = Object.entries(NUMBERS).map(([name, [type, get]]) => ({
    name,
    type,
    value: (n) => get(blocks[n >> SHIFT], n & MASK),
  }));
  for (const [name, bits] of ADDRESSES) columns.push(addressText(blocks, name, bits));
  for (const [name, column, table] of NAMED) columns.push(nameText(blocks, name, column, names[table]));
  for (const name of ['sourceMacAddress', 'destinationMacAddress'] as const) columns.push(macText(blocks, name));
  columns.push(...halves(blocks, 'source'), ...halves(blocks, 'destination'));
  columns.sort((a, b) => ORDER.indexOf(a.name) - ORDER.indexOf(b.name));
  return { blocks, columns };
}

function addressText(blocks: FlowBatch[], name: AddressColumn, bits: number): ParquetColumn {
  const seen = new AddressTexts();
  const id = (n: number) => {
    const batch = blocks[n >> SHIFT];
    const row = n & MASK;
    return (batch.meta[row] & bits) === 0 ? -1 : seen.id(batch[name], 4 * row);
  };
  return { name, type: 'text', id, texts: seen.texts };
}

function nameText(
  blocks: FlowBatch[],
  name: string,
  column: 'exporter' | 'layers' | 'dnsName' | 'sni',
  { ids, texts }: IdTexts[keyof IdTexts],
): ParquetColumn {
  const places = new Map(ids.map((id, i) => [id, i]));
  const used: string[] = [];
  const dense = new Int32Array(ids.length).fill(-1);
  const id = (n: number) => {
    const place = places.get(blocks[n >> SHIFT][column][n & MASK]);
    if (place === undefined) return -1;
    if (dense[place] < 0) dense[place] = used.push(texts[place]) - 1;
    return dense[place];
  };
  return { name, type: 'text', id, texts: used };
}

function macText(blocks: FlowBatch[], name: 'sourceMacAddress' | 'destinationMacAddress'): ParquetColumn {
  const places = new Map<number, number>();
  const texts: string[] = [];
  const id = (n: number) => {
    const mac = blocks[n >> SHIFT][name][n & MASK];
    if (mac < 0) return -1;
    const place = places.get(mac) ?? texts.push(mac.toString(16).padStart(12, '0')) - 1;
    if (place === places.size) places.set(mac, place);
    return place;
  };
  return { name, type: 'text', id, texts };
}

/** The four words of an address as two numbers of 64 bits. */
function halves(blocks: FlowBatch[], side: 'source' | 'destination'): ParquetColumn[] {
  const word = (k: number) => (n: number) => blocks[n >> SHIFT][`${side}Address`][4 * (n & MASK) + k];
  return [
    { name: `${side}High`, type: 'uint64', high: word(0), low: word(1) },
    { name: `${side}Low`, type: 'uint64', high: word(2), low: word(3) },
  ];
}
