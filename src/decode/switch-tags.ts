import { lengthOrType } from './ethernet.ts';
import { layerCode } from './layer-codes.ts';
import { END, ETHERNET } from './step-codes.ts';
import type { Walk } from './walk.ts';

const ETH = layerCode('eth');
const DSA_LAYER = layerCode('dsa');
const BRCM_LAYER = layerCode('brcm');
const TAG = 4;

/*
 * Marvell DSA tag between source address and EtherType (LINKTYPE_DSA_TAG_DSA): 0 mode (2), tagged (1), device (5)
 *   1 port ...   2 priority (3), VLAN id (12 of the last 16 bits)
 */
export function dsa(walk: Walk): number {
  return tagged(walk, 0);
}

/* With an EtherType and two zero bytes before the tag (LINKTYPE_DSA_TAG_EDSA). */
export function edsa(walk: Walk): number {
  return tagged(walk, TAG);
}

function tagged(walk: Walk, before: number): number {
  if (walk.lacks(12 + before + TAG)) return END;
  const { data, view } = walk;
  addresses(walk);
  walk.push(DSA_LAYER);
  const tag = walk.at + before;
  if ((data[tag] & 0x20) !== 0) walk.tag(view.getUint16(tag + 2) & 0xfff);
  walk.at = tag + TAG;
  return lengthOrType(walk);
}

/* Broadcom tag of four bytes between source address and EtherType (LINKTYPE_DSA_TAG_BRCM) ... */
export function brcm(walk: Walk): number {
  if (walk.lacks(12 + TAG)) return END;
  addresses(walk);
  walk.push(BRCM_LAYER);
  walk.at += TAG;
  return lengthOrType(walk);
}

/* ... or before the frame (LINKTYPE_DSA_TAG_BRCM_PREPEND). */
export function brcmPrepend(walk: Walk): number {
  if (walk.lacks(TAG)) return END;
  walk.push(BRCM_LAYER);
  walk.at += TAG;
  return ETHERNET;
}

function addresses(walk: Walk): void {
  walk.push(ETH);
  walk.destinationMacAt = walk.at;
  walk.sourceMacAt = walk.at + 6;
  walk.at += 12;
}
