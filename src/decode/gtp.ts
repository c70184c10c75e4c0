import { looksLikeEthernet, looksLikeIp } from './ip-header.ts';
import { layerCode } from './layer-codes.ts';
import { END, ETHERNET, IP } from './step-codes.ts';
import type { Walk } from './walk.ts';

const GTP_LAYER = layerCode('gtp');
const VERSION_1 = 0x30;
const VERSION_MASK = 0xf0;
const EXTENSION = 4;
const OPTIONAL = 7;
const G_PDU = 255;
const MAX_EXTENSIONS = 8;

/*
 * GTP-U (3GPP TS 29.281, section 5.1): 0 version 1 (3), protocol type 1 (1), spare, E, S, PN   1 message type, 255 data
 *   2 length behind the first 8 bytes (16)   4 tunnel (32)   with any of E, S, PN: 8 sequence (16), N-PDU, next extension
 * Extension header (section 5.2): 0 length in words   its last byte is the type of the next one, 0 for none
 */
export function gtpU(walk: Walk): number {
  const { data, view, at } = walk;
  if (at + 8 > walk.cap) return END;
  if ((data[at] & VERSION_MASK) !== VERSION_1 || data[at + 1] !== G_PDU) return END;
  walk.at = at + 8;
  if (!walk.narrow(view.getUint16(at + 2)) && walk.fragment === 0) return END;
  if ((data[at] & OPTIONAL) !== 0 && !extensions(walk, (data[at] & EXTENSION) !== 0)) return END;
  walk.push(GTP_LAYER);
  if (looksLikeIp(walk, walk.at)) return IP;
  return looksLikeEthernet(walk, walk.at) ? ETHERNET : END;
}

function extensions(walk: Walk, chained: boolean): boolean {
  if (walk.lacks(4)) return false;
  let next = chained ? walk.data[walk.at + 3] : 0;
  walk.at += 4;
  for (let i = 0; next !== 0; i++) {
    if (i === MAX_EXTENSIONS || walk.lacks(4)) return false;
    const length = walk.data[walk.at] * 4;
    if (length === 0 || walk.lacks(length)) return false;
    next = walk.data[walk.at + length - 1];
    walk.at += length;
  }
  return true;
}
