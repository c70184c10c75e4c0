import { layerCode } from './layer-codes.ts';
import { END, ETHERNET, ETHERTYPE, IP } from './step-codes.ts';
import type { Walk } from './walk.ts';

const FRAME_RELAY_LAYER = layerCode('fr');
const LAST_ADDRESS_BYTE = 1;
const UNNUMBERED = 0x03;
const NLPID_SNAP = 0x80;
const NLPID_IPV6 = 0x8e;
const NLPID_IPV4 = 0xcc;

/*
 * Frame relay (RFC 2427, section 3): address of 2..4 bytes, the last has bit 0 set; control 0x03; a zero byte where
 * padding is needed; NLPID. Cisco's own encapsulation has an EtherType in the place of control and NLPID.
 */
export function frameRelay(walk: Walk): number {
  let length = 2;
  while (length < 4 && walk.at + length <= walk.cap && (walk.data[walk.at + length - 1] & LAST_ADDRESS_BYTE) === 0) {
    length++;
  }
  if (walk.lacks(length + 2)) return END;
  const { data, view } = walk;
  walk.push(FRAME_RELAY_LAYER);
  walk.at += length;
  if (data[walk.at] === UNNUMBERED) return nlpid(walk);
  walk.type = view.getUint16(walk.at);
  walk.at += 2;
  return ETHERTYPE;
}

function nlpid(walk: Walk): number {
  const { data } = walk;
  walk.at += data[walk.at + 1] === 0 ? 2 : 1;
  if (walk.lacks(1)) return END;
  const protocol = data[walk.at];
  walk.at++;
  if (protocol === NLPID_IPV4 || protocol === NLPID_IPV6) return IP;
  return protocol === NLPID_SNAP ? snap(walk) : END;
}

/** SNAP behind an NLPID: EtherTypes, or bridged Ethernet (00-80-c2, 1 with and 7 without frame check sequence). */
function snap(walk: Walk): number {
  if (walk.lacks(5)) return END;
  const { data, view, at } = walk;
  const organisation = (data[at] << 16) | view.getUint16(at + 1);
  walk.type = view.getUint16(at + 3);
  walk.at = at + 5;
  if (organisation === 0) return ETHERTYPE;
  return organisation === 0x0080c2 && (walk.type === 1 || walk.type === 7) ? ETHERNET : END;
}

/** One byte of direction before the frame (LINKTYPE_FRELAY_WITH_DIR). */
export function frameRelayWithDirection(walk: Walk): number {
  if (walk.lacks(1)) return END;
  walk.at++;
  return frameRelay(walk);
}
