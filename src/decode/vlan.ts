import { lengthOrType } from './ethernet.ts';
import { END } from './step-codes.ts';
import type { Walk } from './walk.ts';

/*
 * VLAN tag (IEEE 802.1Q, section 9.6), behind its EtherType:
 *   0 priority (3), drop eligible (1), VLAN identifier (12)   2 length or type of what follows (16)
 */
export function vlanTag(walk: Walk): number {
  if (walk.lacks(2)) return END;
  walk.tag(walk.view.getUint16(walk.at) & 0xfff);
  walk.at += 2;
  return lengthOrType(walk);
}
