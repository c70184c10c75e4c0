import { causeCode } from './causes.ts';
import { layerCode } from './layer-codes.ts';
import { END, ERSPAN_2, ERSPAN_3, ETHERNET, ETHERTYPE, FRAME_RELAY, GRE, IP, PPP } from './step-codes.ts';
import type { Walk } from './walk.ts';

const GRE_LAYER = layerCode('gre');
const TUNNEL_HEADER = causeCode('tunnel_header');
const CHECKSUM = 0x8000;
const ROUTING = 0x4000;
const KEY = 0x2000;
const SEQUENCE = 0x1000;
const ACKNOWLEDGEMENT = 0x0080;

/*
 * GRE (RFC 2784, section 2; RFC 2890; RFC 1701): 0 flags (13), version (3)   2 protocol, as an EtherType (16)
 *   then, each with its flag: checksum (16) and offset (16), key (32), sequence (32)
 * Version 1 (PPTP, RFC 2637 section 4.1): key is payload length (16) and call (16); sequence, acknowledgement (32)
 */
export function gre(walk: Walk): number {
  if (walk.lacks(4)) return END;
  const flags = walk.view.getUint16(walk.at);
  const version = flags & 7;
  if (version > 1 || (flags & ROUTING) !== 0) {
    walk.count(TUNNEL_HEADER);
    return END;
  }
  walk.type = walk.view.getUint16(walk.at + 2);
  walk.at += headerLength(flags, version);
  return version === 1 ? pptp(walk, flags) : payload(walk, flags);
}

function headerLength(flags: number, version: number): number {
  let length = 4;
  if ((flags & CHECKSUM) !== 0) length += 4;
  if ((flags & KEY) !== 0) length += 4;
  if ((flags & SEQUENCE) !== 0) length += 4;
  if (version === 1 && (flags & ACKNOWLEDGEMENT) !== 0) length += 4;
  return length;
}

/** Without a sequence number it only acknowledges. */
function pptp(walk: Walk, flags: number): number {
  return walk.type === 0x880b && (flags & SEQUENCE) !== 0 ? PPP : END;
}

function payload(walk: Walk, flags: number): number {
  switch (walk.type) {
    case 0x6558: // transparent Ethernet bridging, NVGRE (RFC 7637)
      return ETHERNET;
    case 0x6559:
      return FRAME_RELAY;
    case 0x880b:
      return PPP;
    case 0x88be: // type I has no header and no sequence number
      return (flags & SEQUENCE) === 0 ? ETHERNET : ERSPAN_2;
    case 0x22eb:
      return ERSPAN_3;
    case 0x883e:
      return wccp(walk);
    default:
      return walk.type < 0x0600 ? END : ETHERTYPE;
  }
}

/** WCCP version 2 puts a redirect header of four bytes before the packet, version 1 does not. */
function wccp(walk: Walk): number {
  if (walk.lacks(1)) return END;
  if (walk.data[walk.at] >>> 4 !== 4) walk.at += 4;
  return IP;
}

/** GRE in UDP (RFC 8086): checksum, key and sequence number are all that its first 16 bits may announce. */
export function greInUdp(walk: Walk): number {
  if (walk.at + 4 > walk.cap) return END;
  if ((walk.view.getUint16(walk.at) & ~(CHECKSUM | KEY | SEQUENCE)) !== 0) return END;
  walk.push(GRE_LAYER);
  return GRE;
}
