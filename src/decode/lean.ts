import {
  ANSWERS,
  GOES_ON,
  KIND_INTERFACE_SHIFT,
  KIND_IPV6,
  KIND_VLAN_SHIFT,
  keyPair,
  keyWide,
  OCCUPIED,
  TCP_INFO,
} from '../model/packet-key.ts';
import { FLAGS, HAS_IP, HAS_PORTS, IP_BYTES, IS_LEAN, META, PORTS } from '../model/packet-rows.ts';
import { SERVICE, UDP_PORTS } from './ports-of-services.ts';
import { isClientHello } from './tls.ts';

const TCP = 6;
const UDP = 17;
const ALWAYS = HAS_IP | HAS_PORTS | IS_LEAN;
const KIND = HAS_IP | HAS_PORTS | OCCUPIED;

/**
 * The part of the straight path (`parseCommon`) that the meter asks of each packet, for TCP and UDP without a name in them:
 * a lean row with its key. False for all other packets; where it is true, `parseCommon` answers `DONE` and gives the
 * same values (`test/decode/lean.test.ts`). A third of the straight path's loads and stores (test/perf/decode.ts).
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
): boolean {
  if (captured < 42 || captured > wire) return false;
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
  if (type === 0x0800) {
    const first = view.getInt32(at);
    if (first >>> 24 !== 0x45 || at + 28 > cap || (view.getUint16(at + 6) & 0x3fff) !== 0) return false;
    ipBytes = first & 0xffff;
    protocol = data[at + 9];
    words[row + 3] = view.getInt32(at + 12);
    words[row + 7] = view.getInt32(at + 16);
  } else if (type === 0x86dd) {
    if (at + 48 > cap || data[at] >>> 4 !== 6) return false;
    next = at + 40;
    ipBytes = 40 + view.getUint16(at + 4);
    protocol = data[at + 6];
    kind |= KIND_IPV6;
    words[row] = view.getInt32(at + 8);
    words[row + 1] = view.getInt32(at + 12);
    words[row + 2] = view.getInt32(at + 16);
    words[row + 3] = view.getInt32(at + 20);
    words[row + 4] = view.getInt32(at + 24);
    words[row + 5] = view.getInt32(at + 28);
    words[row + 6] = view.getInt32(at + 32);
    words[row + 7] = view.getInt32(at + 36);
  } else return false;
  const ipEnd = at + ipBytes;
  if (ipEnd > start + wire) return false;

  const ports = view.getInt32(next);
  let flags = 0;
  let info = 0;
  if (protocol === TCP) {
    if (next + 14 > cap) return false;
    const offsetAndFlags = view.getUint16(next + 12);
    const payload = next + ((offsetAndFlags >>> 12) << 2);
    if (payload < next + 20 || payload > ipEnd) return false;
    flags = offsetAndFlags & 0xfff;
    info = TCP_INFO[flags & 255];
    if (payload < ipEnd) {
      if (ports >>> 16 === 53 || (ports & 0xffff) === 53 || isClientHello(data, payload, cap)) return false;
      info = TCP_INFO[(flags & 255) | 256];
    }
  } else if (protocol === UDP) {
    const length = view.getUint16(next + 4);
    if (length < 8 || next + length > ipEnd) return false;
    const source = UDP_PORTS[ports >>> 16];
    const destination = UDP_PORTS[ports & 0xffff];
    if (((source | destination) & ~SERVICE) !== 0) return false;
    if ((source & ~destination & SERVICE) !== 0) info = ANSWERS;
    if (next + 8 < ipEnd) info |= GOES_ON;
  } else return false;

  words[row + PORTS] = ports;
  words[row + META] = ALWAYS | protocol;
  words[row + IP_BYTES] = ipBytes;
  words[row + FLAGS] = flags;
  if ((kind & KIND_IPV6) === 0) keyPair(words, row, ports, kind | protocol, info, seed);
  else keyWide(words, row, ports, kind | protocol, info, seed);
  return true;
}
