import { layerCode } from './layer-codes.ts';
import { CHDLC, END, IP, MPLS, PPP_PROTOCOL } from './step-codes.ts';
import type { Walk } from './walk.ts';

const PPP_LAYER = layerCode('ppp');
const ALL_STATIONS = 0xff;
const UNNUMBERED = 0x03;
const CISCO_UNICAST = 0x0f;
const CISCO_MULTICAST = 0x8f;

/*
 * PPP in HDLC-like framing (RFC 1662, section 3.1): 0 address 0xff   1 control 0x03   2 protocol
 * Address and control may be left out (RFC 1661, section 6.6).
 */
export function ppp(walk: Walk): number {
  if (walk.lacks(2)) return END;
  if (walk.data[walk.at] === ALL_STATIONS && walk.data[walk.at + 1] === UNNUMBERED) walk.at += 2;
  return PPP_PROTOCOL;
}

/** A serial line: PPP or Cisco HDLC, by the address byte (LINKTYPE_PPP_HDLC). */
export function pppSerial(walk: Walk): number {
  if (walk.lacks(2)) return END;
  const address = walk.data[walk.at];
  return address === CISCO_UNICAST || address === CISCO_MULTICAST ? CHDLC : ppp(walk);
}

/** One byte of direction before the frame, or in the place of its address byte (LINKTYPE_PPP_WITH_DIR, _PPP_PPPD). */
export function pppWithDirection(walk: Walk): number {
  if (walk.lacks(2)) return END;
  walk.at += walk.data[walk.at + 1] === UNNUMBERED ? 2 : 1;
  return ppp(walk);
}

/** Protocol field (RFC 1661, section 2): two bytes, or one when that is odd. */
export function pppProtocol(walk: Walk): number {
  if (walk.lacks(2)) return END;
  const { data, view, at } = walk;
  walk.push(PPP_LAYER);
  const short = (data[at] & 1) === 1;
  walk.type = short ? data[at] : view.getUint16(at);
  walk.at = at + (short ? 1 : 2);
  switch (walk.type) {
    case 0x0021:
    case 0x0057:
      return IP;
    case 0x0281:
    case 0x0283:
      return MPLS;
    default:
      return END;
  }
}
