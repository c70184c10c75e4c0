import {
  ANSWERS,
  GOES_ON,
  hashEnd,
  hashEnds,
  KIND_INTERFACE_SHIFT,
  KIND_IPV6,
  KIND_VLAN_SHIFT,
  keyPair,
  keyWide,
  NAMED,
  OCCUPIED,
  SPECIAL,
  TCP_INFO,
} from '../model/packet-key.ts';
import {
  DNS_NAME,
  DST_MAC,
  FLAGS,
  HAS_IP,
  HAS_MAC,
  HAS_PORTS,
  ICMP,
  INTERFACE,
  IP_BYTES,
  IS_ANSWER,
  IS_DNS_RESPONSE,
  IS_LEAN,
  KEY_INFO,
  KEY_KIND,
  LAYERS,
  META,
  PORTS,
  SRC_MAC,
  VLAN,
} from '../model/packet-rows.ts';
import { DNS_INSIDE, DONE, NOT_COMMON } from './common.ts';
import type { CommonStacks } from './common-stacks.ts';
import { DNS_PORT, SERVICE, UDP_PORTS } from './ports-of-services.ts';
import { isClientHello } from './tls.ts';

const TCP = 6;
const UDP = 17;
const ALWAYS = HAS_IP | HAS_PORTS | IS_LEAN;
const KIND = HAS_IP | HAS_PORTS | OCCUPIED;

/**
 * The part of the straight path (`parseCommon`) that the meter asks of each packet, for TCP and UDP: a lean row with its key.
 * Answers what `parseCommon` does, or `NOT_COMMON` where only that can tell, and the values are the same
 * (`test/decode/lean.test.ts`). A third of its loads and stores (test/perf/decode.ts).
 */
export function parseLean(
  data: Uint8Array<ArrayBufferLike>,
  view: DataView<ArrayBufferLike>,
  start: number,
  captured: number,
  wire: number,
  one: number,
  words: Int32Array,
  row: number,
  seed: number,
): number {
  if (captured < 42 || captured > wire) return NOT_COMMON;
  let type = view.getUint16(start + 12);
  let at = start + 14;
  let place = one << KIND_INTERFACE_SHIFT;
  if (type === 0x8100) {
    const tag = view.getInt32(at);
    place |= (((tag >>> 16) & 0xfff) + 1) << KIND_VLAN_SHIFT;
    type = tag & 0xffff;
    at += 4;
  }
  const cap = start + captured;
  let next = at + 20;
  let ipBytes = 0;
  let protocol = 0;
  let kind = KIND | place;
  let ends = 0;
  if (type === 0x0800) {
    const first = view.getInt32(at);
    if (first >>> 24 !== 0x45 || at + 28 > cap || (view.getUint16(at + 6) & 0x3fff) !== 0) return NOT_COMMON;
    ipBytes = first & 0xffff;
    protocol = data[at + 9];
    words[row + 3] = view.getInt32(at + 12);
    words[row + 7] = view.getInt32(at + 16);
  } else if (type === 0x86dd) {
    if (at + 48 > cap || data[at] >>> 4 !== 6) return NOT_COMMON;
    next = at + 40;
    ipBytes = 40 + view.getUint16(at + 4);
    protocol = data[at + 6];
    kind |= KIND_IPV6;
    ends = hashEnds(address(view, at + 8, words, row, seed), address(view, at + 24, words, row + 4, seed));
  } else return NOT_COMMON;
  const ipEnd = at + ipBytes;
  if (ipEnd > start + wire) return NOT_COMMON;

  const ports = view.getInt32(next);
  let flags = 0;
  let info = 0;
  let answer = DONE;
  if (protocol === TCP) {
    if (next + 14 > cap) return NOT_COMMON;
    const offsetAndFlags = view.getUint16(next + 12);
    const payload = next + ((offsetAndFlags >>> 12) << 2);
    if (payload < next + 20 || payload > ipEnd) return NOT_COMMON;
    flags = offsetAndFlags & 0xfff;
    info = TCP_INFO[flags & 255];
    if (payload < ipEnd) {
      if (ports >>> 16 === 53 || (ports & 0xffff) === 53 || isClientHello(data, payload, cap)) return NOT_COMMON;
      info = TCP_INFO[(flags & 255) | 256];
    }
  } else if (protocol === UDP) {
    const length = view.getUint16(next + 4);
    if (length < 8 || next + length > ipEnd) return NOT_COMMON;
    const source = UDP_PORTS[ports >>> 16];
    const destination = UDP_PORTS[ports & 0xffff];
    if (((source | destination) & ~(SERVICE | DNS_PORT)) !== 0) return NOT_COMMON;
    if (((source | destination) & DNS_PORT) !== 0) answer = DNS_INSIDE;
    if ((source & ~destination & SERVICE) !== 0) info = ANSWERS;
    if (next + 8 < ipEnd) info |= GOES_ON;
  } else return NOT_COMMON;

  words[row + PORTS] = ports;
  words[row + META] = ALWAYS | protocol;
  words[row + IP_BYTES] = ipBytes;
  words[row + FLAGS] = flags;
  if ((kind & KIND_IPV6) === 0) keyPair(words, row, ports, kind | protocol, info, seed);
  else keyWide(words, row, ports, kind | protocol, info, ends);
  return answer;
}

