import { IPV4_WORD_2 } from '../model/address.ts';
import {
  DNS_NAME,
  DNS_TYPE,
  DST_MAC,
  FLAGS,
  HAS_IP,
  HAS_MAC,
  HAS_PAYLOAD,
  HAS_PORTS,
  HAS_TRANSPORT,
  ICMP,
  IDENTIFIER,
  IP_BYTES,
  IS_ANSWER,
  IS_IPV6,
  LAYERS,
  META,
  PORTS,
  SNI,
  SRC_MAC,
  VLAN,
} from '../model/packet-rows.ts';
import type { CommonStacks } from './common-stacks.ts';
import { IDENTIFIED, icmpBits, TYPES_4, TYPES_6 } from './icmp.ts';
import { DNS_PORT, SERVICE, UDP_PORTS } from './ports-of-services.ts';
import { isClientHello } from './tls.ts';

/** What `parseCommon` answers. */
export const NOT_COMMON = 0;
export const DONE = 1;
/** Done, and a DNS message stands behind the UDP header. */
export const DNS_INSIDE = 2;

const ICMP4 = 1;
const TCP = 6;
const UDP = 17;
const ICMP6 = 58;
const ALWAYS = HAS_IP | HAS_TRANSPORT | HAS_MAC;

/**
 * The straight path, for what nearly every packet is: Ethernet, at most one VLAN tag, IPv4 without options or IPv6
 * without extension headers, not fragmented, TCP, UDP or ICMP, nothing contradictory and no port that may open a tunnel.
 * All other packets are `NOT_COMMON` and go through `steps.ts`, which gives the same row for a common one
 * (`test/decode/common.test.ts`). Measured by `test/perf/decode.ts`.
 */
export function parseCommon(
  data: Uint8Array<ArrayBufferLike>,
  view: DataView<ArrayBufferLike>,
  start: number,
  captured: number,
  wire: number,
  words: Int32Array,
  row: number,
  stacks: CommonStacks,
): number {
  if (captured < 42 || captured > wire) return NOT_COMMON;
  let type = view.getUint16(start + 12);
  let at = start + 14;
  let vlan = -1;
  if (type === 0x8100) {
    vlan = view.getUint16(at) & 0xfff;
    type = view.getUint16(at + 2);
    at += 4;
  }
  const cap = start + captured;
  let protocol = 0;
  let tos = 0;
  let ipEnd = 0;
  let ipv6 = 0;
  let next = 0;
  if (type === 0x0800) {
    if (at + 28 > cap || data[at] !== 0x45 || (view.getUint16(at + 6) & 0x3fff) !== 0) return NOT_COMMON;
    ipEnd = at + view.getUint16(at + 2);
    protocol = data[at + 9];
    tos = data[at + 1];
    next = at + 20;
    words[row] = 0;
    words[row + 1] = 0;
    words[row + 2] = IPV4_WORD_2;
    words[row + 3] = view.getInt32(at + 12);
    words[row + 4] = 0;
    words[row + 5] = 0;
    words[row + 6] = IPV4_WORD_2;
    words[row + 7] = view.getInt32(at + 16);
  } else if (type === 0x86dd) {
    if (at + 48 > cap || data[at] >>> 4 !== 6) return NOT_COMMON;
    ipEnd = at + 40 + view.getUint16(at + 4);
    protocol = data[at + 6];
    tos = (view.getUint16(at) >>> 4) & 0xff;
    next = at + 40;
    ipv6 = IS_IPV6;
    words[row] = view.getInt32(at + 8);
    words[row + 1] = view.getInt32(at + 12);
    words[row + 2] = view.getInt32(at + 16);
    words[row + 3] = view.getInt32(at + 20);
    words[row + 4] = view.getInt32(at + 24);
    words[row + 5] = view.getInt32(at + 28);
    words[row + 6] = view.getInt32(at + 32);
    words[row + 7] = view.getInt32(at + 36);
  } else return NOT_COMMON;
  if (ipEnd > start + wire) return NOT_COMMON;

  let answer = DONE;
  let meta = ALWAYS | protocol | ipv6;
  let flags = tos << 16;
  let ports = view.getInt32(next);
  let icmp = 0;
  let identifier = 0;
  let stack = ipv6 === 0 ? 0 : 3;
  if (protocol === TCP) {
    if (next + 14 > cap) return NOT_COMMON;
    const offsetAndFlags = view.getUint16(next + 12);
    const payload = next + ((offsetAndFlags >>> 12) << 2);
    if (payload < next + 20 || payload > ipEnd) return NOT_COMMON;
    flags |= offsetAndFlags & 0xfff;
    meta |= HAS_PORTS;
    if (payload < ipEnd) {
      meta |= HAS_PAYLOAD;
      // Names in TCP are looked for on the other path: one segment a connection.
      if (ports >>> 16 === 53 || (ports & 0xffff) === 53 || isClientHello(data, payload, cap)) return NOT_COMMON;
    }
  } else if (protocol === UDP) {
    const length = view.getUint16(next + 4);
    if (length < 8 || next + length > ipEnd) return NOT_COMMON;
    const source = UDP_PORTS[ports >>> 16];
    const destination = UDP_PORTS[ports & 0xffff];
    if (((source | destination) & ~(SERVICE | DNS_PORT)) !== 0) return NOT_COMMON;
    if (((source | destination) & DNS_PORT) !== 0) answer = DNS_INSIDE;
    meta |= HAS_PORTS;
    if ((source & ~destination & SERVICE) !== 0) meta |= IS_ANSWER;
    if (next + 8 < ipEnd) meta |= HAS_PAYLOAD;
    stack += 1;
  } else if (protocol === (ipv6 === 0 ? ICMP4 : ICMP6)) {
    if (next + 8 > ipEnd) return NOT_COMMON;
    icmp = ports >>> 16;
    const kind = (ipv6 === 0 ? TYPES_4 : TYPES_6)[icmp >>> 8];
    if ((kind & IDENTIFIED) !== 0) identifier = view.getUint16(next + 4);
    meta |= icmpBits(kind);
    if (next + 8 < ipEnd) meta |= HAS_PAYLOAD;
    ports = 0;
    stack += 2;
  } else return NOT_COMMON;

  words[row + PORTS] = ports;
  words[row + META] = meta;
  words[row + IP_BYTES] = ipEnd - next + (ipv6 === 0 ? 20 : 40);
  words[row + FLAGS] = flags;
  words[row + VLAN] = vlan;
  words[row + ICMP] = icmp;
  words[row + LAYERS] = vlan < 0 ? stacks.plain[stack] : stacks.tagged(vlan, stack);
  words[row + DNS_NAME] = 0;
  words[row + SNI] = 0;
  words[row + DST_MAC] = view.getUint16(start);
  words[row + DST_MAC + 1] = view.getInt32(start + 2);
  words[row + SRC_MAC] = view.getUint16(start + 6);
  words[row + SRC_MAC + 1] = view.getInt32(start + 8);
  words[row + IDENTIFIER] = identifier;
  words[row + DNS_TYPE] = 0;
  return answer;
}
