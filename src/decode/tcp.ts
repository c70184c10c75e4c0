import { FLAGS, HAS_PAYLOAD, HAS_PORTS, HAS_TRANSPORT, META, PORTS } from '../model/packet-rows.ts';
import { causeCode } from './causes.ts';
import { END } from './step-codes.ts';
import type { Walk } from './walk.ts';

const HEADER_LENGTH = causeCode('tcp_header_length');
const MIN_HEADER = 20;

/*
 * TCP header (RFC 9293, section 3.1):
 *   0 source port (16)   2 destination port (16)   4 sequence (32)   8 acknowledgement (32)
 *   12 data offset in words (4), control bits (12)   14 window   16 checksum   18 urgent   20 options
 */
export function tcp(walk: Walk): number {
  if (walk.lacks(4)) return END;
  const { words, row, view, at } = walk;
  words[row + PORTS] = view.getInt32(at);
  words[row + META] |= HAS_PORTS;
  if (walk.lacks(14)) return END;
  const offsetAndFlags = view.getUint16(at + 12);
  words[row + FLAGS] |= offsetAndFlags & 0xfff;
  words[row + META] |= HAS_TRANSPORT;
  const header = (offsetAndFlags >>> 12) * 4;
  if (header < MIN_HEADER || at + header > walk.ipEnd) {
    walk.count(HEADER_LENGTH);
    return END;
  }
  if (at + header === walk.ipEnd) return END;
  words[row + META] |= HAS_PAYLOAD;
  walk.at = at + header;
  walk.inside.tcp(walk.data, walk.at, walk.cap, walk.end, view.getInt32(at), words, row);
  return END;
}
