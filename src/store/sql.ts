import { isMapped, maskWord, type Prefix } from '../model/address.ts';
import {
  BIFLOW,
  ESTABLISHED,
  FIRST,
  INITIATOR_KNOWN,
  IS_ARP,
  IS_DNS_RESPONSE,
  IS_ICMP_ERROR,
  IS_IPV6,
  UNASKED,
} from '../model/flow-batch.ts';
import type { Predicate } from '../model/plan.ts';
import { sqlText } from './sql-text.ts';

/** Field of a row -> SQL over the published flow columns, for one direction of a biflow. */
export type FieldSql = Readonly<Record<string, string>>;

const bit = (value: number): string => `(meta & ${value}) <> 0`;
const LABELS = `regexp_extract(dnsQueryName, '([^.]+\\.[^.]+)$', 1)`;

function inTunnel(sql: string): string {
  return `CASE WHEN outerSourceAddress IS NOT NULL THEN ${sql} END`;
}

function direction(forward: boolean): FieldSql {
  const [src, dst] = forward ? ['source', 'destination'] : ['destination', 'source'];
  const own = (name: string) => (forward ? name : `reverse${name[0].toUpperCase()}${name.slice(1)}`);
  const other = (name: string) => (forward ? `reverse${name[0].toUpperCase()}${name.slice(1)}` : name);
  const as = { source: 'bgpSourceAsNumber', destination: 'bgpDestinationAsNumber' };
  return {
    'src.ip': `${src}Address`,
    'dst.ip': `${dst}Address`,
    'src.high': `${src}High`,
    'src.low': `${src}Low`,
    'dst.high': `${dst}High`,
    'dst.low': `${dst}Low`,
    'inner.src.ip': inTunnel(`${src}Address`),
    'inner.dst.ip': inTunnel(`${dst}Address`),
    'outer.src.ip': forward ? 'outerSourceAddress' : 'outerDestinationAddress',
    'outer.dst.ip': forward ? 'outerDestinationAddress' : 'outerSourceAddress',
    'src.port': `${src}TransportPort`,
    'dst.port': `${dst}TransportPort`,
    'src.mac': `${src}MacAddress`,
    'dst.mac': `${dst}MacAddress`,
    'src.as': as[src as 'source'],
    'dst.as': as[dst as 'source'],
    proto: 'protocolIdentifier',
    flags: own('tcpControlBits'),
    'reverse.flags': other('tcpControlBits'),
    packets: own('packetDeltaCount'),
    bytes: own('octetDeltaCount'),
    bits: `8 * ${own('octetDeltaCount')}`,
    'reverse.packets': other('packetDeltaCount'),
    'reverse.bytes': other('octetDeltaCount'),
    'reverse.bits': `8 * ${other('octetDeltaCount')}`,
    bpp: `${own('octetDeltaCount')} / nullif(${own('packetDeltaCount')}, 0)`,
    duration: `epoch_us(flowEnd) - epoch_us(flowStart)`,
    vlan: 'vlanId',
    in_if: forward ? 'ingressInterface' : 'egressInterface',
    out_if: forward ? 'egressInterface' : 'ingressInterface',
    exporter: 'exporter',
    tos: 'ipClassOfService',
    'icmp.type': 'icmpType',
    'icmp.code': 'icmpCode',
    'dns.name': 'dnsQueryName',
    'dns.domain': LABELS,
    'dns.type': 'dnsQueryType',
    'dns.length': 'length(dnsQueryName)',
    'tls.sni': 'tlsServerName',
    metric: 'NULL::VARCHAR',
    label: 'NULL::VARCHAR',
    value: 'NULL::DOUBLE',
    first: bit(FIRST),
    initiator: forward ? bit(INITIATOR_KNOWN) : 'false',
    established: bit(ESTABLISHED),
    unasked: bit(UNASKED),
    biflow: bit(BIFLOW),
    arp: bit(IS_ARP),
    icmp_error: bit(IS_ICMP_ERROR),
    dns_response: bit(IS_DNS_RESPONSE),
    ipv6: bit(IS_IPV6),
    counters: 'false',
  };
}

export const FORWARD = direction(true);
export const REVERSE = direction(false);

