import { BIFLOW, HAS_ICMP, HAS_IP, HAS_OUTER, HAS_PORTS, IS_ARP } from '../model/flow-batch.ts';
import { AddressColumns } from './address-columns.ts';
import type { NumberType, ParquetColumn, Values } from './parquet-page.ts';
import { type NumberColumn, StagedColumns } from './staged-columns.ts';
import type { IdTexts, StagedData } from './staged-rows.ts';
import { plainTexts } from './text-columns.ts';

/**
 * Flow records as columns of a Parquet file. Names are IPFIX's; addresses are there twice: as text for people and other
 * tools, as two 64-bit halves for network tests.
 */
const TCP = 6;

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

type Make = (staged: StagedColumns) => Values;

const of =
  (name: NumberColumn): Make =>
  (staged) =>
    staged.of(name);
const where =
  (bits: number, make: Make): Make =>
  (staged) =>
    staged.where(bits, make(staged));
/** Changes the first `count` numbers. A loop of its own each: a call for each number would take as long as all else. */
type Change = (numbers: Float64Array, count: number) => void;
const changed =
  (make: Make, change: Change): Make =>
  (staged) => {
    const { isSame, take } = make(staged);
    const takeChanged = (order: Uint32Array, out: Float64Array): void => {
      take(order, out);
      change(out, order.length);
    };
    return { isSame, take: takeChanged };
  };
const round: Change = (numbers, count) => {
  for (let i = 0; i < count; i++) numbers[i] = Math.round(numbers[i]);
};
const dropNegative: Change = (numbers, count) => {
  for (let i = 0; i < count; i++) if (numbers[i] < 0) numbers[i] = Number.NaN;
};
/** 0 is no id and no interval. */
const dropZero: Change = (numbers, count) => {
  for (let i = 0; i < count; i++) if (!(numbers[i] > 0)) numbers[i] = Number.NaN;
};
/** AS numbers have 32 bits; -1 is none. */
const readAs: Change = (numbers, count) => {
  for (let i = 0; i < count; i++) numbers[i] = numbers[i] === -1 ? Number.NaN : numbers[i] >>> 0;
};
const highByte: Change = (numbers, count) => {
  for (let i = 0; i < count; i++) numbers[i] = numbers[i] >> 8;
};
const lowByte: Change = (numbers, count) => {
  for (let i = 0; i < count; i++) numbers[i] = numbers[i] & 255;
};
const rounded = (name: NumberColumn): Make => changed(of(name), round);
const known = (name: NumberColumn): Make => changed(of(name), dropNegative);
/** Of rows that another column says to have it. */
const whereOther =
  (other: NumberColumn, has: (value: number) => boolean, name: NumberColumn): Make =>
  (staged) => {
    const [values, others] = [staged.of(name), staged.of(other)];
    const take = (order: Uint32Array, out: Float64Array): void => {
      const beside = new Float64Array(order.length);
      others.take(order, beside);
      values.take(order, out);
      for (let i = 0; i < order.length; i++) if (!has(beside[i])) out[i] = Number.NaN;
    };
    return { isSame: values.isSame && others.isSame, take };
  };
const ofTcp = (name: NumberColumn): Make => whereOther('protocolIdentifier', (protocol) => protocol === TCP, name);

