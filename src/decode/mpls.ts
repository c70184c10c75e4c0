import { looksLikeEthernet, looksLikeIp, looksLikeLlcFrame } from './ip-header.ts';
import { layerCode } from './layer-codes.ts';
import { END, ETHERNET, IP, MPLS } from './step-codes.ts';
import type { Walk } from './walk.ts';

const MPLS_LAYER = layerCode('mpls');
const PSEUDOWIRE = layerCode('pw');
const GENERIC_ASSOCIATED_CHANNEL = 13;
const BOTTOM_OF_STACK = 0x100;
const MAX_LABELS = 16;

/*
 * MPLS label stack (RFC 3032, section 2.1), an entry: label (20), traffic class (3), bottom of stack (1), TTL (8)
 */
export function mpls(walk: Walk): number {
  walk.push(MPLS_LAYER);
  for (let i = 0; i < MAX_LABELS; i++) {
    if (walk.lacks(4)) return END;
    const entry = walk.view.getUint32(walk.at);
    walk.at += 4;
    if (entry >>> 12 === GENERIC_ASSOCIATED_CHANNEL) return END;
    if ((entry & BOTTOM_OF_STACK) !== 0) return payload(walk);
  }
  return END;
}

/**
 * The stack does not say what it carries. An IP packet shows its version (RFC 4928, section 3); a pseudowire of Ethernet
 * begins with a control word of nibble 0 (RFC 4448, section 4.6) or with the frame itself. Each must look right.
 */
function payload(walk: Walk): number {
  const { at } = walk;
  const nibble = at < walk.cap ? walk.data[at] >>> 4 : 0;
  if (looksLikeIp(walk, at)) return IP;
  if (nibble === 0 && looksLikeEthernet(walk, at + 4)) return frame(walk, at + 4);
  if (looksLikeEthernet(walk, at)) return frame(walk, at);
  if (nibble === 4 || nibble === 6) return IP;
  if (nibble === 0 && looksLikeLlcFrame(walk, at + 4)) return frame(walk, at + 4);
  return looksLikeLlcFrame(walk, at) ? frame(walk, at) : END;
}

/** MPLS in UDP (RFC 7510): the stack has to end, and something known has to stand behind it. */
export function mplsInUdp(walk: Walk): number {
  const { view, cap } = walk;
  let { at } = walk;
  let labels = 1;
  for (; at + 4 <= cap && (view.getUint32(at) & BOTTOM_OF_STACK) === 0; at += 4)
    if (labels++ === MAX_LABELS) return END;
  at += 4;
  const known = looksLikeIp(walk, at) || looksLikeEthernet(walk, at) || looksLikeEthernet(walk, at + 4);
  return known ? MPLS : END;
}

function frame(walk: Walk, at: number): number {
  walk.push(PSEUDOWIRE);
  walk.at = at;
  return ETHERNET;
}
