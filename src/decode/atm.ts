import { layerCode } from './layer-codes.ts';
import { END, ETHERNET, IP, LLC } from './step-codes.ts';
import type { Walk } from './walk.ts';

const ATM_LAYER = layerCode('atm');
const LANE = 1;
const LLC_TRAFFIC = 2;
const SNAP_IN_LLC = 0xaaaa;

/*
 * SunATM (LINKTYPE_SUNATM): 0 direction (1), traffic type (low 4 bits)   1 VPI   2 VCI (16)
 */
export function sunAtm(walk: Walk): number {
  if (walk.lacks(4)) return END;
  walk.push(ATM_LAYER);
  const traffic = walk.data[walk.at] & 15;
  walk.at += 4;
  if (traffic === LLC_TRAFFIC) return LLC;
  if (traffic !== LANE || walk.lacks(2)) return END;
  // LAN emulation puts two bytes of client id before the frame.
  walk.at += 2;
  return ETHERNET;
}

/* Classical IP over ATM (LINKTYPE_LINUX_ATM_CLIP, RFC 2684): LLC and SNAP, or the bare IP packet. */
export function atmClip(walk: Walk): number {
  if (walk.lacks(2)) return END;
  walk.push(ATM_LAYER);
  return walk.view.getUint16(walk.at) === SNAP_IN_LLC ? LLC : IP;
}

/* Multiprotocol over AAL5 (LINKTYPE_ATM_RFC1483, RFC 2684 section 5): LLC. */
export function atmLlc(walk: Walk): number {
  walk.push(ATM_LAYER);
  return LLC;
}
