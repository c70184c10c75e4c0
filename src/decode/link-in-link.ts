import { causeCode } from './causes.ts';
import { layerCode } from './layer-codes.ts';
import { linkStep } from './link-types.ts';
import { END } from './step-codes.ts';
import type { Walk } from './walk.ts';

const PPI_LAYER = layerCode('ppi');
const PKTAP_LAYER = layerCode('pktap');
const PKTAP_PACKET = 1;
const LINK_HEADER = causeCode('link_header');
const LINK_TYPE = causeCode('link_type');

/*
 * PPI (LINKTYPE_PPI), little endian: 0 version 0   1 flags   2 length of header and fields (16)   4 link type (32)
 */
export function ppi(walk: Walk): number {
  if (walk.lacks(8)) return END;
  walk.push(PPI_LAYER);
  return inner(walk, walk.view.getUint16(walk.at + 2, true), walk.view.getUint32(walk.at + 4, true), 8);
}

/*
 * Apple PKTAP (LINKTYPE_PKTAP), little endian: 0 header length (32)   4 record type (32)   8 link type (32)   ...
 */
export function pktap(walk: Walk): number {
  if (walk.lacks(12)) return END;
  if (walk.view.getUint32(walk.at + 4, true) !== PKTAP_PACKET) {
    walk.count(LINK_HEADER);
    return END;
  }
  walk.push(PKTAP_LAYER);
  return inner(walk, walk.view.getUint32(walk.at, true), walk.view.getUint32(walk.at + 8, true), 12);
}

/** A header that says how long it is and which link type follows. */
function inner(walk: Walk, length: number, linkType: number, least: number): number {
  if (length < least || length > 0xffff) {
    walk.count(LINK_HEADER);
    return END;
  }
  if (walk.lacks(length)) return END;
  walk.at += length;
  const step = linkStep(linkType);
  if (step === END) walk.count(LINK_TYPE);
  return step;
}
