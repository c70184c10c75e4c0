import { layerCode } from './layer-codes.ts';
import { END, ETHERNET, IP, PPP_HDLC } from './step-codes.ts';
import type { Walk } from './walk.ts';

const ERF_LAYER = layerCode('erf');
const HEADER = 16;
const EXTENSION = 8;
const MAX_EXTENSIONS = 8;
const MORE = 0x80;
const TYPE = 0x7f;
const ETHERNET_PAD = 2;

/** Record types that carry packets, and what they begin with. */
const STEPS: ReadonlyMap<number, number> = new Map([
  [1, PPP_HDLC],
  [2, ETHERNET],
  [10, PPP_HDLC],
  [11, ETHERNET],
  [15, PPP_HDLC],
  [16, ETHERNET],
  [17, PPP_HDLC],
  [19, PPP_HDLC],
  [20, ETHERNET],
  [22, IP],
  [23, IP],
]);

/*
 * Endace's extensible record format (LINKTYPE_ERF): 0 timestamp (64)   8 more headers (1), type (7)   9 flags
 *   10 record length (16)   12 colour (16)   14 wire length (16)   then extension headers of 8 bytes, each with the bit
 *   "more headers" first; before an Ethernet frame an offset and a padding byte
 */
export function erf(walk: Walk): number {
  if (walk.lacks(HEADER)) return END;
  const { data } = walk;
  const next = STEPS.get(data[walk.at + 8] & TYPE) ?? END;
  let more = (data[walk.at + 8] & MORE) !== 0;
  walk.push(ERF_LAYER);
  walk.at += HEADER;
  for (let i = 0; more && i < MAX_EXTENSIONS; i++) {
    if (walk.lacks(EXTENSION)) return END;
    more = (data[walk.at] & MORE) !== 0;
    walk.at += EXTENSION;
  }
  if (next === ETHERNET) walk.at += ETHERNET_PAD;
  return next;
}
