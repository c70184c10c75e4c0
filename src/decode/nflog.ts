import { causeCode } from './causes.ts';
import { layerCode } from './layer-codes.ts';
import { END, IP } from './step-codes.ts';
import type { Walk } from './walk.ts';

const NFLOG_LAYER = layerCode('nflog');
const LINK_HEADER = causeCode('link_header');
const AF_INET = 2;
const AF_INET6 = 10;
const PAYLOAD = 9;

/*
 * Linux netfilter log (LINKTYPE_NFLOG): 0 family   1 version 0   2 resource (16)   4 attributes, each:
 *   0 length with these four bytes (16)   2 type (16)   4 value, padded to 4; both in the order of the capturing host
 */
export function nflog(walk: Walk): number {
  if (walk.lacks(4)) return END;
  const { data, at } = walk;
  walk.push(NFLOG_LAYER);
  if ((data[at] !== AF_INET && data[at] !== AF_INET6) || data[at + 1] !== 0) return END;
  walk.at = at + 4;
  return payload(walk);
}

function payload(walk: Walk): number {
  const { view } = walk;
  while (!walk.lacks(4)) {
    // Only one of the byte orders gives a length that fits, for types are below 256 and lengths below 65536.
    const little = view.getUint8(walk.at + 3) === 0;
    const length = view.getUint16(walk.at, little);
    if (length < 4) break;
    if ((view.getUint16(walk.at + 2, little) & 0x7fff) === PAYLOAD) {
      walk.at += 4;
      walk.narrow(length - 4);
      return IP;
    }
    walk.at += (length + 3) & ~3;
  }
  walk.count(LINK_HEADER);
  return END;
}
