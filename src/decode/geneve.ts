import { causeCode } from './causes.ts';
import { layerCode } from './layer-codes.ts';
import { END, ETHERNET, ETHERTYPE } from './step-codes.ts';
import type { Walk } from './walk.ts';

const GENEVE_LAYER = layerCode('geneve');
const TUNNEL_HEADER = causeCode('tunnel_header');
const TRANSPARENT_ETHERNET = 0x6558;
const RESERVED = 0x3f;
const FIRST_ETHERTYPE = 0x0600;

/*
 * Geneve (RFC 8926, section 3.4): 0 version 0 (2), options in words (6)   1 flags   2 protocol, as an EtherType (16)
 *   4 network identifier (24)   7 reserved   8 options. What is reserved is zero: other applications use the port, too.
 */
export function geneve(walk: Walk): number {
  if (walk.lacks(8)) return END;
  const { data, view, at } = walk;
  const type = view.getUint16(at + 2);
  if (data[at] >>> 6 !== 0 || (data[at + 1] & RESERVED) !== 0 || data[at + 7] !== 0 || type < FIRST_ETHERTYPE) {
    walk.count(TUNNEL_HEADER);
    return END;
  }
  walk.push(GENEVE_LAYER);
  walk.type = type;
  walk.at = at + 8 + 4 * (data[at] & 0x3f);
  return walk.type === TRANSPARENT_ETHERNET ? ETHERNET : ETHERTYPE;
}
