import {
  DST_MAC,
  FLAGS,
  HAS_IP,
  HAS_MAC,
  ICMP,
  INTERFACE,
  LAYERS,
  META,
  OUTER_DST,
  OUTER_SRC,
  SRC_MAC,
  VLAN,
} from '../model/packet-rows.ts';
import * as T from './flow-row.ts';
import type { FlowTable } from './flow-table.ts';
import { ANSWERS, FROM_HIGH } from './key-batch.ts';

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const ACK = 16;

/** TCP flags of the packet row at word `r`; 0 for other protocols. */
export function tcpFlags(words: Int32Array, r: number): number {
  return (words[r + META] & (HAS_IP | 0xff)) === (HAS_IP | 6) ? words[r + FLAGS] & 0xfff : 0;
}

/** Starts a flow in a row that has its key: the packet's sender is the initiator. Nothing is counted yet. */
export function beginFlow(
  table: FlowTable,
  row: number,
  info: number,
  words: Int32Array,
  r: number,
  timeUs: number,
): void {
  const { hot, cold } = table;
  const o = row << T.FLOW_SHIFT;
  let state = (hot[o + T.STATE] & T.MEMBERSHIPS) | T.FIRST_SLICE | T.FIRST_RECORD;
  if ((info & FROM_HIGH) !== 0) state |= T.INITIATOR_HIGH;
  if ((info & ANSWERS) !== 0) {
    state |= T.BEGAN_WITH_ANSWER;
    if ((tcpFlags(words, r) & (SYN | RST)) === SYN) state |= T.OPENED_BY_OTHER;
  }
  hot[o + T.STATE] = state;
  cold[o + T.FLOW_LAYERS] = words[r + LAYERS];
  cold[o + T.FLOW_INTERFACE] = words[r + INTERFACE];
  cold[o + T.FLOW_VLAN] = words[r + VLAN];
  cold[o + T.FLOW_ICMP_TOS] = (words[r + ICMP] & 0xffff) | (words[r + FLAGS] & 0x00ff0000);
  cold[o + T.FLOW_SNI] = 0;
  keepMac(table, o, info, words, r);
  beginRecord(table, o, timeUs);
}

/** Starts a record of a flow that goes on: totals and times are new, initiator and state stay. */
export function beginRecord(table: FlowTable, o: number, timeUs: number): void {
  const { hot, hotF64, cold } = table;
  const d = o >> 1;
  hotF64[d + T.START_F64] = timeUs;
  hotF64[d + T.SLICE_END_F64] = timeUs;
  cold[o + T.FLOW_DNS] = 0;
  cold[o + T.FLOW_DNS_TYPES] = 0;
  hot[o + T.SLICE_DNS] = 0;
  hot[o + T.SLICE_FLAGS] = 0;
  for (let end = 0; end < 2; end++) {
    hot[o + T.SLICE_PACKETS + end] = 0;
    hotF64[d + T.SLICE_OCTETS_F64 + end] = 0;
    hotF64[d + T.SLICE_LAYER2_F64 + end] = 0;
  }
  hot[o + T.STATE] = (hot[o + T.STATE] | T.NO_SLICE) & ~(T.RECORD_DNS_RESPONSE | T.LATE | T.FOLDED);
}

function keepMac(table: FlowTable, o: number, info: number, words: Int32Array, r: number): void {
  if ((words[r + META] & HAS_MAC) === 0) return;
  const { hot, cold } = table;
  const low = r + ((info & FROM_HIGH) !== 0 ? DST_MAC : SRC_MAC);
  const high = r + ((info & FROM_HIGH) !== 0 ? SRC_MAC : DST_MAC);
  cold[o + T.MAC_HIGH_HALVES] = (words[low] << 16) | (words[high] & 0xffff);
  cold[o + T.MAC_LOW_WORDS] = words[low + 1];
  cold[o + T.MAC_LOW_WORDS + 1] = words[high + 1];
  hot[o + T.STATE] |= T.WITH_MAC;
}

/** Keeps the packet's outermost addresses: a flow's tunnel is that of its first packet that has one. */
export function keepOuter(table: FlowTable, row: number, info: number, words: Int32Array, r: number): void {
  const at = table.outerAt(row);
  const low = r + ((info & FROM_HIGH) !== 0 ? OUTER_DST : OUTER_SRC);
  const high = r + ((info & FROM_HIGH) !== 0 ? OUTER_SRC : OUTER_DST);
  for (let k = 0; k < 4; k++) {
    table.outer[at + k] = words[low + k];
    table.outer[at + 4 + k] = words[high + k];
  }
  table.hot[(row << T.FLOW_SHIFT) + T.STATE] |= T.WITH_OUTER;
}
