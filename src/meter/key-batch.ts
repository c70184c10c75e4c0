import { finish, mix } from '../core/hash.ts';
import { icmpCounterpart } from '../model/icmp-pairs.ts';
import {
  DNS_NAME,
  DST,
  DST_MAC,
  FLAGS,
  HAS_ICMP,
  HAS_IP,
  HAS_MAC,
  HAS_PAYLOAD,
  HAS_PORTS,
  ICMP,
  INTERFACE,
  IS_ANSWER,
  IS_ARP,
  IS_DNS_RESPONSE,
  IS_ICMP_ERROR,
  IS_IPV6,
  LAYERS,
  META,
  type PacketRows,
  PORTS,
  ROW,
  SNI,
  SRC,
  SRC_MAC,
  VLAN,
} from '../model/packet-rows.ts';

/** Packets that are looked up together: enough that their cache misses overlap, few enough to stay in the first cache. */
export const CHUNK = 128;

/** What a key says of its kind: the protocol and these bits of the packet row; `OCCUPIED` makes it never zero. */
export const OCCUPIED = 1 << 30;
/** The two directions are two flows: a message that no answer pairs with. */
export const ONE_WAY = 1 << 29;
const KIND_BITS = HAS_IP | HAS_PORTS | HAS_ICMP | IS_ICMP_ERROR | IS_ARP | IS_IPV6;

/** Bits of `info`. The sender is the key's high end. */
export const FROM_HIGH = 1;
/** The packet shows that its sender goes on: data, or TCP's ACK outside a reset. */
export const GOES_ON = 2;
/** The packet answers a request: SYN-ACK, RST, ICMP reply or error, DNS response, UDP from a service port. */
export const ANSWERS = 4;
/** SYN, FIN, RST, a name or a DNS response: leaves the fast path. */
export const SPECIAL = 8;

const ICMPV6 = 58;
const FIN_SYN_RST = 7;
const SYN = 2;
const RST = 4;
const ACK = 16;

/** `info` of a TCP packet by its low eight flags, and 256 more with payload. */
const TCP_INFO = Int32Array.from({ length: 512 }, (_, at) => {
  const special = (at & FIN_SYN_RST) !== 0 ? SPECIAL : 0;
  if ((at & RST) !== 0) return special | ANSWERS;
  const answers = (at & (SYN | ACK)) === (SYN | ACK) ? ANSWERS : 0;
  return special | answers | ((at & ACK) !== 0 || at >= 256 ? GOES_ON : 0);
});

/** The keys of up to `CHUNK` packets, canonical: both directions of a flow give the same one. */
export class KeyBatch {
  readonly hash = new Int32Array(CHUNK);
  readonly kind = new Int32Array(CHUNK);
  readonly ports = new Int32Array(CHUNK);
  /** Interface and VLAN in one word; interfaces past 2^18 may share one, and the hash still tells them apart. */
  readonly place = new Int32Array(CHUNK);
  /** Last words of the low and the high end: an IPv4 address whole. */
  readonly low = new Int32Array(CHUNK);
  readonly high = new Int32Array(CHUNK);
  readonly info = new Int32Array(CHUNK);
  /** Random, so that nobody outside can make keys collide; saved hashes hold only with it. */
  seed: number;

  constructor(seed: number) {
    this.seed = seed | 0;
  }

  /**
   * Fills the columns for `count` packets from row `from`. A row without IP gets its MAC addresses where the IP
   * addresses would be (its address words mean nothing otherwise), so that all rows compare alike. IPv4 with ports, the
   * most of most traffic, is done in line: the ends are ordered without a branch, which no predictor could guess.
   */
  fill(rows: PacketRows, from: number, count: number): void {
    const { words } = rows;
    const { hash, kind, ports, place, low, high, info } = this;
    const { seed } = this;
    for (let i = 0; i < count; i++) {
      const r = (from + i) * ROW;
      const meta = words[r + META];
      const where = (words[r + INTERFACE] << 13) | (words[r + VLAN] + 1);
      place[i] = where;
      if ((meta & (HAS_IP | IS_IPV6 | HAS_PORTS)) !== (HAS_IP | HAS_PORTS)) {
        this.#fillOther(words, r, i, meta, where);
        continue;
      }
      const source = words[r + SRC + 3];
      const destination = words[r + DST + 3];
      const pair = words[r + PORTS];
      let swap = source > destination ? 1 : 0;
      if (source === destination) swap = pair >>> 16 > (pair & 0xffff) ? 1 : 0;
      const crossed = (source ^ destination) & -swap;
      const first = source ^ crossed;
      const second = destination ^ crossed;
      const ordered = (pair << (swap << 4)) | (pair >>> (swap << 4));
      const what = (meta & (KIND_BITS | 0xff)) | OCCUPIED;
      let h = Math.imul(first ^ seed, 0x9e3779b1);
      h = Math.imul(h ^ (h >>> 15) ^ second, 0x85ebca6b);
      h = Math.imul(h ^ (h >>> 13) ^ ordered, 0xc2b2ae35);
      h = Math.imul(h ^ (h >>> 16) ^ what ^ Math.imul(where, 0xcc9e2d51), 0x27d4eb2f);
      hash[i] = h ^ (h >>> 15);
      ports[i] = ordered;
      kind[i] = what;
      low[i] = first;
      high[i] = second;
      info[i] = swap | packetInfo(words, r, meta);
    }
  }

