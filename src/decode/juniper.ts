import { causeCode } from './causes.ts';
import { layerCode } from './layer-codes.ts';
import { CHDLC, END, ETHERNET, FRAME_RELAY, IP, PPP } from './step-codes.ts';
import type { Walk } from './walk.ts';

const JUNIPER_LAYER = layerCode('juniper');
const LINK_HEADER = causeCode('link_header');
const MAGIC = 0x4d4743;
const NO_LINK_HEADER = 2;
const EXTENDED = 0x80;

/*
 * Juniper's capture header (LINKTYPE_JUNIPER_ETHER and siblings): 0 magic "MGC"   3 flags   4 with flag 0x80: length of
 *   the extension (16) and the extension   then the frame; with flag 0x02 an address family (32) and the packet alone
 */
function juniper(walk: Walk, frame: number): number {
  if (walk.lacks(6)) return END;
  const { data, view, at } = walk;
  walk.push(JUNIPER_LAYER);
  if (view.getUint32(at) >>> 8 !== MAGIC) {
    walk.count(LINK_HEADER);
    return END;
  }
  const flags = data[at + 3];
  const length = 4 + ((flags & EXTENDED) !== 0 ? 2 + view.getUint16(at + 4) : 0);
  const family = (flags & NO_LINK_HEADER) !== 0 ? 4 : 0;
  if (walk.lacks(length + family)) return END;
  walk.at = at + length + family;
  return family === 0 ? frame : IP;
}

export function juniperEther(walk: Walk): number {
  return juniper(walk, ETHERNET);
}

export function juniperPpp(walk: Walk): number {
  return juniper(walk, PPP);
}

export function juniperFrameRelay(walk: Walk): number {
  return juniper(walk, FRAME_RELAY);
}

export function juniperChdlc(walk: Walk): number {
  return juniper(walk, CHDLC);
}
