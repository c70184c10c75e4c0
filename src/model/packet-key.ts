import { finish } from '../core/hash.ts';
import { icmpCounterpart } from './icmp-pairs.ts';
import {
  DNS_NAME,
  DST,
  DST_MAC,
  FLAGS,
  HAS_ICMP,
  HAS_IP,
  HAS_MAC,
  HAS_OUTER,
  HAS_PAYLOAD,
  HAS_PORTS,
  ICMP,
  INTERFACE,
  IS_ANSWER,
  IS_ARP,
  IS_DNS_RESPONSE,
  IS_ICMP_ERROR,
  IS_IPV6,
  KEY_HASH,
  KEY_INFO,
  KEY_KIND,
  KEY_PORTS,
  LAYERS,
  META,
  PORTS,
  ROW,
  SNI,
  SRC,
  SRC_MAC,
  VLAN,
} from './packet-rows.ts';
/**
 * Bits of `KEY_KIND`: protocol in the low byte, then `HAS_IP`, `HAS_PORTS`, `HAS_ICMP`, `IS_ICMP_ERROR` and `IS_ARP` as in
 * `META`, those below, the VLAN id + 1 in bits 16..28, and the interface, or `OTHER_INTERFACE`, from bit 29 on.
 */
export const KIND_IPV6 = 1 << 11;
/** The two directions are two flows: a message that no answer pairs with. */
export const ONE_WAY = 1 << 12;
/** Makes the kind of a taken row never zero. */
export const OCCUPIED = 1 << 13;
export const KIND_VLAN_SHIFT = 16;
export const KIND_INTERFACE_SHIFT = 29;
/** The interface is this one or a greater one, and has to be compared by itself. */
export const OTHER_INTERFACE = 7;

/** Bits of `META` that are part of the kind where they are; `IS_IPV6` becomes `KIND_IPV6`. */
const KIND_BITS = HAS_IP | HAS_PORTS | HAS_ICMP | IS_ICMP_ERROR | IS_ARP;
const IPV6_SHIFT = 8;

/** Bits of `KEY_INFO`. The sender is the key's high end. */
export const FROM_HIGH = 1;
/** The packet shows that its sender goes on: data, or TCP's ACK outside a reset. */
export const GOES_ON = 2;
/** The packet answers a request: SYN-ACK, RST, ICMP reply or error, DNS response, UDP from a service port. */
export const ANSWERS = 4;
/** SYN, FIN, RST, a name or a DNS response: leaves the fast path. */
export const SPECIAL = 8;
/** The key does not fit into a hot row. */
export const WIDE = 16;
/** The packet came through a tunnel. */
export const TUNNELED = 32;
/** The packet carries a name or is a DNS response. */
export const NAMED = 64;

const ICMPV6 = 58;
const FIN_SYN_RST = 7;
const SYN = 2;
const RST = 4;
const ACK = 16;
/** From `HAS_PAYLOAD` to the ninth bit of an index of `TCP_INFO`, from `HAS_OUTER` to `TUNNELED`. */
const PAYLOAD_SHIFT = 12;
const TUNNELED_SHIFT = 6;

/** `KEY_INFO` of a TCP packet by its low eight flags, and 256 more with payload. */
export const TCP_INFO = Int32Array.from({ length: 512 }, (_, at) => {
  const special = (at & FIN_SYN_RST) !== 0 ? SPECIAL : 0;
  if ((at & RST) !== 0) return special | ANSWERS;
  const answers = (at & (SYN | ACK)) === (SYN | ACK) ? ANSWERS : 0;
  return special | answers | ((at & ACK) !== 0 || at >= 256 ? GOES_ON : 0);
});

/** True when a kind's key has words beside the hot row. */
export function isWide(kind: number): boolean {
  return (kind & (HAS_IP | KIND_IPV6)) !== HAS_IP || kind >>> KIND_INTERFACE_SHIFT === OTHER_INTERFACE;
}

/**
 * Writes the keys of the packets from word `from` to (not including) word `to`, canonical: both directions of a flow give
 * the same one. The seed is random, so that nobody outside can make keys collide.
 */
export function keyRows(words: Int32Array, from: number, to: number, seed: number): void {
  for (let r = from; r < to; r += ROW) keyRow(words, r, seed);
}

/**
 * Writes the key of the packet at word `r`. A row without IP gets its MAC addresses where the IP addresses would be (its
 * address words mean nothing otherwise), so that all rows compare alike.
 */
