import { layerCode } from './layer-codes.ts';
import { END, ETHERTYPE, IP } from './step-codes.ts';
import type { Walk } from './walk.ts';

const LLC_LAYER = layerCode('llc');
const SNAP_LAYER = layerCode('snap');
const STP = layerCode('stp');
const SAP_IP = 0x06;
const SAP_STP = 0x42;
const SAP_SNAP = 0xaa;

/*
 * LLC (IEEE 802.2, section 3.2): 0 destination SAP   1 source SAP   2 control
 * SNAP (IEEE 802, section 9): 3 organisation (24)   6 protocol (16); RFC 1042 for IP and ARP
 */
export function llc(walk: Walk): number {
  if (walk.lacks(3)) return END;
  const { data, at } = walk;
  walk.push(LLC_LAYER);
  if (data[at] === SAP_SNAP && data[at + 1] === SAP_SNAP) return snap(walk);
  if (data[at] === SAP_STP) walk.push(STP);
  walk.at = at + 3;
  return data[at] === SAP_IP && data[at + 2] === 3 ? IP : END;
}

function snap(walk: Walk): number {
  if (walk.lacks(8)) return END;
  const { data, view, at } = walk;
  const organisation = (data[at + 3] << 16) | view.getUint16(at + 4);
  walk.push(SNAP_LAYER);
  walk.type = view.getUint16(at + 6);
  walk.at = at + 8;
  // 00-00-00 (RFC 1042) and 00-00-f8 (802.1H bridge tunnel) carry EtherTypes.
  return organisation === 0 || organisation === 0xf8 ? ETHERTYPE : END;
}
