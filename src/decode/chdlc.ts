import { layerCode } from './layer-codes.ts';
import { END, ETHERTYPE } from './step-codes.ts';
import type { Walk } from './walk.ts';

const CHDLC_LAYER = layerCode('chdlc');

/*
 * Cisco HDLC (LINKTYPE_C_HDLC): 0 address 0x0f or 0x8f   1 control 0   2 protocol, as an EtherType (16)
 */
export function chdlc(walk: Walk): number {
  if (walk.lacks(4)) return END;
  walk.push(CHDLC_LAYER);
  walk.type = walk.view.getUint16(walk.at + 2);
  walk.at += 4;
  return ETHERTYPE;
}

/** One byte of direction before the frame (LINKTYPE_C_HDLC_WITH_DIR). */
export function chdlcWithDirection(walk: Walk): number {
  if (walk.lacks(1)) return END;
  walk.at++;
  return chdlc(walk);
}
