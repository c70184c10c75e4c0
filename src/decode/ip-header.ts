import { HAS_IP, IP_BYTES, IS_IPV6, META } from '../model/packet-rows.ts';
import { causeCode } from './causes.ts';
import type { Walk } from './walk.ts';

const EXCEEDS_FRAME = causeCode('ip_length_exceeds_frame');
const TUNNEL_DEPTH = causeCode('tunnel_depth');

/** True when one more IP header may be opened. */
export function mayOpen(walk: Walk): boolean {
  if (walk.depth === 0) return true;
  if (!walk.tunnels) return false;
  if (walk.depth <= walk.maxTunnels) return true;
  walk.count(TUNNEL_DEPTH);
  return false;
}

/** What follows from an IP packet of `length` bytes at `walk.at`: the row's bytes and where its layer ends. */
export function boundIp(walk: Walk, protocol: number, length: number): void {
  const { words, row } = walk;
  words[row + META] |= HAS_IP | protocol;
  words[row + IP_BYTES] = length;
  walk.ipEnd = walk.at + length;
  if (!walk.narrow(length)) walk.count(EXCEEDS_FRAME);
}

/** Sets the protocol of the row, once extension headers are stepped over. */
export function setProtocol(walk: Walk, protocol: number): void {
  const at = walk.row + META;
  walk.words[at] = (walk.words[at] & ~0xff) | protocol;
}

/**
 * True when the bytes at `at` can be an IP header of a packet that fits into the current layer. For tunnels that no
 * field announces; the version nibble alone is right once in eight times by chance.
 */
export function looksLikeIp(walk: Walk, at: number): boolean {
  if (at >= walk.cap) return false;
  const version = walk.data[at] >>> 4;
  if (version === 4) return looksLikeIPv4(walk, at);
  return version === 6 && at + 40 <= walk.cap && at + 40 + walk.view.getUint16(at + 4) <= walk.end;
}

function looksLikeIPv4(walk: Walk, at: number): boolean {
  if (at + 20 > walk.cap) return false;
  const header = (walk.data[at] & 15) * 4;
  const total = walk.view.getUint16(at + 2);
  return header >= 20 && total >= header && at + total <= walk.end;
}

export function markIPv6(walk: Walk): void {
  walk.words[walk.row + META] |= IS_IPV6;
}
