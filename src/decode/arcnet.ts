import { layerCode } from './layer-codes.ts';
import { ARP, END, IP } from './step-codes.ts';
import type { Walk } from './walk.ts';

const ARCNET_LAYER = layerCode('arcnet');
const EXCEPTION = 0xff;

/** ARCNET protocol ids (ATA 878.2): old ones of RFC 1051 have no fragmentation header. */
const OLD_IP = 240;
const OLD_ARP = 241;
const NEXT = new Map([
  [OLD_IP, IP],
  [OLD_ARP, ARP],
  [212, IP],
  [213, ARP],
  [196, IP],
]);

/*
 * ARCNET as BSD captures it (RFC 1201): 0 source   1 destination   2 protocol   3 split flag   4 sequence (16)
 *   A split flag of 0xff is padding: flag and sequence come four bytes later.
 */
export function arcnet(walk: Walk): number {
  return frame(walk, 2, true);
}

/*
 * As Linux captures it (LINKTYPE_ARCNET_LINUX): 0 source   1 destination   2 offset (16)   4 protocol   5 flag ...
 */
export function arcnetLinux(walk: Walk): number {
  return frame(walk, 4, false);
}

function frame(walk: Walk, typeAt: number, exceptions: boolean): number {
  if (walk.lacks(typeAt + 4)) return END;
  const { data, at } = walk;
  walk.push(ARCNET_LAYER);
  const type = data[at + typeAt];
  const old = type === OLD_IP || type === OLD_ARP;
  let flag = at + typeAt + 1;
  if (!old && exceptions && data[flag] === EXCEPTION) flag += 4;
  if (!old && walk.lacks(flag + 3 - at)) return END;
  // Only the first piece of a packet that was split has its header.
  const later = !old && data[flag] !== 0 && (data[flag] & 1) === 0;
  walk.at = old ? flag : flag + 3;
  return later ? END : (NEXT.get(type) ?? END);
}
