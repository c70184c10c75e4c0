import { looksLikeEthernet } from './ip-header.ts';
import { layerCode } from './layer-codes.ts';
import { END, ETHERNET, PPP } from './step-codes.ts';
import type { Walk } from './walk.ts';

const L2TP_LAYER = layerCode('l2tp');
const CONTROL = 0x8000;
const LENGTH = 0x4000;
const SEQUENCE = 0x0800;
const OFFSET = 0x0200;
const VERSION = 0x000f;
/** Cookie and sublayer of version 3 are agreed upon elsewhere: 0, 4 or 8 and 0 or 4 bytes. */
const MAX_UNKNOWN = 12;

/*
 * L2TP version 2 data message (RFC 2661, section 3.1): 0 T, L, S, O, P flags, version (4)   then with L: length (16),
 *   tunnel (16), session (16), with S: Ns, Nr (32), with O: offset size (16) and that many bytes   PPP frame
 * Version 3 over UDP (RFC 3931, section 4.1.2.1): 0 flags, version (16)   2 reserved (16)   4 session (32)   ...
 */
export function l2tp(walk: Walk): number {
  if (walk.at + 8 > walk.cap) return END;
  const flags = walk.view.getUint16(walk.at);
  const version = flags & VERSION;
  if ((flags & CONTROL) !== 0 || version < 2 || version > 3) return END;
  if (version === 3) {
    walk.push(L2TP_LAYER);
    return frameAfterCookie(walk, 8);
  }
  let length = (flags & LENGTH) === 0 ? 6 : 8;
  if ((flags & SEQUENCE) !== 0) length += 4;
  if ((flags & OFFSET) !== 0) {
    if (walk.lacks(length + 2)) return END;
    length += 2 + walk.view.getUint16(walk.at + length);
  }
  if (walk.lacks(length)) return END;
  walk.push(L2TP_LAYER);
  walk.at += length;
  return PPP;
}

/* Version 3 behind the IP header (section 4.1.1.1): 0 session, 0 for control (32)   ... */
export function l2tpIp(walk: Walk): number {
  if (walk.lacks(4) || walk.view.getUint32(walk.at) === 0) return END;
  return frameAfterCookie(walk, 4);
}

function frameAfterCookie(walk: Walk, header: number): number {
  for (let unknown = 0; unknown <= MAX_UNKNOWN; unknown += 4) {
    if (!looksLikeEthernet(walk, walk.at + header + unknown)) continue;
    walk.at += header + unknown;
    return ETHERNET;
  }
  return END;
}
