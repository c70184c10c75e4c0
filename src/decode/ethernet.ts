import { causeCode } from './causes.ts';
import { layerCode } from './layer-codes.ts';
import {
  ARP,
  END,
  ETHERTYPE,
  FABRIC_PATH,
  IP,
  ISL,
  LLC,
  MACSEC,
  MPLS,
  NSH,
  PBB,
  PLAIN_TAG,
  PPP_PROTOCOL,
  PPPOE,
  TRILL,
  VLAN_TAG,
} from './step-codes.ts';
import type { Walk } from './walk.ts';

const ETH = layerCode('eth');
const LINK_HEADER = causeCode('link_header');
const HEADER = 14;
/** Type values from here on are EtherTypes, below 1501 lengths (IEEE 802.3, section 3.2.6). */
const FIRST_ETHERTYPE = 0x0600;
const MAX_LENGTH = 1500;

/*
 * Ethernet frame (IEEE 802.3, section 3.1.1): 0 destination (48)   6 source (48)   12 length or type (16)
 */
export function ethernet(walk: Walk): number {
  if (walk.lacks(HEADER)) return END;
  const { view, data, at } = walk;
  // Cisco ISL puts 01-00-0c-00-00 or 0c-00-0c-00-00 and frame type bits before the frame.
  if ((data[at] === 1 || data[at] === 12) && view.getUint32(at + 1) === 0x000c0000) return ISL;
  walk.push(ETH);
  walk.destinationMacAt = at;
  walk.sourceMacAt = at + 6;
  walk.at = at + 12;
  return lengthOrType(walk);
}

/** The 16 bits after the addresses, or after a VLAN tag. */
export function lengthOrType(walk: Walk): number {
  if (walk.lacks(2)) return END;
  const value = walk.view.getUint16(walk.at);
  walk.at += 2;
  walk.type = value;
  if (value >= FIRST_ETHERTYPE) return ETHERTYPE;
  if (value > MAX_LENGTH) {
    walk.count(LINK_HEADER);
    return END;
  }
  // A length beyond the frame is ignored, the frame's own end stands.
  walk.narrow(value);
  return LLC;
}

/** The step that an EtherType (IEEE registration authority) leads to. */
export function etherType(walk: Walk): number {
  switch (walk.type) {
    case 0x0800:
    case 0x86dd:
      return IP;
    case 0x8100: // 802.1Q
    case 0x88a8: // 802.1ad
    case 0x9100: // QinQ before 802.1ad
    case 0x9200:
    case 0x9300:
      return VLAN_TAG;
    case 0x0806:
      return ARP;
    case 0x8847:
    case 0x8848:
      return MPLS;
    case 0x8864:
      return PPPOE;
    case 0x880b:
      return PPP_PROTOCOL;
    case 0x88e7:
      return PBB;
    case 0x8903:
      return FABRIC_PATH;
    case 0x22f3:
      return TRILL;
    case 0x88e5:
      return MACSEC;
    case 0x892f: // HSR
    case 0x8926: // VN-tag
    case 0x893f: // E-tag
    case 0x8909: // Cisco metadata
      return PLAIN_TAG;
    case 0x894f:
      return NSH;
    default:
      return named(walk);
  }
}

const NAMED = new Map<number, number>([
  [0x88cc, layerCode('lldp')],
  [0x888e, layerCode('eapol')],
  [0x8863, layerCode('pppoe')],
]);

/** Protocols without IP: some get a name in the stack. */
function named(walk: Walk): number {
  const code = NAMED.get(walk.type);
  if (code !== undefined) walk.push(code);
  return END;
}
