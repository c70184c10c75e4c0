import { layerCode } from './layer-codes.ts';
import { END, LLC } from './step-codes.ts';
import type { Walk } from './walk.ts';

const WLAN_LAYER = layerCode('wlan');
const DATA = 2;
const NO_DATA = 4;
const QOS = 8;
const TO_DS = 1;
const FROM_DS = 2;
const PROTECTED = 0x40;
const ORDER = 0x80;
const AMSDU = 0x80;
const MESH_CONTROL = 1;

/*
 * 802.11 MAC header (IEEE 802.11, section 9.2.3): 0 frame control (16, little endian): version (2), type (2),
 *   subtype (4); flags to DS, from DS, more fragments, retry, power, more data, protected, +HTC
 *   2 duration   4 address 1   10 address 2   16 address 3   22 fragment (4), sequence (12)
 *   24 address 4 (both DS bits)   QoS control (16; QoS data)   HT control (32; +HTC on QoS data)
 * A body in clear is LLC; an A-MSDU (section 9.3.2.2) is a row of frames, of which the first is the row's.
 */
export function wlan(walk: Walk): number {
  if (walk.lacks(2)) return END;
  return header(walk, walk.data[walk.at], walk.data[walk.at + 1]);
}

/** The same with the bytes of frame control exchanged, as access points of one maker send them over CAPWAP. */
export function wlanEitherOrder(walk: Walk): number {
  if (walk.lacks(2)) return END;
  const { data, at } = walk;
  const swapped = (data[at] & 3) !== 0;
  return header(walk, data[swapped ? at + 1 : at], data[swapped ? at : at + 1]);
}

function header(walk: Walk, control: number, flags: number): number {
  walk.push(WLAN_LAYER);
  const subtype = control >>> 4;
  if ((control & 3) !== 0 || ((control >>> 2) & 3) !== DATA || (subtype & NO_DATA) !== 0) return END;
  const both = (flags & (TO_DS | FROM_DS)) === (TO_DS | FROM_DS);
  let length = both ? 30 : 24;
  const qos = (subtype & QOS) !== 0 ? length : 0;
  if (qos !== 0) length += (flags & ORDER) !== 0 ? 6 : 2;
  if (walk.lacks(length)) return END;
  if ((flags & PROTECTED) !== 0 || (walk.data[walk.at + 22] & 15) !== 0) return END;
  noteAddresses(walk, flags);
  return body(walk, length, qos === 0 ? 0 : walk.view.getUint16(walk.at + qos, true), both);
}

/** Which address is whose follows from the DS bits (section 9.3.2.1, table 9-60). */
function noteAddresses(walk: Walk, flags: number): void {
  const { at } = walk;
  const toDs = (flags & TO_DS) !== 0;
  const fromDs = (flags & FROM_DS) !== 0;
  walk.destinationMacAt = at + (toDs ? 16 : 4);
  walk.sourceMacAt = at + (fromDs ? (toDs ? 24 : 16) : 10);
}

function body(walk: Walk, length: number, qos: number, both: boolean): number {
  // The driver may pad the header to words; radiotap says so.
  walk.at += walk.padded ? (length + 3) & ~3 : length;
  if (both && (qos >>> 8) & MESH_CONTROL) {
    if (walk.lacks(6)) return END;
    walk.at += 6 + 6 * (walk.data[walk.at] & 3);
  }
  if ((qos & AMSDU) === 0) return LLC;
  if (walk.lacks(14)) return END;
  walk.destinationMacAt = walk.at;
  walk.sourceMacAt = walk.at + 6;
  const inner = walk.view.getUint16(walk.at + 12);
  walk.at += 14;
  walk.narrow(inner);
  return LLC;
}
