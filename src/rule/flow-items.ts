import { parseQuantity } from '../core/units.ts';
import type { FlowLine, Side } from './flow-step.ts';
import { flagBits } from './operand.ts';
import { own } from './own.ts';

/** Without `flows N`, a net gives at most this many flows a step. */
const SPREAD = 256;

interface Item {
  takes: boolean;
  /** False when the value does not fit. */
  set(line: FlowLine, value: string): boolean;
}

type NumberKey = { [K in keyof FlowLine]: FlowLine[K] extends number ? K : never }[keyof FlowLine];
type TextKey = { [K in keyof FlowLine]: FlowLine[K] extends string ? K : never }[keyof FlowLine];
type SwitchKey = { [K in keyof FlowLine]: FlowLine[K] extends boolean ? K : never }[keyof FlowLine];

const count = (key: NumberKey): Item => ({
  takes: true,
  set: (line, text) => {
    const quantity = parseQuantity(text);
    line[key] = quantity?.value ?? Number.NaN;
    return quantity !== null && quantity.value >= 0 && quantity.unit !== 'time';
  },
});

const flags = (key: NumberKey): Item => ({
  takes: true,
  set: (line, text) => {
    line[key] = flagBits(text);
    return text !== '' && !Number.isNaN(line[key]);
  },
});

const words = (key: TextKey): Item => ({
  takes: true,
  set: (line, text) => {
    line[key] = text.toLowerCase();
    return text !== '';
  },
});

const turnOn = (key: SwitchKey): Item => ({
  takes: false,
  set: (line) => {
    line[key] = true;
    return true;
  },
});

const DNS_TYPES: Readonly<Record<string, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  NULL: 10,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  ANY: 255,
};

export const ITEMS: Readonly<Record<string, Item>> = {
  flags: flags('flags'),
  'reverse flags': flags('reverseFlags'),
  packets: count('packets'),
  bytes: count('bytes'),
  'reverse packets': count('reversePackets'),
  'reverse bytes': count('reverseBytes'),
  flows: count('flows'),
  'icmp type': count('icmpType'),
  'icmp code': count('icmpCode'),
  vlan: count('vlan'),
  in_if: count('inIf'),
  out_if: count('outIf'),
  tos: count('tos'),
  jitter: count('jitter'),
  chance: count('chance'),
  'dns name': words('dnsName'),
  'dns type': {
    takes: true,
    set: (line, text) => {
      line.dnsType = own(DNS_TYPES, text) ?? Number(text);
      return text !== '' && Number.isInteger(line.dnsType);
    },
  },
  'tls sni': words('sni'),
  exporter: words('exporter'),
  label: words('label'),
  value: count('value'),
  'src mac': {
    takes: true,
    set: (line, text) => {
      line.sourceMac = text.toLowerCase();
      return /^(?:[\da-f]{2}:){5}[\da-f]{2}$|^(?:[\da-f]{2}:){4}%$/i.test(text);
    },
  },
  no_ports: turnOn('noPorts'),
  established: turnOn('established'),
  unasked: turnOn('unasked'),
  long: turnOn('long'),
  oneway: turnOn('oneway'),
  dns_response: turnOn('response'),
  icmp_error: turnOn('icmpError'),
};

const NOWHERE: Side = { net: { words: [0, 0, 0, 0], bits: 128 }, ports: null };

export const BLANK: FlowLine = {
  fromUs: 0,
  toUs: 0,
  everyUs: 0,
  proto: null,
  source: NOWHERE,
  destination: NOWHERE,
  flags: 0,
  reverseFlags: 0,
  packets: 0,
  bytes: 0,
  reversePackets: 0,
  reverseBytes: 0,
  flows: 0,
  established: false,
  unasked: false,
  long: false,
  oneway: false,
  response: false,
  icmpError: false,
  icmpType: 8,
  icmpCode: 0,
  vlan: -1,
  inIf: -1,
  outIf: -1,
  tos: 0,
  dnsName: '',
  dnsType: 1,
  sni: '',
  exporter: '',
  metric: '',
  label: '',
  value: 0,
  sourceMac: '',
  noPorts: false,
  jitter: 0,
  chance: 1,
};

const SA = 0x12;
const ACK = 0x10;
const RST = 0x04;

/** What a line leaves out: a handshake that went on is answered alike, packets have their usual size. */
export function fillIn(line: FlowLine, given: Set<string>): void {
  const shook = (line.flags & SA) === SA && !line.unasked;
  if (shook && !given.has('reverse packets') && !given.has('reverse flags')) line.established = true;
  if (!given.has('flows')) line.flows = Math.min(spread(line), given.has('packets') ? line.packets : SPREAD);
  if (!given.has('packets')) line.packets = line.flows;
  if (!given.has('bytes')) line.bytes = line.packets * usualSize(line);
  if (line.established && !given.has('reverse packets')) line.reversePackets = line.packets;
  if (line.reversePackets > 0 && !given.has('reverse bytes')) line.reverseBytes = line.reversePackets * usualSize(line);
  if (line.reversePackets > 0 && line.proto === 6 && !given.has('reverse flags')) line.reverseFlags = line.flags | SA;
  if (line.reversePackets > 0 && (line.flags & ACK) !== 0 && (line.reverseFlags & (ACK | RST)) === ACK)
    line.established = true;
}

function spread({ source, destination }: FlowLine): number {
  const size = ({ net, ports }: Side) => 2 ** Math.min(20, 128 - net.bits) * (ports ? ports.to - ports.from + 1 : 1);
  return Math.max(1, Math.min(SPREAD, size(source) * size(destination)));
}

function usualSize({ proto, flags }: FlowLine): number {
  if (proto === null) return 0;
  if (proto === 6) return flags & 0x08 ? 500 : 44;
  return proto === 17 ? 120 : 84;
}
