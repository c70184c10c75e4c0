import { layerCode } from './layer-codes.ts';
import { END, ETHERNET, IP } from './step-codes.ts';
import type { Walk } from './walk.ts';

const ERSPAN_LAYER = layerCode('erspan');
const FRAME_IP = 2;

/*
 * ERSPAN type II (draft-foschiano-erspan, section 4.2): 0 version (4), VLAN (12)   2 class, trunk, session   4 index
 * The VLAN is the mirrored frame's, whose tag was taken off: it stands in the stack like a tag.
 */
export function erspan2(walk: Walk): number {
  return erspan(walk, 8) ? ETHERNET : END;
}

/*
 * Type III (section 4.3): 0 version (4), VLAN (12)   2 ...   4 timestamp (32)   8 group (16)
 *   10 P (1), frame type (5), hardware (6), D (1), granularity (2), O (1): 8 more bytes follow
 */
export function erspan3(walk: Walk): number {
  if (walk.lacks(12)) return END;
  const last = walk.view.getUint16(walk.at + 10);
  if (!erspan(walk, (last & 1) === 0 ? 12 : 20)) return END;
  return ((last >>> 10) & 31) === FRAME_IP ? IP : ETHERNET;
}

function erspan(walk: Walk, length: number): boolean {
  if (walk.lacks(length)) return false;
  const vlan = walk.view.getUint16(walk.at) & 0xfff;
  walk.push(ERSPAN_LAYER);
  if (vlan !== 0) walk.tag(vlan);
  walk.at += length;
  return true;
}
