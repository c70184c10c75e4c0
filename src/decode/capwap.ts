import { layerCode } from './layer-codes.ts';
import { CAPWAP_WLAN, END, ETHERNET } from './step-codes.ts';
import type { Walk } from './walk.ts';

const CAPWAP_LAYER = layerCode('capwap');
const NATIVE = 0x100;
const FRAGMENT = 0x80;
const KEEP_ALIVE = 0x08;
const IEEE_802_11 = 1;

/*
 * CAPWAP data channel (RFC 5415, section 4.3): 0 version 0 (4), type 0 (4; 1 is DTLS)   1 header length in words (5),
 *   radio (5), binding (5), T, F, L, W, M, K, flags (3)   4 fragment id (16)   6 fragment offset (13) ...
 */
export function capwap(walk: Walk): number {
  const { data, view, at } = walk;
  if (at + 8 > walk.cap || data[at] !== 0) return END;
  const word = view.getUint32(at) & 0xffffff;
  const length = (word >>> 19) * 4;
  if (length < 8 || (word & KEEP_ALIVE) !== 0) return END;
  if ((word & FRAGMENT) !== 0 && view.getUint16(at + 6) >>> 3 !== 0) return END;
  walk.push(CAPWAP_LAYER);
  walk.at = at + length;
  if ((word & NATIVE) === 0) return ETHERNET;
  return ((word >>> 9) & 31) === IEEE_802_11 ? CAPWAP_WLAN : END;
}
