import { causeCode } from './causes.ts';
import { layerCode } from './layer-codes.ts';
import { END, IP, LLC } from './step-codes.ts';
import type { Walk } from './walk.ts';

const NULL_LAYER = layerCode('null');
const LINK_HEADER = causeCode('link_header');
const AF_INET = 2;
/** AF_INET6 of NetBSD and OpenBSD, FreeBSD, Darwin, Linux, Solaris. */
const AF_INET6 = [24, 28, 30, 10, 26];
const AF_OSI = 7;

/*
 * BSD loopback (LINKTYPE_NULL, LINKTYPE_LOOP): 0 address family (32), in the byte order of the host that captured or in
 * network order. A family is a small number, so its byte order shows.
 */
export function nullLoopback(walk: Walk): number {
  if (walk.lacks(4)) return END;
  const { view, at } = walk;
  const big = view.getUint32(at);
  // Families above 16 bits do not exist: the bytes stand the other way round.
  const family = big > 0xffff ? view.getUint32(at, true) : big;
  walk.push(NULL_LAYER);
  walk.at = at + 4;
  if (family === AF_INET || AF_INET6.includes(family)) return IP;
  if (family === AF_OSI) return LLC;
  walk.count(LINK_HEADER);
  return END;
}