/** The numbers among them. */
const NUMBERS: Readonly<Record<string, [NumberType, Make]>> = {
  flowStart: ['timestamp', rounded('startUs')],
  flowEnd: ['timestamp', rounded('endUs')],
  sourceTransportPort: ['uint16', where(HAS_PORTS, of('sourceTransportPort'))],
  destinationTransportPort: ['uint16', where(HAS_PORTS, of('destinationTransportPort'))],
  protocolIdentifier: ['uint8', where(HAS_IP, of('protocolIdentifier'))],
  packetDeltaCount: ['int64', rounded('packetDeltaCount')],
  octetDeltaCount: ['int64', rounded('octetDeltaCount')],
  layer2OctetDeltaCount: ['int64', rounded('layer2OctetDeltaCount')],
  reversePacketDeltaCount: ['int64', where(BIFLOW, rounded('reversePacketDeltaCount'))],
  reverseOctetDeltaCount: ['int64', where(BIFLOW, rounded('reverseOctetDeltaCount'))],
  reverseLayer2OctetDeltaCount: ['int64', where(BIFLOW, rounded('reverseLayer2OctetDeltaCount'))],
  tcpControlBits: ['uint16', ofTcp('tcpControlBits')],
  reverseTcpControlBits: ['uint16', ofTcp('reverseTcpControlBits')],
  icmpType: ['uint16', where(HAS_ICMP, changed(of('icmpTypeCode'), highByte))],
  icmpCode: ['uint16', where(HAS_ICMP, changed(of('icmpTypeCode'), lowByte))],
  vlanId: ['int32', known('vlanId')],
  ingressInterface: ['int32', known('ingressInterface')],
  egressInterface: ['int32', known('egressInterface')],
  ipClassOfService: ['uint8', where(HAS_IP, of('ipClassOfService'))],
  flowEndReason: ['uint8', of('flowEndReason')],
  samplingInterval: ['double', changed(of('samplingInterval'), dropZero)],
  observationDomainId: ['int64', rounded('observationDomainId')],
  dnsQueryType: ['uint16', whereOther('dnsName', (id) => id !== 0, 'dnsType')],
  bgpSourceAsNumber: ['int64', changed(of('sourceAs'), readAs)],
  bgpDestinationAsNumber: ['int64', changed(of('destinationAs'), readAs)],
  meta: ['int32', of('meta')],
};

const NAMED: readonly [string, 'exporter' | 'layers' | 'dnsName' | 'sni', keyof IdTexts][] = [
  ['exporter', 'exporter', 'exporters'],
  ['layers', 'layers', 'layers'],
  ['dnsQueryName', 'dnsName', 'names'],
  ['tlsServerName', 'sni', 'names'],
];

/** The staged records' columns. */
export function flowColumns(flows: StagedData['flows']): ParquetColumn[] {
  const staged = new StagedColumns(flows);
  const addresses = new AddressColumns(staged);
  const columns = [
    ...Object.entries(NUMBERS).map(([name, [type, make]]): ParquetColumn => ({ name, type, ...make(staged) })),
    addresses.text('sourceAddress', HAS_IP | IS_ARP),
    addresses.text('destinationAddress', HAS_IP | IS_ARP),
    addresses.text('outerSourceAddress', HAS_OUTER),
    addresses.text('outerDestinationAddress', HAS_OUTER),
    ...NAMED.map(([name, column, table]) => nameText(staged, name, column, flows.names[table])),
    macText(staged, 'sourceMacAddress'),
    macText(staged, 'destinationMacAddress'),
    ...addresses.halves('source'),
    ...addresses.halves('destination'),
  ];
  return columns.sort((a, b) => ORDER.indexOf(a.name) - ORDER.indexOf(b.name));
}

function nameText(
  staged: StagedColumns,
  name: string,
  column: NumberColumn,
  table: IdTexts[keyof IdTexts],
): ParquetColumn {
  const texts = new Map(table.ids.map((id, i) => [id, table.texts[i]]));
  const values = changed(of(column), dropZero)(staged);
  return { name, type: 'text', ...values, entries: (ids) => plainTexts(ids, (id) => texts.get(id) ?? '') };
}

function macText(staged: StagedColumns, name: 'sourceMacAddress' | 'destinationMacAddress'): ParquetColumn {
  const entries = (macs: Float64Array): Uint8Array => plainTexts(macs, (mac) => mac.toString(16).padStart(12, '0'));
  return { name, type: 'text', ...known(name)(staged), entries };
}
