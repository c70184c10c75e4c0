import { FLAGS } from '../model/packet-rows.ts';
import { causeCode } from './causes.ts';
import { boundIp, markIPv6, mayOpen, setProtocol } from './ip-header.ts';
import { layerCode } from './layer-codes.ts';
import { END, TRANSPORT } from './step-codes.ts';
import { FIRST_FRAGMENT, LATER_FRAGMENT, type Walk } from './walk.ts';

const IPV6_LAYER = layerCode('ipv6');
const VERSION = causeCode('ip_version');
const TOO_MANY = causeCode('extension_headers');
const HEADER = 40;
const MAX_EXTENSIONS = 16;

const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const NO_NEXT = 59;
const DESTINATION = 60;
const SHIM6 = 140;
const JUMBO_OPTION = 0xc2;

/*
 * IPv6 header (RFC 8200, section 3):
 *   0 version (4), traffic class (8), flow label (20)   4 payload length (16)   6 next header   7 hop limit
 *   8 source (128)   24 destination (128)
 */
export function ipv6(walk: Walk): number {
  if (walk.lacks(HEADER) || !mayOpen(walk)) return END;
  const { data, view, at, words, row } = walk;
  if (data[at] >>> 4 !== 6) {
    walk.count(VERSION);
    return END;
  }
  walk.openIp(IPV6_LAYER);
  markIPv6(walk);
  for (let i = 0; i < 8; i++) words[row + i] = view.getInt32(at + 8 + 4 * i);
  words[row + FLAGS] = ((view.getUint16(at) >>> 4) & 0xff) << 16;
  boundIp(walk, data[at + 6], packetLength(walk));
  walk.type = data[at + 6];
  walk.at = at + HEADER;
  return extensions(walk);
}

/**
 * 40 + payload length. A payload length of zero is a jumbogram (RFC 2675) or segmentation offload; only
 * "no next header" is truly empty.
 */
function packetLength(walk: Walk): number {
  const payload = walk.view.getUint16(walk.at + 4);
  if (payload !== 0 || walk.data[walk.at + 6] === NO_NEXT) return HEADER + payload;
  const jumbo = jumboLength(walk);
  return jumbo > 0 ? HEADER + jumbo : walk.end - walk.at;
}

/** Jumbo payload option (RFC 2675, section 2), looked for where senders must put it: first in the hop-by-hop header. */
function jumboLength(walk: Walk): number {
  const option = walk.at + HEADER + 2;
  if (walk.data[walk.at + 6] !== HOP_BY_HOP || option + 6 > walk.cap) return 0;
  if (walk.data[option] !== JUMBO_OPTION || walk.data[option + 1] !== 4) return 0;
  return walk.view.getUint32(option + 2);
}

/*
 * Extension headers (RFC 8200, section 4): 0 next header, 1 length in 8 bytes beyond the first 8.
 * Mobility (135), HIP (139), ESP and AH are no steps here: the first two end the packet, AH follows in `transport.ts`.
 */
export function extensions(walk: Walk): number {
  for (let i = 0; isExtension(walk.type); i++) {
    if (i === MAX_EXTENSIONS) {
      walk.count(TOO_MANY);
      break;
    }
    if (walk.lacks(8)) break;
    if (walk.type === FRAGMENT) fragmentHeader(walk);
    else plainHeader(walk);
    if (walk.fragment === LATER_FRAGMENT) break;
  }
  setProtocol(walk, walk.type);
  return isExtension(walk.type) && walk.fragment !== LATER_FRAGMENT ? END : TRANSPORT;
}

function isExtension(type: number): boolean {
  return type === HOP_BY_HOP || type === ROUTING || type === FRAGMENT || type === DESTINATION || type === SHIM6;
}

function plainHeader(walk: Walk): void {
  const { data, at } = walk;
  walk.type = data[at];
  walk.at = at + 8 + 8 * data[at + 1];
}

/*
 * Fragment header (RFC 8200, section 4.5): 0 next header   2 offset (13), reserved (2), more (1)   4 identification (32)
 */
function fragmentHeader(walk: Walk): void {
  const { data, view, at } = walk;
  const offsetAndMore = view.getUint16(at + 2);
  walk.type = data[at];
  walk.at = at + 8;
  // An atomic fragment (RFC 6946) is the whole packet.
  if ((offsetAndMore & 0xfff9) === 0) return;
  walk.fragment = (offsetAndMore & 0xfff8) === 0 ? FIRST_FRAGMENT : LATER_FRAGMENT;
  walk.fragmentId = view.getInt32(at + 4);
  walk.fragmentProtocol = walk.type;
}