export function keyRow(words: Int32Array, r: number, seed: number): void {
  const meta = words[r + META];
  const one = words[r + INTERFACE] >>> 0;
  const info = packetInfo(words, r, meta);
  if ((meta & (HAS_IP | IS_IPV6 | HAS_PORTS)) !== (HAS_IP | HAS_PORTS) || one >= OTHER_INTERFACE) {
    keyOther(words, r, meta, one, info, seed);
    return;
  }
  const place = ((words[r + VLAN] + 1) << KIND_VLAN_SHIFT) | (one << KIND_INTERFACE_SHIFT);
  keyPair(words, r, words[r + PORTS], (meta & (KIND_BITS | 0xff)) | OCCUPIED | place, info, seed);
}

/** Hashes keys that are there anew, with another seed. */
export function hashRows(words: Int32Array, from: number, to: number, seed: number): void {
  for (let r = from; r < to; r += ROW) {
    const kind = words[r + KEY_KIND];
    const ports = words[r + KEY_PORTS];
    const across = (words[r + KEY_INFO] & FROM_HIGH) << 2;
    const pair = (kind & (HAS_IP | HAS_PORTS | KIND_IPV6)) === (HAS_IP | HAS_PORTS) && !isWide(kind);
    words[r + KEY_HASH] = pair
      ? hashPair(words[r + SRC + 3 + across], words[r + DST + 3 - across], ports, kind, seed)
      : hashWide(words, r, ports, kind, seed);
  }
}

/** The key of IPv4 with ports: the ends are ordered without a branch, which no predictor could guess. */
export function keyPair(words: Int32Array, r: number, pair: number, kind: number, info: number, seed: number): void {
  const source = words[r + SRC + 3];
  const destination = words[r + DST + 3];
  let swap = source > destination ? 1 : 0;
  if (source === destination) swap = pair >>> 16 > (pair & 0xffff) ? 1 : 0;
  const crossed = (source ^ destination) & -swap;
  const ordered = (pair << (swap << 4)) | (pair >>> (swap << 4));
  words[r + KEY_HASH] = hashPair(source ^ crossed, destination ^ crossed, ordered, kind, seed);
  words[r + KEY_KIND] = kind;
  words[r + KEY_PORTS] = ordered;
  words[r + KEY_INFO] = swap | info;
}

function hashPair(low: number, high: number, ports: number, kind: number, seed: number): number {
  let h = Math.imul(low ^ seed, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15) ^ high, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13) ^ ports, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 16) ^ kind, 0x27d4eb2f);
  return h ^ (h >>> 15);
}

/** The key of IPv6 with ports; `ends` is what `hashEnds` answers for its addresses. */
export function keyWide(words: Int32Array, r: number, pair: number, kind: number, info: number, ends: number): void {
  const source = words[r + SRC + 3];
  const destination = words[r + DST + 3];
  let swap = source > destination ? 1 : 0;
  if (source === destination) swap = isSwapped(words, r, kind, pair) ? 1 : 0;
  const ordered = (pair << (swap << 4)) | (pair >>> (swap << 4));
  words[r + KEY_HASH] = finish(Math.imul(ends ^ ordered, 0x85ebca6b) ^ kind);
  words[r + KEY_KIND] = kind;
  words[r + KEY_PORTS] = ordered;
  words[r + KEY_INFO] = swap | WIDE | info;
}

/** Hash of one end's address. */
export function hashEnd(a: number, b: number, c: number, d: number, seed: number): number {
  let h = Math.imul(a ^ seed, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15) ^ b, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13) ^ c, 0xcc9e2d51);
  h = Math.imul(h ^ (h >>> 15) ^ d, 0x27d4eb2f);
  return h ^ (h >>> 16);
}

/** Of both, whichever comes first. */
export function hashEnds(one: number, other: number): number {
  return Math.imul(one + other, 0xc2b2ae35) ^ Math.imul(one ^ other, 0x1b873593);
}

