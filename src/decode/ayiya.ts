import { looksLikeIp } from './ip-header.ts';
import { layerCode } from './layer-codes.ts';
import { END, IP } from './step-codes.ts';
import type { Walk } from './walk.ts';

const AYIYA_LAYER = layerCode('ayiya');
const HEADER = 8;
const FORWARD = 1;

/*
 * Anything in anything (draft-massar-v6ops-ayiya-02, section 3): 0 identity is 2^n bytes (4), its type (4)
 *   1 signature in words (4), hash (4)   2 authentication (4), operation (4); 1 is forward   3 IP protocol
 *   4 epoch (32)   8 identity, signature, packet
 */
export function ayiya(walk: Walk): number {
  const { data, at } = walk;
  if (at + HEADER > walk.cap || (data[at + 2] & 15) !== FORWARD) return END;
  const inner = at + HEADER + (1 << (data[at] >>> 4)) + 4 * (data[at + 1] >>> 4);
  if (!looksLikeIp(walk, inner)) return END;
  walk.push(AYIYA_LAYER);
  walk.at = inner;
  return IP;
}
