import { causeCode } from './causes.ts';
import { layerCode } from './layer-codes.ts';
import { END, ETHERNET, ETHERTYPE } from './step-codes.ts';
import type { Walk } from './walk.ts';

const GENEVE_LAYER = layerCode('geneve');
const TUNNEL_HEADER = causeCode('tunnel_header');
const TRANSPARENT_ETHERNET = 0x6558;

/*
 * Geneve (RFC 8926, section 3.4): 0 version 0 (2), options in words (6)   1 flags   2 protocol, as an EtherType (16)
 *   4 network identifier (24)   8 options
 */
export function geneve(walk: Walk): number {
  if (walk.lacks(8)) return END;
  const { data, view, at } = walk;
  if (data[at] >>> 6 !== 0) {
    walk.count(TUNNEL_HEADER);
    return END;
  }
  walk.push(GENEVE_LAYER);
  walk.type = view.getUint16(at + 2);
  walk.at = at + 8 + 4 * (data[at] & 0x3f);
  return walk.type === TRANSPARENT_ETHERNET ? ETHERNET : ETHERTYPE;
}
