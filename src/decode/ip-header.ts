import { HAS_IP, IP_BYTES, IS_IPV6, META } from '../model/packet-rows.ts';
import { causeCode } from './causes.ts';
import { FIRST_FRAGMENT, type Walk } from './walk.ts';

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
  return version === 6 && at + 40 <= walk.cap && fits(walk, at + 40 + walk.view.getUint16(at + 4));
}

function looksLikeIPv4(walk: Walk, at: number): boolean {
  if (at + 20 > walk.cap) return false;
  const header = (walk.data[at] & 15) * 4;
  const total = walk.view.getUint16(at + 2);
  return header >= 20 && total >= header && fits(walk, at + total);
}

/** The first fragment of a datagram holds the beginning of a longer packet. */
function fits(walk: Walk, end: number): boolean {
  return end <= walk.end || walk.fragment === FIRST_FRAGMENT;
}

const TAGS = [0x8100, 0x88a8, 0x9100];
const OTHERS = [0x0806, 0x8847, 0x8848, 0x8863, 0x8864, 0x88cc, 0x888e];
/** Destination SAPs of LLC that stand in real frames: SNAP, spanning tree, OSI, NetBIOS, NetWare, null. */
const SAPS = [0xaa, 0x42, 0xfe, 0xf0, 0xe0, 0x00];

/** True when the bytes at `at` can be an Ethernet frame: up to two VLAN tags and something known behind them. */
export function looksLikeEthernet(walk: Walk, at: number): boolean {
  const { view, cap } = walk;
  for (let type = at + 12, tags = 0; type + 2 <= cap && tags <= 2; type += 4, tags++) {
    const value = view.getUint16(type);
    if (value === 0x0800 || value === 0x86dd) return looksLikeIp(walk, type + 2);
    if (!TAGS.includes(value)) return OTHERS.includes(value);
  }
  return false;
}

/** The same for a frame of IEEE 802.3 with LLC: weaker, for a length and a SAP are small numbers. */
export function looksLikeLlcFrame(walk: Walk, at: number): boolean {
  const length = at + 15 <= walk.cap ? walk.view.getUint16(at + 12) : 0;
  return length >= 3 && length <= 1500 && fits(walk, at + 14 + length) && SAPS.includes(walk.data[at + 14]);
}

export function markIPv6(walk: Walk): void {
  walk.words[walk.row + META] |= IS_IPV6;
}
