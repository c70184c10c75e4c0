import { HAS_PAYLOAD, HAS_PORTS, HAS_TRANSPORT, META, PORTS } from '../model/packet-rows.ts';
import { END } from './step-codes.ts';
import type { Walk } from './walk.ts';

/*
 * SCTP common header (RFC 9260, section 3.1): 0 source port   2 destination port   4 tag (32)   8 checksum (32)
 */
export function sctp(walk: Walk): number {
  return ported(walk, 12);
}

/*
 * DCCP generic header (RFC 4340, section 5.1): 0 source port   2 destination port   4 data offset in words ...
 */
export function dccp(walk: Walk): number {
  return ported(walk, 12);
}

function ported(walk: Walk, header: number): number {
  if (walk.lacks(4)) return END;
  const { words, row, view, at } = walk;
  words[row + PORTS] = view.getInt32(at);
  words[row + META] |= HAS_PORTS;
  if (walk.lacks(header)) return END;
  words[row + META] |= HAS_TRANSPORT | (at + header < walk.ipEnd ? HAS_PAYLOAD : 0);
  return END;
}