function keyOther(words: Int32Array, r: number, meta: number, one: number, info: number, seed: number): void {
  if ((meta & (HAS_IP | IS_ARP)) === 0) useMacAddresses(words, r, meta);
  const place = ((words[r + VLAN] + 1) << KIND_VLAN_SHIFT) | (Math.min(one, OTHER_INTERFACE) << KIND_INTERFACE_SHIFT);
  const kind = kindOf(words, r, meta) | place;
  const ports = portsOf(words, r, meta, kind);
  const swap = (kind & ONE_WAY) === 0 && isSwapped(words, r, kind, ports);
  const rotates = (kind & (HAS_PORTS | HAS_ICMP)) !== 0 && swap;
  const ordered = rotates ? (ports << 16) | (ports >>> 16) : ports;
  words[r + KEY_HASH] = hashWide(words, r, ordered, kind, seed);
  words[r + KEY_KIND] = kind;
  words[r + KEY_PORTS] = ordered;
  words[r + KEY_INFO] = (swap ? FROM_HIGH : 0) | (isWide(kind) ? WIDE : 0) | info;
}

function hashWide(words: Int32Array, r: number, ports: number, kind: number, seed: number): number {
  const source = hashEnd(words[r + SRC], words[r + SRC + 1], words[r + SRC + 2], words[r + SRC + 3], seed);
  const destination = hashEnd(words[r + DST], words[r + DST + 1], words[r + DST + 2], words[r + DST + 3], seed);
  return finish(Math.imul(hashEnds(source, destination) ^ ports, 0x85ebca6b) ^ kind);
}

function useMacAddresses(words: Int32Array, r: number, meta: number): void {
  for (let k = 0; k < 8; k++) words[r + SRC + k] = 0;
  if ((meta & HAS_MAC) === 0) return;
  words[r + SRC + 2] = words[r + SRC_MAC];
  words[r + SRC + 3] = words[r + SRC_MAC + 1];
  words[r + DST + 2] = words[r + DST_MAC];
  words[r + DST + 3] = words[r + DST_MAC + 1];
}

/** The kind without its place. */
function kindOf(words: Int32Array, r: number, meta: number): number {
  const protocol = meta & HAS_IP ? meta & 0xff : 0;
  const kind = (meta & KIND_BITS) | ((meta & IS_IPV6) >>> IPV6_SHIFT) | protocol | OCCUPIED;
  if ((meta & (HAS_PORTS | HAS_ICMP)) !== HAS_ICMP) return kind;
  return icmpCounterpart((words[r + ICMP] >>> 8) & 255, protocol === ICMPV6) < 0 ? kind | ONE_WAY : kind;
}

/** What stands for ports: ports, ICMP type and counterpart (or code), or the stack of headers where there is no IP. */
function portsOf(words: Int32Array, r: number, meta: number, kind: number): number {
  if (meta & HAS_PORTS) return words[r + PORTS];
  if (meta & HAS_ICMP) {
    const type = (words[r + ICMP] >>> 8) & 255;
    const code = words[r + ICMP] & 255;
    return (type << 16) | ((kind & ONE_WAY) !== 0 ? code : icmpCounterpart(type, (kind & 0xff) === ICMPV6));
  }
  return (meta & (HAS_IP | IS_ARP)) === 0 ? words[r + LAYERS] : 0;
}

/** Any total order of the two ends will do; equal addresses are told apart by their ports. */
function isSwapped(words: Int32Array, r: number, kind: number, ports: number): boolean {
  for (let k = 3; k >= 0; k--) {
    const source = words[r + SRC + k];
    const destination = words[r + DST + k];
    if (source !== destination) return source > destination;
  }
  return (kind & (HAS_PORTS | HAS_ICMP)) !== 0 && ports >>> 16 > (ports & 0xffff);
}

/** All bits of `KEY_INFO` but `FROM_HIGH` and `WIDE`. */
function packetInfo(words: Int32Array, r: number, meta: number): number {
  const named = words[r + DNS_NAME] | words[r + SNI] | (meta & IS_DNS_RESPONSE);
  const special = (named === 0 ? 0 : SPECIAL | NAMED) | ((meta & HAS_OUTER) >>> TUNNELED_SHIFT);
  const protocol = meta & (HAS_IP | 0xff);
  const payload = meta & HAS_PAYLOAD;
  if (protocol === (HAS_IP | 6)) return special | TCP_INFO[(words[r + FLAGS] & 255) | (payload >>> PAYLOAD_SHIFT)];
  const answers = (meta & (IS_ANSWER | IS_ICMP_ERROR)) === 0 ? 0 : ANSWERS;
  return special | answers | (protocol === (HAS_IP | 17) && payload === 0 ? 0 : GOES_ON);
}
