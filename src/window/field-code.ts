import {
  BIFLOW,
  COUNTERS,
  ESTABLISHED,
  FIRST,
  HAS_ICMP,
  HAS_IP,
  HAS_OUTER,
  HAS_PORTS,
  INITIATOR_KNOWN,
  IS_ARP,
  IS_DNS_RESPONSE,
  IS_ICMP_ERROR,
  IS_IPV6,
  OPENED_BY_DESTINATION,
  UNASKED,
} from '../model/flow-batch.ts';

/**
 * How generated code reads a field of row `r` (slice `i`): plain text over the columns of `Chunk`, made of names and
 * numbers from this table only, never of anything a rule says.
 */
export interface FieldCode {
  /** A number; of an address the row whose sender it is. */
  value: string;
  /** When the row has the field; null: always. */
  there: string | null;
  /** Columns of `Chunk` that are filled only when a rule asks. */
  uses: string[];
}

const bit = (mask: number): string => `(meta[i]&${mask})!==0`;
const field = (value: string, there: string | null = null, ...uses: string[]): FieldCode => ({ value, there, uses });
const bool = (mask: number): FieldCode => field(`(${bit(mask)}?1:0)`);
const ADDRESS = bit(HAS_IP | IS_ARP);
/** The initiator's direction: the first one, but for flows that a SYN-ACK began. */
const OPENER = `((meta[i]&${OPENED_BY_DESTINATION})!==0?1:0)`;
/** Measurements of weir itself have no addresses; their name stands where a TLS server's does. */
const IS_METRIC = `sni[i]!==0&&(meta[i]&${HAS_IP | IS_ARP})===0`;
const isDnsPort = (port: string): string => `(${port}===53||${port}===5353||${port}===5355)`;

/** A flow counts once: on the initiator's row of its first slice. */
export const FLOWS = `((meta[i]&${FIRST})!==0&&(r&1)===${OPENER}?1:0)`;

const CODES: Readonly<Record<string, FieldCode>> = {
  'src.ip': field('r', ADDRESS),
  'dst.ip': field('(r^1)', ADDRESS),
  'inner.src.ip': field('r', bit(HAS_OUTER)),
  'inner.dst.ip': field('(r^1)', bit(HAS_OUTER)),
  'outer.src.ip': field('r', bit(HAS_OUTER), 'outer'),
  'outer.dst.ip': field('(r^1)', bit(HAS_OUTER), 'outer'),
  'src.port': field('port[r]', bit(HAS_PORTS)),
  'dst.port': field('port[r^1]', bit(HAS_PORTS)),
  'src.mac': field('mac[r]', 'mac[r]>=0', 'mac'),
  'dst.mac': field('mac[r^1]', 'mac[r^1]>=0', 'mac'),
  'src.as': field('as[r]', 'as[r]>=0', 'as'),
  'dst.as': field('as[r^1]', 'as[r^1]>=0', 'as'),
  proto: field('proto[i]', bit(HAS_IP)),
  flags: field('flags[r]', 'proto[i]===6'),
  'reverse.flags': field('flags[r^1]', `proto[i]===6&&${bit(BIFLOW)}`),
  packets: field('packets[r]'),
  bytes: field('bytes[r]'),
  bits: field('(8*bytes[r])'),
  'reverse.packets': field('packets[r^1]', bit(BIFLOW)),
  'reverse.bytes': field('bytes[r^1]', bit(BIFLOW)),
  'reverse.bits': field('(8*bytes[r^1])', bit(BIFLOW)),
  bpp: field('(bytes[r]/packets[r])', 'packets[r]>0'),
  duration: field('(endUs[i]-startUs[i])'),
  vlan: field('vlan[i]', 'vlan[i]>=0', 'vlan'),
  in_if: field('inIf[r]', 'inIf[r]>=0', 'inIf'),
  out_if: field('outIf[r]', 'outIf[r]>=0', 'outIf'),
  exporter: field('exporter[i]', 'exporter[i]!==0', 'exporter'),
  tos: field('tos[i]', bit(HAS_IP), 'tos'),
  'icmp.type': field('(icmp[r]>>8)', bit(HAS_ICMP), 'icmp'),
  'icmp.code': field('(icmp[r]&255)', bit(HAS_ICMP), 'icmp'),
  'dns.name': field('dnsName[i]', 'dnsName[i]!==0', 'dnsName'),
  'dns.domain': field('texts.domain(dnsName[i])', 'dnsName[i]!==0', 'dnsName'),
  'dns.type': field('dnsType[i]', 'dnsType[i]!==0', 'dnsType'),
  'dns.length': field('texts.nameLength(dnsName[i])', 'dnsName[i]!==0', 'dnsName'),
  'tls.sni': field('sni[i]', 'sni[i]!==0', 'sni'),
  metric: field('sni[i]', IS_METRIC, 'sni'),
  label: field('dnsName[i]', `${IS_METRIC}&&dnsName[i]!==0`, 'sni', 'dnsName'),
  value: field('packets[r]', IS_METRIC, 'sni'),
  first: bool(FIRST),
  initiator: field(`((meta[i]&${INITIATOR_KNOWN})!==0&&(r&1)===${OPENER}?1:0)`),
  established: bool(ESTABLISHED),
  unasked: bool(UNASKED),
  biflow: bool(BIFLOW),
  arp: bool(IS_ARP),
  icmp_error: bool(IS_ICMP_ERROR),
  dns_response: field(`(${bit(IS_DNS_RESPONSE)}&&(${isDnsPort('port[r]')}||!${isDnsPort('port[r^1]')})?1:0)`),
  ipv6: bool(IS_IPV6),
  counters: bool(COUNTERS),
};

/** Throws a RangeError for a name that is no field. */
export function fieldCode(name: string): FieldCode {
  if (!Object.hasOwn(CODES, name)) throw new RangeError(`no such field: ${name}`);
  return CODES[name];
}

/** The column of addresses that a field of type `ip` reads. */
export function addressColumn(name: string): 'outer' | 'address' {
  return name.startsWith('outer.') ? 'outer' : 'address';
}
