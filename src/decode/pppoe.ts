import { causeCode } from './causes.ts';
import { layerCode } from './layer-codes.ts';
import { END, PPP_PROTOCOL } from './step-codes.ts';
import type { Walk } from './walk.ts';

const PPPOE_LAYER = layerCode('pppoe');
const LINK_HEADER = causeCode('link_header');

/*
 * PPPoE session (RFC 2516, section 4): 0 version (4) and type (4), both 1   1 code, 0 for data   2 session (16)
 *   4 length (16)   6 PPP protocol and what it carries
 */
export function pppoe(walk: Walk): number {
  if (walk.lacks(6)) return END;
  const { data, view, at } = walk;
  walk.push(PPPOE_LAYER);
  if (data[at] !== 0x11 || data[at + 1] !== 0) return END;
  const length = view.getUint16(at + 4);
  walk.at = at + 6;
  if (!walk.narrow(length)) walk.count(LINK_HEADER);
  return PPP_PROTOCOL;
}
