import { IPV4_WORD_2 } from '../model/address.ts';
import { IDENTIFIER, IS_ARP, META } from '../model/packet-rows.ts';
import { layerCode } from './layer-codes.ts';
import { END } from './step-codes.ts';
import type { Walk } from './walk.ts';

const ARP_LAYER = layerCode('arp');
const IPV4_ETHERTYPE = 0x0800;

/*
 * ARP (RFC 826): 0 hardware (16)   2 protocol (16)   4 hardware address length   5 protocol address length
 *   6 operation (16)   8 sender hardware, sender protocol, target hardware, target protocol address
 * RFC 1577 (ATM) gives sender and target lengths of their own; such packets are not rows of two addresses.
 */
export function arp(walk: Walk): number {
  walk.push(ARP_LAYER);
  if (walk.depth > 0 || walk.lacks(8)) return END;
  const { data, view, at } = walk;
  const hardware = data[at + 4];
  if (view.getUint16(at + 2) !== IPV4_ETHERTYPE || data[at + 5] !== 4) return END;
  if (walk.lacks(16 + 2 * hardware)) return END;
  write(walk, at + 8 + hardware, at + 12 + 2 * hardware);
  walk.words[walk.row + IDENTIFIER] = view.getUint16(at + 6);
  return END;
}

function write(walk: Walk, sender: number, target: number): void {
  const { words, row, view } = walk;
  words[row + META] |= IS_ARP;
  words[row + 2] = IPV4_WORD_2;
  words[row + 3] = view.getInt32(sender);
  words[row + 6] = IPV4_WORD_2;
  words[row + 7] = view.getInt32(target);
}