/** A rule's or query's predicate as SQL. A field that is not there (NULL) makes its comparison false, also under `not`. */
export function predicateSql(predicate: Predicate, fields: FieldSql): string {
  switch (predicate.op) {
    case 'true':
      return 'true';
    case 'and':
    case 'or':
      return `(${predicate.args.map((arg) => predicateSql(arg, fields)).join(` ${predicate.op} `)})`;
    case 'not':
      return `(not ${predicateSql(predicate.arg, fields)})`;
    default:
      return `coalesce(${leafSql(predicate, fields)}, false)`;
  }
}

type Leaf = Exclude<Predicate, { op: 'true' | 'and' | 'or' | 'not' }>;

function leafSql(leaf: Leaf, fields: FieldSql): string {
  const sql = fields[leaf.field];
  switch (leaf.op) {
    case 'net':
      return `(${leaf.nets.map((net) => netSql(net, leaf.field, fields)).join(' or ') || 'false'})`;
    case 'in':
      return inSql(sql, leaf.values, leaf.ranges);
    case 'compare':
      return `${sql} ${leaf.cmp === '==' ? '=' : leaf.cmp === '!=' ? '<>' : leaf.cmp} ${leaf.value}`;
    case 'flags':
      return `(${sql} & ${leaf.mask}) = ${leaf.value}`;
    case 'is':
      return sql;
    case 'text':
      return `(${leaf.values.map((value) => textSql(sql, leaf.test, value)).join(' or ') || 'false'})`;
    case 'mac':
      return `${sql} in (${leaf.values.map((value) => sqlText(value.toString(16).padStart(12, '0'))).join(', ')})`;
  }
}

function inSql(sql: string, values: number[], ranges: [number, number][]): string {
  const tests = ranges.map(([low, high]) => `${sql} between ${low} and ${high}`);
  if (values.length > 0) tests.push(`${sql} in (${values.join(', ')})`);
  return `(${tests.join(' or ') || 'false'})`;
}

function textSql(sql: string, test: 'equals' | 'prefix' | 'suffix' | 'contains', value: string): string {
  if (test === 'equals') return `${sql} = ${sqlText(value)}`;
  const name = { prefix: 'starts_with', suffix: 'ends_with', contains: 'contains' }[test];
  return `${name}(${sql}, ${sqlText(value)})`;
}

/** Networks are tested on the numeric halves; outer addresses have only their text, so whole addresses compare there. */
function netSql(net: Prefix, field: string, fields: FieldSql): string {
  if (field.startsWith('inner.')) {
    return `(outerSourceAddress IS NOT NULL and ${netSql(net, field.slice('inner.'.length), fields)})`;
  }
  const side = field.startsWith('src') ? 'src' : field.startsWith('dst') ? 'dst' : null;
  if (side === null) return outerSql(net, fields[field]);
  const [highLow, highHigh] = halfRange(net, 0);
  const [lowLow, lowHigh] = halfRange(net, 2);
  const high = `${fields[`${side}.high`]} between ${highLow} and ${highHigh}`;
  return net.bits <= 64 ? `(${high})` : `(${high} and ${fields[`${side}.low`]} between ${lowLow} and ${lowHigh})`;
}

/** First and last value of the 64 bits that begin at word `word`. */
function halfRange(net: Prefix, word: number): [bigint, bigint] {
  const at = (i: number, fill: boolean) => BigInt((fill ? net.words[i] | ~maskWord(net.bits, i) : net.words[i]) >>> 0);
  return [(at(word, false) << 32n) | at(word + 1, false), (at(word, true) << 32n) | at(word + 1, true)];
}

function outerSql(net: Prefix, sql: string): string {
  const words = Int32Array.from(net.words);
  if (!isMapped(words, 0)) return 'false';
  const number = [0, 1, 2, 3].map((i) => `CAST(split_part(${sql}, '.', ${i + 1}) AS BIGINT) * ${256 ** (3 - i)}`);
  const first = words[3] >>> 0;
  const last = (words[3] | ~maskWord(net.bits, 3)) >>> 0;
  return `(CASE WHEN contains(${sql}, '.') THEN ${number.join(' + ')} END between ${first} and ${last})`;
}
