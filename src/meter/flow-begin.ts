import { ANSWERS, FROM_HIGH } from '../model/packet-key.ts';
import {
  DST_MAC,
  FLAGS,
  HAS_IP,
  HAS_MAC,
  ICMP,
  INTERFACE,
  KEY_INFO,
  LAYERS,
  META,
  OUTER_DST,
  OUTER_SRC,
  SRC_MAC,
  VLAN,
} from '../model/packet-rows.ts';
import * as T from './flow-row.ts';
import type { FlowTable } from './flow-table.ts';

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const ACK = 16;

/** TCP flags of the packet row at word `r`; 0 for other protocols. */
export function tcpFlags(words: Int32Array, r: number): number {
  return (words[r + META] & (HAS_IP | 0xff)) === (HAS_IP | 6) ? words[r + FLAGS] & 0xfff : 0;
}

/** Starts a flow in a row that has its key: the packet's sender is the initiator. Nothing is counted yet. */
export function beginFlow(table: FlowTable, row: number, words: Int32Array, r: number): void {
  const { hot, cold } = table;
  const o = row << T.HOT_SHIFT;
  const c = row << T.COLD_SHIFT;
  const info = words[r + KEY_INFO];
  let state = (hot[o + T.STATE] & T.MEMBERSHIPS) | T.FIRST_SLICE | T.FIRST_RECORD;
  if ((info & FROM_HIGH) !== 0) state |= T.INITIATOR_HIGH;
  if ((info & ANSWERS) !== 0) {
    state |= T.BEGAN_WITH_ANSWER;
    if ((tcpFlags(words, r) & (SYN | RST)) === SYN) state |= T.OPENED_BY_OTHER;
  }
  cold[c + T.FLOW_LAYERS] = words[r + LAYERS];
  cold[c + T.FLOW_INTERFACE] = words[r + INTERFACE];
  cold[c + T.FLOW_VLAN] = words[r + VLAN];
  cold[c + T.FLOW_ICMP_TOS] = (words[r + ICMP] & 0xffff) | (words[r + FLAGS] & 0x00ff0000);
  cold[c + T.FLOW_SNI] = 0;
  if ((words[r + META] & HAS_MAC) !== 0) {
    state |= T.WITH_MAC;
    keepMac(cold, c, info, words, r);
  }
  hot[o + T.STATE] = state;
  beginRecord(table, row);
}

/** Starts a record of a flow that goes on: totals and times are new, initiator and state stay. */
export function beginRecord(table: FlowTable, row: number): void {
  const { hot, cold } = table;
  const timeUs = table.timesUs[T.PACKET_TIME];
  const o = row << T.HOT_SHIFT;
  const c = row << T.COLD_SHIFT;
  setStart(table, row, timeUs);
  table.hotF64[(o >> 1) + T.SLICE_END_F64] = timeUs;
  cold[c + T.FLOW_DNS] = 0;
  cold[c + T.FLOW_DNS_TYPES] = 0;
  cold[c + T.SLICE_DNS] = 0;
  clearCounts(hot, o);
  const over = T.RECORD_DNS_RESPONSE | T.LATE | T.FOLDED | T.UNFOLDED | T.SPILLED | T.MAY_BE_DUE;
  hot[o + T.STATE] = (hot[o + T.STATE] | T.NO_SLICE) & ~over;
}

/** Empties the counters of the open slice. */
export function clearCounts(hot: Int32Array, o: number): void {
  hot[o + T.SLICE_FLAGS] = 0;
  hot[o + T.SLICE_PACKETS] = 0;
  hot[o + T.SLICE_PACKETS + 1] = 0;
  hot[o + T.SLICE_OCTETS] = 0;
  hot[o + T.SLICE_OCTETS + 1] = 0;
  hot[o + T.SLICE_LAYER2] = 0;
  hot[o + T.SLICE_LAYER2 + 1] = 0;
}

/** Notes the record's first packet, and when the record may be too old. */
export function setStart(table: FlowTable, row: number, timeUs: number): void {
  table.coldF64[((row << T.COLD_SHIFT) >> 1) + T.START_F64] = timeUs;
  table.hot[(row << T.HOT_SHIFT) + T.DUE_SECOND] = Math.floor((timeUs + table.activeUs) / 1e6) | 0;
}

function keepMac(cold: Int32Array, c: number, info: number, words: Int32Array, r: number): void {
  const across = (info & FROM_HIGH) << 1;
  const low = r + SRC_MAC + across;
  const high = r + DST_MAC - across;
  cold[c + T.MAC_HIGH_HALVES] = (words[low] << 16) | (words[high] & 0xffff);
  cold[c + T.MAC_LOW_WORDS] = words[low + 1];
  cold[c + T.MAC_LOW_WORDS + 1] = words[high + 1];
}

/** Keeps the packet's outermost addresses: a flow's tunnel is that of its first packet that has one. */
export function keepOuter(table: FlowTable, row: number, words: Int32Array, r: number): void {
  const at = table.outerAt(row);
  const across = (words[r + KEY_INFO] & FROM_HIGH) << 2;
  const low = r + OUTER_SRC + across;
  const high = r + OUTER_DST - across;
  for (let k = 0; k < 4; k++) {
    table.outer[at + k] = words[low + k];
    table.outer[at + 4 + k] = words[high + k];
  }
  table.hot[(row << T.HOT_SHIFT) + T.STATE] |= T.WITH_OUTER;
}

/** Counts a packet whose octets do not fit into the hot row any more, beside it; the row's own go there, too. */
export function spillOctets(table: FlowTable, row: number, end: number, octets: number, layer2: number): void {
  const { hot } = table;
  const o = row << T.HOT_SHIFT;
  const at = table.spillAt(row);
  const { spill } = table;
  if ((hot[o + T.STATE] & T.SPILLED) === 0) spill.fill(0, at, at + 4);
  hot[o + T.STATE] |= T.SPILLED;
  spill[at + T.SPILLED_OCTETS + end] += hot[o + T.SLICE_OCTETS + end] + octets;
  spill[at + T.SPILLED_LAYER2 + end] += hot[o + T.SLICE_LAYER2 + end] + layer2;
  hot[o + T.SLICE_OCTETS + end] = 0;
  hot[o + T.SLICE_LAYER2 + end] = 0;
}
