import { looksLikeIp } from './ip-header.ts';
import { layerCode } from './layer-codes.ts';
import { END, IPV6 } from './step-codes.ts';
import type { Walk } from './walk.ts';

const TEREDO_LAYER = layerCode('teredo');
const AUTHENTICATION = 1;
const ORIGIN = 0;
const NONCE_AND_CONFIRMATION = 9;

/*
 * Teredo (RFC 4380, section 5.1.1): optional authentication: 0 0x0001 (16)   2 id length   3 authentication length
 *   4 id, authentication, nonce (64), confirmation (8); optional origin: 0 0x0000 (16)   2 port (16)   4 address (32);
 *   then an IPv6 packet
 */
export function teredo(walk: Walk): number {
  const { data, view, cap } = walk;
  let { at } = walk;
  if (at + 4 <= cap && view.getUint16(at) === AUTHENTICATION) {
    at += 4 + data[at + 2] + data[at + 3] + NONCE_AND_CONFIRMATION;
  }
  if (at + 2 <= cap && view.getUint16(at) === ORIGIN) at += 8;
  if (!looksLikeIp(walk, at) || data[at] >>> 4 !== 6) return END;
  walk.push(TEREDO_LAYER);
  walk.at = at;
  return IPV6;
}
