import { layerCode } from './layer-codes.ts';
import { END, ETHERTYPE, LLC } from './step-codes.ts';
import type { Walk } from './walk.ts';

const SLL_LAYER = layerCode('sll');
const SLL2_LAYER = layerCode('sll2');
const PROTOCOL_802_2 = 0x0004;
/** ARPHRD_NETLINK, ARPHRD_IPGRE and radiotap ones put no EtherType into the protocol field. */
const WITHOUT_ETHERTYPE = [824, 803];

/*
 * Linux cooked capture (LINKTYPE_LINUX_SLL): 0 packet type (16)   2 ARPHRD type (16)   4 address length (16)
 *   6 address (64)   14 protocol (16)
 */
export function sll(walk: Walk): number {
  if (walk.lacks(16)) return END;
  const { view, at } = walk;
  walk.push(SLL_LAYER);
  walk.at = at + 16;
  return cooked(walk, view.getUint16(at + 14), view.getUint16(at + 2));
}

/*
 * Version 2 (LINKTYPE_LINUX_SLL2): 0 protocol (16)   2 reserved (16)   4 interface (32)   8 ARPHRD type (16)
 *   10 packet type   11 address length   12 address (64)
 */
export function sll2(walk: Walk): number {
  if (walk.lacks(20)) return END;
  const { view, at } = walk;
  walk.push(SLL2_LAYER);
  walk.at = at + 20;
  return cooked(walk, view.getUint16(at), view.getUint16(at + 8));
}

function cooked(walk: Walk, protocol: number, hardware: number): number {
  if (WITHOUT_ETHERTYPE.includes(hardware)) return END;
  if (protocol === PROTOCOL_802_2) return LLC;
  walk.type = protocol;
  return protocol >= 0x0600 ? ETHERTYPE : END;
}