/** Copies an IPv6 address, and hashes it on its way. */
function address(view: DataView<ArrayBufferLike>, at: number, words: Int32Array, to: number, seed: number): number {
  const a = view.getInt32(at);
  const b = view.getInt32(at + 4);
  const c = view.getInt32(at + 8);
  const d = view.getInt32(at + 12);
  words[to] = a;
  words[to + 1] = b;
  words[to + 2] = c;
  words[to + 3] = d;
  return hashEnd(a, b, c, d, seed);
}

/** Where the UDP payload of the lean row's packet begins, which stands at `start`. */
export function udpPayload(words: Int32Array, row: number, start: number): number {
  const kind = words[row + KEY_KIND];
  return start + (vlanOf(kind) < 0 ? 14 : 18) + ((kind & KIND_IPV6) === 0 ? 20 : 40) + 8;
}

/** Takes what the DNS message said, which stands in the row, into the key's bits. */
export function markNamed(words: Int32Array, row: number): void {
  const meta = words[row + META];
  if ((meta & IS_ANSWER) !== 0) words[row + KEY_INFO] |= ANSWERS;
  if ((words[row + DNS_NAME] | (meta & IS_DNS_RESPONSE)) !== 0) words[row + KEY_INFO] |= SPECIAL | NAMED;
}

/** Writes what the first packet of a flow brings beside the lean row, from the packet at `start`. */
export function completeLean(
  view: DataView<ArrayBufferLike>,
  start: number,
  words: Int32Array,
  row: number,
  stacks: CommonStacks,
): void {
  const kind = words[row + KEY_KIND];
  const vlan = vlanOf(kind);
  const at = start + (vlan < 0 ? 14 : 18);
  const six = (kind & KIND_IPV6) !== 0;
  const first = view.getUint16(at);
  const stack = (six ? 3 : 0) + ((kind & 0xff) === UDP ? 1 : 0);
  words[row + META] = (words[row + META] | HAS_MAC) & ~IS_LEAN;
  words[row + FLAGS] |= (six ? (first >>> 4) & 0xff : first & 0xff) << 16;
  words[row + VLAN] = vlan;
  words[row + INTERFACE] = kind >>> KIND_INTERFACE_SHIFT;
  words[row + ICMP] = 0;
  words[row + LAYERS] = vlan < 0 ? stacks.plain[stack] : stacks.tagged(vlan, stack);
  words[row + DST_MAC] = view.getUint16(start);
  words[row + DST_MAC + 1] = view.getInt32(start + 2);
  words[row + SRC_MAC] = view.getUint16(start + 6);
  words[row + SRC_MAC + 1] = view.getInt32(start + 8);
}

const vlanOf = (kind: number): number => ((kind >>> KIND_VLAN_SHIFT) & 0x1fff) - 1;
