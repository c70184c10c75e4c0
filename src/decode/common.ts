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
import { SERVICE, UDP_PORTS } from './ports-of-services.ts';
import { isClientHello } from './tls.ts';

const TCP = 6;
const UDP = 17;
const ALL = HAS_IP | HAS_PORTS | HAS_TRANSPORT | HAS_MAC;

/**
 * The straight path, for what nearly every packet is: Ethernet, at most one VLAN tag, IPv4 without options or IPv6
 * without extension headers, not fragmented, TCP or UDP, nothing contradictory and no port that may open a tunnel. All
 * other packets are `false` and go through `steps.ts`, which gives the same row for a common one
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
): boolean {
  if (captured < 42 || captured > wire) return false;
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
    if (at + 28 > cap || data[at] !== 0x45 || (view.getUint16(at + 6) & 0x3fff) !== 0) return false;
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
    if (at + 48 > cap || data[at] >>> 4 !== 6) return false;
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
  } else return false;
  if (ipEnd > start + wire) return false;

  let meta = ALL | protocol | ipv6;
  let flags = tos << 16;
  const ports = view.getInt32(next);
  if (protocol === TCP) {
    if (next + 14 > cap) return false;
    const offsetAndFlags = view.getUint16(next + 12);
    const payload = next + ((offsetAndFlags >>> 12) << 2);
    if (payload < next + 20 || payload > ipEnd) return false;
    flags |= offsetAndFlags & 0xfff;
    if (payload < ipEnd) {
      meta |= HAS_PAYLOAD;
      // Names are looked for on the other path.
      if (ports >>> 16 === 53 || (ports & 0xffff) === 53 || isClientHello(data, payload, cap)) return false;
    }
  } else if (protocol === UDP) {
    const length = view.getUint16(next + 4);
    if (length < 8 || next + length > ipEnd) return false;
    const source = UDP_PORTS[ports >>> 16];
    const destination = UDP_PORTS[ports & 0xffff];
    if (((source | destination) & ~SERVICE) !== 0) return false;
    if ((source & ~destination & SERVICE) !== 0) meta |= IS_ANSWER;
    if (next + 8 < ipEnd) meta |= HAS_PAYLOAD;
  } else return false;

  words[row + PORTS] = ports;
  words[row + META] = meta;
  words[row + IP_BYTES] = ipEnd - next + (ipv6 === 0 ? 20 : 40);
  words[row + FLAGS] = flags;
  words[row + VLAN] = vlan;
  words[row + ICMP] = 0;
  words[row + LAYERS] = vlan < 0 ? stacks.plain[stackOf(protocol, ipv6)] : stacks.tagged(vlan, stackOf(protocol, ipv6));
  words[row + DNS_NAME] = 0;
  words[row + SNI] = 0;
  words[row + DST_MAC] = view.getUint16(start);
  words[row + DST_MAC + 1] = view.getInt32(start + 2);
  words[row + SRC_MAC] = view.getUint16(start + 6);
  words[row + SRC_MAC + 1] = view.getInt32(start + 8);
  words[row + IDENTIFIER] = 0;
  words[row + DNS_TYPE] = 0;
  return true;
}

/** Index in `CommonStacks`. */
function stackOf(protocol: number, ipv6: number): number {
  return (protocol === TCP ? 0 : 1) | (ipv6 === 0 ? 0 : 2);
}
