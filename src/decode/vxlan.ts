import { causeCode } from './causes.ts';
import { looksLikeEthernet } from './ip-header.ts';
import { layerCode } from './layer-codes.ts';
import { END, ETHERNET, IP, MPLS, NSH } from './step-codes.ts';
import type { Walk } from './walk.ts';

const VXLAN_LAYER = layerCode('vxlan');
const NSH_LAYER = layerCode('nsh');
const TUNNEL_HEADER = causeCode('tunnel_header');
const NETWORK_ID = 0x08;
/** The first four bytes of a header without anything but the network identifier. */
const PLAIN = 0x08000000;
const NEXT_PROTOCOL = 0x04;

/*
 * VXLAN (RFC 7348, section 5): 0 flags, 0x08: network identifier is valid   4 identifier (24)   8 Ethernet frame
 */
export function vxlan(walk: Walk): number {
  if (walk.lacks(8)) return END;
  if (!plausible(walk)) return contradiction(walk);
  walk.push(VXLAN_LAYER);
  walk.at += 8;
  return ETHERNET;
}

/** Reserved bits are zero; where a sender uses them (group policy, others), an Ethernet frame has to stand behind them. */
function plausible(walk: Walk): boolean {
  const { data, view, at } = walk;
  if ((data[at] & NETWORK_ID) === 0) return false;
  const unreserved = view.getUint32(at) === PLAIN && data[at + 7] === 0;
  return unreserved || looksLikeEthernet(walk, at + 8);
}

/*
 * VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe, section 3): the same with flag 0x04: 1 reserved (16)   3 next protocol   7 reserved
 */
export function vxlanGpe(walk: Walk): number {
  if (walk.lacks(8)) return END;
  const { data, at } = walk;
  if ((data[at] & (NETWORK_ID | NEXT_PROTOCOL)) === 0) return contradiction(walk);
  if (data[at + 1] !== 0 || data[at + 2] !== 0 || data[at + 7] !== 0) return contradiction(walk);
  walk.push(VXLAN_LAYER);
  walk.at = at + 8;
  return (data[at] & NEXT_PROTOCOL) === 0 ? ETHERNET : nextProtocol(data[at + 3]);
}

/*
 * Network service header (RFC 8300, section 2.2): 0 version (2) ... length in words (6 last of 16)   2 metadata type
 *   3 next protocol
 */
export function nsh(walk: Walk): number {
  if (walk.lacks(8)) return END;
  const { data, view, at } = walk;
  const length = (view.getUint16(at) & 0x3f) * 4;
  if (length < 8) return contradiction(walk);
  walk.push(NSH_LAYER);
  walk.at = at + length;
  return nextProtocol(data[at + 3]);
}

/** Next protocol numbers that VXLAN-GPE and NSH share. */
function nextProtocol(value: number): number {
  if (value === 1 || value === 2) return IP;
  if (value === 3) return ETHERNET;
  if (value === 4) return NSH;
  return value === 5 ? MPLS : END;
}

function contradiction(walk: Walk): number {
  walk.count(TUNNEL_HEADER);
  return END;
}
