import { layerCode } from './layer-codes.ts';
import { END, ETHERTYPE, LLC } from './step-codes.ts';
import type { Walk } from './walk.ts';

const FDDI_LAYER = layerCode('fddi');
const TOKEN_RING_LAYER = layerCode('tr');
const IEEE1394_LAYER = layerCode('ieee1394');

/*
 * FDDI (ISO 9314-2): 0 frame control, LLC frames 0x50..0x57   1 destination (48)   7 source (48)   13 LLC
 */
export function fddi(walk: Walk): number {
  if (walk.lacks(13)) return END;
  walk.push(FDDI_LAYER);
  const control = walk.data[walk.at];
  walk.destinationMacAt = walk.at + 1;
  walk.sourceMacAt = walk.at + 7;
  walk.at += 13;
  return (control & 0xf0) === 0x50 ? LLC : END;
}

/*
 * Token ring (IEEE 802.5, section 3.2): 0 access control   1 frame control, LLC frames 0x40   2 destination (48)
 *   8 source (48); its first bit says that routing (length in the low 5 bits of its first byte) follows   14 LLC
 */
export function tokenRing(walk: Walk): number {
  if (walk.lacks(15)) return END;
  const { data, at } = walk;
  walk.push(TOKEN_RING_LAYER);
  walk.destinationMacAt = at + 2;
  walk.sourceMacAt = at + 8;
  const routing = (data[at + 8] & 0x80) !== 0 ? data[at + 14] & 31 : 0;
  walk.at = at + 14 + routing;
  return (data[at + 1] & 0xc0) === 0x40 ? LLC : END;
}

/*
 * IP over IEEE 1394 (LINKTYPE_APPLE_IP_OVER_IEEE1394): 0 destination (64)   8 source (64)   16 EtherType (16)
 */
export function ieee1394(walk: Walk): number {
  if (walk.lacks(18)) return END;
  walk.push(IEEE1394_LAYER);
  walk.type = walk.view.getUint16(walk.at + 16);
  walk.at += 18;
  return ETHERTYPE;
}
