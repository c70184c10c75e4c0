import { looksLikeIp } from './ip-header.ts';
import { layerCode } from './layer-codes.ts';
import { END, ETHERNET, GRE, IP, WLAN } from './step-codes.ts';
import type { Walk } from './walk.ts';

const GUE_LAYER = layerCode('gue');
const FOU_LAYER = layerCode('fou');
const TZSP_LAYER = layerCode('tzsp');
const LISP_LAYER = layerCode('lisp');
const TZSP_PADDING = 0;
const TZSP_LAST = 1;
const TZSP_ETHERNET = 1;
const TZSP_WLAN = 18;
const ETHERIP_VERSION = 0x30;
const GUE_CONTROL = 0x20;
const GUE_DIRECT = 1;

/* EtherIP (RFC 3378, section 3): 0 version 3 (4), reserved (12)   2 Ethernet frame */
export function etherIp(walk: Walk): number {
  if (walk.lacks(2) || walk.data[walk.at] !== ETHERIP_VERSION) return END;
  walk.at += 2;
  return ETHERNET;
}

/*
 * Generic UDP encapsulation (draft-ietf-intarea-gue, section 3): 0 variant (2), control (1), options in words (5)
 *   1 IP protocol   2 flags (16)   4 options; variant 1 is an IP packet itself
 */
export function gue(walk: Walk): number {
  const { data, at } = walk;
  if (at + 4 > walk.cap) return END;
  if (data[at] >>> 6 === GUE_DIRECT) return looksLikeIp(walk, at) ? into(walk, at, IP) : END;
  if (data[at] >>> 6 !== 0 || (data[at] & GUE_CONTROL) !== 0) return END;
  const inner = at + 4 + 4 * (data[at] & 31);
  if (data[at + 1] === 47) return into(walk, inner, GRE);
  return looksLikeIp(walk, inner) ? into(walk, inner, IP) : END;
}

function into(walk: Walk, at: number, step: number): number {
  walk.push(GUE_LAYER);
  walk.at = at;
  return step;
}

/**
 * IP in UDP without any header between them (Linux: ip-fou(8)). Nothing but the packet itself tells it, so its length has to
 * be all that UDP carries.
 */
export function fou(walk: Walk): number {
  const { at, end, view } = walk;
  if (!looksLikeIp(walk, at)) return END;
  const length = walk.data[at] >>> 4 === 4 ? view.getUint16(at + 2) : 40 + view.getUint16(at + 4);
  if (at + length !== end) return END;
  walk.push(FOU_LAYER);
  return IP;
}

/*
 * TaZmen sniffer protocol: 0 version 1   1 type   2 encapsulated protocol (16)   4 tags: type, length, value; 0 padding
 *   and 1 last have neither length nor value
 */
export function tzsp(walk: Walk): number {
  const { data, view, cap } = walk;
  if (walk.at + 5 > cap || data[walk.at] !== 1) return END;
  const protocol = view.getUint16(walk.at + 2);
  let at = walk.at + 4;
  while (at < cap && data[at] !== TZSP_LAST) at += data[at] === TZSP_PADDING || at + 1 >= cap ? 1 : 2 + data[at + 1];
  if (at >= cap || (protocol !== TZSP_ETHERNET && protocol !== TZSP_WLAN)) return END;
  walk.push(TZSP_LAYER);
  walk.at = at + 1;
  return protocol === TZSP_ETHERNET ? ETHERNET : WLAN;
}

/* LISP data (RFC 9300, section 5.1): 0 flags (8), nonce or versions (24)   4 instance or locator status (32)   8 IP */
export function lisp(walk: Walk): number {
  if (!looksLikeIp(walk, walk.at + 8)) return END;
  walk.push(LISP_LAYER);
  walk.at += 8;
  return IP;
}
