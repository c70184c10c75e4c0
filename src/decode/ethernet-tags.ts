import { lengthOrType } from './ethernet.ts';
import { layerCode } from './layer-codes.ts';
import { END, ETHERNET } from './step-codes.ts';
import type { Walk } from './walk.ts';

const PBB_LAYER = layerCode('pbb');
const CFP_LAYER = layerCode('cfp');
const TRILL_LAYER = layerCode('trill');
const ISL_LAYER = layerCode('isl');
const MACSEC_LAYER = layerCode('macsec');
const MACSEC_SCI = 0x20;
const MACSEC_HIDDEN = 0x0c;

/* Provider backbone bridge I-TAG (IEEE 802.1ah, 802.1Q section 9.7): 0 flags   1 I-SID (24)   4 customer frame */
export function pbb(walk: Walk): number {
  return frameBehind(walk, 4, PBB_LAYER);
}

/* Cisco FabricPath behind its EtherType: 0 forwarding tag (10), TTL (6)   2 frame */
export function fabricPath(walk: Walk): number {
  return frameBehind(walk, 2, CFP_LAYER);
}

/* TRILL (RFC 6325, section 3): 0 version (2) ... option words (5 bits, 6..10 of the first 16), hops (6)   2 egress (16)
 *   4 ingress (16)   6 options   frame */
export function trill(walk: Walk): number {
  if (walk.lacks(6)) return END;
  return frameBehind(walk, 6 + 4 * ((walk.view.getUint16(walk.at) >>> 6) & 31), TRILL_LAYER);
}

/* Cisco ISL, before the frame: 0 destination (40), type and user (8)   6 source (48)   12 length (16)   14 AA AA 03
 *   17 high bits of source (24)   20 VLAN (15), BPDU (1)   22 index (16)   24 reserved (16)   26 frame */
export function isl(walk: Walk): number {
  if (walk.lacks(26)) return END;
  const vlan = walk.view.getUint16(walk.at + 20) >>> 1;
  const step = frameBehind(walk, 26, ISL_LAYER);
  walk.tag(vlan & 0xfff);
  return step;
}

function frameBehind(walk: Walk, length: number, layer: number): number {
  if (walk.lacks(length)) return END;
  walk.push(layer);
  walk.at += length;
  return ETHERNET;
}

/**
 * Tags that only say something about the frame, with their bytes between EtherType and EtherType: HSR (IEC 62439-3),
 * VN-tag, E-tag (IEEE 802.1BR), Cisco metadata.
 */
export const PLAIN_TAGS: ReadonlyMap<number, number> = new Map([
  [0x892f, 4],
  [0x8926, 4],
  [0x893f, 6],
  [0x8909, 6],
]);

export function plainTag(walk: Walk): number {
  const length = PLAIN_TAGS.get(walk.type) ?? 0;
  if (walk.lacks(length + 2)) return END;
  walk.at += length;
  return lengthOrType(walk);
}

/* MACsec SecTAG (IEEE 802.1AE, section 9.3): 0 flags (bits 0x0c: not in clear; 0x20: SCI present)   1 short length
 *   2 packet number (32)   6 SCI (64)   frame's EtherType */
export function macsec(walk: Walk): number {
  if (walk.lacks(6)) return END;
  const flags = walk.data[walk.at];
  walk.push(MACSEC_LAYER);
  if ((flags & MACSEC_HIDDEN) !== 0) return END;
  walk.at += (flags & MACSEC_SCI) !== 0 ? 14 : 6;
  return lengthOrType(walk);
}