  #fillOther(words: Int32Array, r: number, i: number, meta: number, place: number): void {
    if ((meta & (HAS_IP | IS_ARP)) === 0) useMacAddresses(words, r, meta);
    const { kind, ports } = portsOf(words, r, meta);
    const swap = (kind & ONE_WAY) === 0 && isSwapped(words, r, kind, ports);
    const rotates = (kind & (HAS_PORTS | HAS_ICMP)) !== 0 && swap;
    const ordered = rotates ? (ports << 16) | (ports >>> 16) : ports;
    const low = r + (swap ? DST : SRC);
    const high = r + (swap ? SRC : DST);
    let hash = this.seed ^ place;
    for (let k = 0; k < 4; k++) hash = mix(mix(hash, words[low + k]), words[high + k]);
    this.hash[i] = finish(mix(hash, ordered) ^ kind);
    this.ports[i] = ordered;
    this.kind[i] = kind;
    this.low[i] = words[low + 3];
    this.high[i] = words[high + 3];
    this.info[i] = (swap ? FROM_HIGH : 0) | packetInfo(words, r, meta);
  }
}

function useMacAddresses(words: Int32Array, r: number, meta: number): void {
  for (let k = 0; k < 8; k++) words[r + SRC + k] = 0;
  if ((meta & HAS_MAC) === 0) return;
  words[r + SRC + 2] = words[r + SRC_MAC];
  words[r + SRC + 3] = words[r + SRC_MAC + 1];
  words[r + DST + 2] = words[r + DST_MAC];
  words[r + DST + 3] = words[r + DST_MAC + 1];
}

/** One result object for all calls: the values are read before the next call. */
const result = { kind: 0, ports: 0 };

/** What stands for ports: ports, ICMP type and counterpart (or code), or the stack of headers where there is no IP. */
function portsOf(words: Int32Array, r: number, meta: number): { kind: number; ports: number } {
  const protocol = meta & HAS_IP ? meta & 0xff : 0;
  result.kind = (meta & KIND_BITS) | protocol | OCCUPIED;
  result.ports = 0;
  if (meta & HAS_PORTS) result.ports = words[r + PORTS];
  else if (meta & HAS_ICMP) {
    const type = (words[r + ICMP] >>> 8) & 255;
    const counterpart = icmpCounterpart(type, protocol === ICMPV6);
    if (counterpart < 0) result.kind |= ONE_WAY;
    result.ports = (type << 16) | (counterpart < 0 ? words[r + ICMP] & 255 : counterpart);
  } else if ((meta & (HAS_IP | IS_ARP)) === 0) result.ports = words[r + LAYERS];
  return result;
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

function packetInfo(words: Int32Array, r: number, meta: number): number {
  const named = words[r + DNS_NAME] | words[r + SNI] | (meta & IS_DNS_RESPONSE);
  const special = named === 0 ? 0 : SPECIAL;
  const protocol = meta & (HAS_IP | 0xff);
  const payload = meta & HAS_PAYLOAD;
  if (protocol === (HAS_IP | 6)) return special | TCP_INFO[(words[r + FLAGS] & 255) | (payload === 0 ? 0 : 256)];
  const answers = (meta & (IS_ANSWER | IS_ICMP_ERROR)) === 0 ? 0 : ANSWERS;
  return special | answers | (protocol === (HAS_IP | 17) && payload === 0 ? 0 : GOES_ON);
}
