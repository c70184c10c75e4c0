import { IPV4_WORD_2 } from '../model/address.ts';
import { FLAGS } from '../model/packet-rows.ts';
import { causeCode } from './causes.ts';
import { boundIp, mayOpen } from './ip-header.ts';
import { layerCode } from './layer-codes.ts';
import { END, IPV6, TRANSPORT } from './step-codes.ts';
import { FIRST_FRAGMENT, LATER_FRAGMENT, type Walk } from './walk.ts';

const IPV4_LAYER = layerCode('ipv4');
const VERSION = causeCode('ip_version');
const HEADER_LENGTH = causeCode('ip_header_length');
const LENGTH = causeCode('ip_length');
const MIN_HEADER = 20;

/*
 * IPv4 header (RFC 791, section 3.1):
 *   0 version (4 bits), header length in words (4)   1 type of service   2 total length (16)
 *   4 identification (16)   6 flags (3; 0x2000 more fragments), fragment offset in 8 bytes (13)
 *   8 time to live   9 protocol   10 checksum (16)   12 source (32)   16 destination (32)   20 options
 */

/** An IP header: version 6 goes on to `ipv6.ts`. */
export function ip(walk: Walk): number {
  if (walk.lacks(1)) return END;
  const version = walk.data[walk.at] >>> 4;
  if (version === 6) return IPV6;
  if (version === 4) return ipv4(walk);
  walk.count(VERSION);
  return END;
}

function ipv4(walk: Walk): number {
  if (walk.lacks(MIN_HEADER) || !mayOpen(walk)) return END;
  const { data, view, at } = walk;
  const header = (data[at] & 15) * 4;
  // Segmentation offload leaves the total length zero: the packet reaches to the end of its frame.
  const total = view.getUint16(at + 2) || walk.end - at;
  if (header < MIN_HEADER || total < header) {
    walk.count(header < MIN_HEADER ? HEADER_LENGTH : LENGTH);
    return END;
  }
  walk.openIp(IPV4_LAYER);
  writeAddresses(walk, at);
  walk.words[walk.row + FLAGS] = data[at + 1] << 16;
  boundIp(walk, data[at + 9], total);
  noteFragment(walk, view.getUint16(at + 4), view.getUint16(at + 6), data[at + 9]);
  walk.type = data[at + 9];
  if (walk.lacks(header)) return END;
  walk.at = at + header;
  return TRANSPORT;
}

function writeAddresses(walk: Walk, at: number): void {
  const { words, row, view } = walk;
  words[row] = 0;
  words[row + 1] = 0;
  words[row + 2] = IPV4_WORD_2;
  words[row + 3] = view.getInt32(at + 12);
  words[row + 4] = 0;
  words[row + 5] = 0;
  words[row + 6] = IPV4_WORD_2;
  words[row + 7] = view.getInt32(at + 16);
}

function noteFragment(walk: Walk, id: number, flagsAndOffset: number, protocol: number): void {
  if ((flagsAndOffset & 0x3fff) === 0) return;
  walk.fragment = (flagsAndOffset & 0x1fff) === 0 ? FIRST_FRAGMENT : LATER_FRAGMENT;
  walk.fragmentId = id;
  walk.fragmentProtocol = protocol;
}
