import { causeCode } from './causes.ts';
import { layerCode } from './layer-codes.ts';
import { END, WLAN } from './step-codes.ts';
import type { Walk } from './walk.ts';

const RADIOTAP_LAYER = layerCode('radiotap');
const PRISM_LAYER = layerCode('prism');
const AVS_LAYER = layerCode('avs');
const LINK_HEADER = causeCode('link_header');
const HAS_TSFT = 1;
const HAS_FLAGS = 2;
const EXTENDED = 0x80000000;
const FLAG_FCS = 0x10;
const FLAG_PADDED = 0x20;
const FCS = 4;
const AVS_MAGIC = 0x80211000;

/*
 * Radiotap (radiotap.org), little endian: 0 version 0   1 pad   2 length (16)   4 present (32; bit 31: one more word)
 *   then the fields present in order of their bits, aligned to their size: TSFT (64), flags (8), ...
 */
export function radiotap(walk: Walk): number {
  if (walk.lacks(8)) return END;
  const { view, at } = walk;
  walk.push(RADIOTAP_LAYER);
  const length = view.getUint16(at + 2, true);
  if (length < 8) {
    walk.count(LINK_HEADER);
    return END;
  }
  if (walk.lacks(length)) return END;
  const flags = radiotapFlags(walk, length);
  walk.padded = (flags & FLAG_PADDED) !== 0;
  walk.at = at + length;
  if ((flags & FLAG_FCS) !== 0 && walk.end - walk.at > FCS) walk.narrow(walk.end - walk.at - FCS);
  return WLAN;
}

function radiotapFlags(walk: Walk, length: number): number {
  const { view, at } = walk;
  const present = view.getUint32(at + 4, true);
  if ((present & HAS_FLAGS) === 0) return 0;
  let offset = 8;
  for (let word = present; (word & EXTENDED) !== 0 && offset + 4 <= length; offset += 4) {
    word = view.getUint32(at + offset, true);
  }
  if ((present & HAS_TSFT) !== 0) offset = ((offset + 7) & ~7) + 8;
  return offset < length ? view.getUint8(at + offset) : 0;
}

/*
 * Prism (LINKTYPE_IEEE802_11_PRISM): 0 message code (32)   4 length of the whole header (32), host order
 * The AVS header came in its place: 0 magic 0x80211001 (32)   4 length (32), network order (LINKTYPE_IEEE802_11_AVS)
 */
export function prismOrAvs(walk: Walk): number {
  if (walk.lacks(8)) return END;
  const { view, at } = walk;
  const avs = (view.getUint32(at) & 0xfffff000) >>> 0 === AVS_MAGIC;
  const big = view.getUint32(at + 4);
  const length = avs || big <= 0xffff ? big : view.getUint32(at + 4, true);
  walk.push(avs ? AVS_LAYER : PRISM_LAYER);
  if (length < 8 || length > 0xffff) {
    walk.count(LINK_HEADER);
    return END;
  }
  if (walk.lacks(length)) return END;
  walk.at = at + length;
  return WLAN;
}
