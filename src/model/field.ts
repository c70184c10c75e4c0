import type { Unit } from '../core/units.ts';

/**
 * The fields of a row as rules and queries see it: one direction of one flow during one slice of time. A biflow gives
 * two rows, source and destination swapped. A field that is not there on a row makes every comparison false.
 */
export type FieldType = 'ip' | 'number' | 'flags' | 'text' | 'mac' | 'bool';

export interface Field {
  type: FieldType;
  unit: Unit;
  /** May stand in `by`. */
  key: boolean;
  doc: string;
}

const number = (doc: string, key = false, unit: Unit = 'none'): Field => ({ type: 'number', unit, key, doc });
const ip = (doc: string): Field => ({ type: 'ip', unit: 'none', key: true, doc });
const text = (doc: string): Field => ({ type: 'text', unit: 'none', key: true, doc });
const mac = (doc: string): Field => ({ type: 'mac', unit: 'none', key: true, doc });
const flags = (doc: string): Field => ({ type: 'flags', unit: 'none', key: false, doc });
const bool = (doc: string): Field => ({ type: 'bool', unit: 'none', key: false, doc });

export const FIELDS: Readonly<Record<string, Field>> = {
  'src.ip': ip('sender of the row (innermost IP header; of an ARP packet, the sender address)'),
  'dst.ip': ip('receiver of the row'),
  'inner.src.ip': ip('sender in the innermost IP header, where a tunnel was opened; absent outside of tunnels'),
  'inner.dst.ip': ip('receiver in the innermost IP header, where a tunnel was opened'),
  'outer.src.ip': ip('sender in the outermost IP header, where a tunnel was opened'),
  'outer.dst.ip': ip('receiver in the outermost IP header, where a tunnel was opened'),
  'src.port': number('transport port of the sender', true),
  'dst.port': number('transport port of the receiver', true),
  'src.mac': mac('MAC address of the sender'),
  'dst.mac': mac('MAC address of the receiver'),
  'src.as': number('autonomous system of the sender, where the exporter says it', true),
  'dst.as': number('autonomous system of the receiver, where the exporter says it', true),
  proto: number('IP protocol number (names: tcp udp icmp icmp6 sctp gre esp ah ...)', true),
  flags: flags('TCP flags of this direction, joined by OR over the slice (letters F S R P A U E C)'),
  'reverse.flags': flags('TCP flags of the other direction'),
  packets: number('packets of this direction', false, 'packets'),
  bytes: number('IP bytes of this direction', false, 'bytes'),
  bits: number('8 x bytes', false, 'bits'),
  'reverse.packets': number('packets of the other direction', false, 'packets'),
  'reverse.bytes': number('IP bytes of the other direction', false, 'bytes'),
  'reverse.bits': number('8 x reverse.bytes', false, 'bits'),
  bpp: number('bytes a packet of this direction', false, 'bytes'),
  duration: number('time from the first to the last packet of the row', false, 'time'),
  vlan: number('VLAN id (outermost tag)', true),
  in_if: number('interface where the traffic came in', true),
  out_if: number('interface where the traffic leaves', true),
  exporter: text('exporter address or source name'),
  tos: number('IP class of service byte', true),
  'icmp.type': number('ICMP or ICMPv6 type', true),
  'icmp.code': number('ICMP or ICMPv6 code', true),
  'dns.name': text('DNS question name in the row'),
  'dns.domain': text('the last two labels of the DNS question name (three below a public second level such as co.uk)'),
  'dns.type': number('DNS question type (A 1, NULL 10, TXT 16, AAAA 28)', true),
  'dns.length': number('characters of the DNS question name'),
  'tls.sni': text('server name that the TLS client asked for'),
  metric: text('of weir itself: the name of what was measured'),
  label: text('of weir itself: the labels of what was measured'),
  value: number('of weir itself: what was measured; of a counter, how much it grew'),
  first: bool("the flow's first slice"),
  initiator: bool('the sender of the row opened the flow'),
  established: bool("both directions carried data or TCP's ACK"),
  unasked: bool('the flow began with an answer and no request was seen'),
  biflow: bool('both directions of the flow are known'),
  arp: bool('the row is ARP'),
  icmp_error: bool('the row is an ICMP error message'),
  dns_response: bool('the row carries a DNS response'),
  ipv6: bool('the innermost IP header is IPv6'),
  counters: bool('the row is what an interface carried one way between two readings of its octet counter'),
};

/** TCP flag letters in the order of their bits, from FIN (RFC 9293, section 3.1). */
export const FLAG_LETTERS = 'FSRPAUEC';

/** IP protocol names that rules and output know (IANA protocol numbers). */
export const PROTOCOLS: Readonly<Record<string, number>> = {
  icmp: 1,
  igmp: 2,
  ipip: 4,
  tcp: 6,
  egp: 8,
  igp: 9,
  udp: 17,
  dccp: 33,
  ipv6: 41,
  rsvp: 46,
  gre: 47,
  esp: 50,
  ah: 51,
  icmp6: 58,
  eigrp: 88,
  ospf: 89,
  pim: 103,
  vrrp: 112,
  l2tp: 115,
  sctp: 132,
  udplite: 136,
};

/** A protocol number as text: its name where it has one. */
export function protocolName(number: number): string {
  for (const name in PROTOCOLS) if (PROTOCOLS[name] === number) return name;
  return String(number);
}

/** TCP flags as letters, `.` where off: `.S..A...`. */
export function formatFlags(bits: number): string {
  let text = '';
  for (let i = 0; i < FLAG_LETTERS.length; i++) text += bits & (1 << i) ? FLAG_LETTERS[i] : '.';
  return text;
}
