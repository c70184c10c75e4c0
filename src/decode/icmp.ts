import {
  HAS_ICMP,
  HAS_PAYLOAD,
  HAS_TRANSPORT,
  ICMP,
  IDENTIFIER,
  IS_ANSWER,
  IS_ICMP_ERROR,
  META,
} from '../model/packet-rows.ts';
import { END } from './step-codes.ts';
import type { Walk } from './walk.ts';

/** What an ICMP type is; the packet that an error quotes makes no flow and is not looked at. */
const ERROR = 1;
const REPLY = 2;
/** Bytes 4 and 5 identify an exchange. */
export const IDENTIFIED = 4;

/** IANA ICMP types: 3 unreachable, 4 quench, 5 redirect, 11 time exceeded, 12 parameter; 0, 14, 16, 18, 43 replies. */
export const TYPES_4 = table([3, 4, 5, 11, 12], [0, 14, 16, 18, 43], [0, 8, 13, 14, 15, 16, 17, 18, 42, 43]);
/** IANA ICMPv6 types: 1..4 errors (all below 128 are, RFC 4443 section 2.1); 129, 140, 161 replies. */
export const TYPES_6 = table(
  Array.from({ length: 128 }, (_, type) => type),
  [129, 140, 161],
  [128, 129, 160, 161],
);

function table(errors: number[], replies: number[], identified: number[]): Uint8Array {
  const types = new Uint8Array(256);
  for (const type of errors) types[type] |= ERROR;
  for (const type of replies) types[type] |= REPLY;
  for (const type of identified) types[type] |= IDENTIFIED;
  return types;
}

/** Bits of `META` for a kind of `TYPES_4` or `TYPES_6`. */
export function icmpBits(kind: number): number {
  return HAS_ICMP | (kind & (ERROR | REPLY) ? IS_ANSWER : 0) | (kind & ERROR ? IS_ICMP_ERROR : 0);
}

/*
 * ICMP (RFC 792) and ICMPv6 (RFC 4443, section 2.1): 0 type   1 code   2 checksum (16)   4 by type; echo: identifier (16)
 */
export function icmp(walk: Walk): number {
  return message(walk, TYPES_4);
}

export function icmp6(walk: Walk): number {
  return message(walk, TYPES_6);
}

function message(walk: Walk, types: Uint8Array): number {
  if (walk.lacks(2)) return END;
  const { words, row, data, view, at } = walk;
  const kind = types[data[at]];
  words[row + ICMP] = view.getUint16(at);
  words[row + META] |= icmpBits(kind);
  if (walk.lacks(8)) return END;
  words[row + META] |= HAS_TRANSPORT | (at + 8 < walk.ipEnd ? HAS_PAYLOAD : 0);
  if (kind & IDENTIFIED) words[row + IDENTIFIER] = view.getUint16(at + 4);
  return END;
}
