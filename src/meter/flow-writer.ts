import { IPV4_WORD_2 } from '../model/address.ts';
import {
  BIFLOW,
  ESTABLISHED,
  FIRST,
  type FlowBatch,
  HAS_ICMP,
  HAS_IP,
  HAS_OUTER,
  HAS_PORTS,
  INITIATOR_KNOWN,
  IS_ARP,
  IS_DNS_RESPONSE,
  IS_ICMP_ERROR,
  IS_IPV6,
  LAST,
  OPENED_BY_DESTINATION,
  UNASKED,
} from '../model/flow-batch.ts';
import { isWide, KIND_IPV6 } from '../model/packet-key.ts';
import {
  HAS_ICMP as PACKET_HAS_ICMP,
  HAS_IP as PACKET_HAS_IP,
  HAS_PORTS as PACKET_HAS_PORTS,
  IS_ARP as PACKET_IS_ARP,
  IS_ICMP_ERROR as PACKET_IS_ICMP_ERROR,
} from '../model/packet-rows.ts';
import { clearCounts } from './flow-begin.ts';
import * as T from './flow-row.ts';
import type { FlowTable } from './flow-table.ts';
import type { Outlet } from './outlet.ts';

const TWO_32 = 2 ** 32;

/** Writes the open slice of flow `row` into row `n` of the outlet's batch, seen from the initiator. */
export function writeSlice(table: FlowTable, row: number, outlet: Outlet, n: number, leaving: boolean): void {
  const { hot, cold } = table;
  const { batch } = outlet;
  const o = row << T.HOT_SHIFT;
  const c = row << T.COLD_SHIFT;
  const state = hot[o + T.STATE];
  const from = state & T.INITIATOR_HIGH;
  const flags = hot[o + T.SLICE_FLAGS];
  batch.startUs[n] = table.coldF64[(c >> 1) + T.SLICE_START_F64];
  batch.endUs[n] = table.hotF64[(o >> 1) + T.SLICE_END_F64];
  batch.tcpControlBits[n] = (flags >>> (from << 4)) & 0xfff;
  batch.reverseTcpControlBits[n] = (flags >>> ((from ^ 1) << 4)) & 0xfff;
  batch.dnsName[n] = cold[c + T.SLICE_DNS];
  batch.dnsType[n] = cold[c + T.FLOW_DNS_TYPES] >>> 16;
  batch.flowEndReason[n] = 0;
  let meta = flowMeta(hot[o + T.KIND], state);
  if ((state & T.FIRST_SLICE) !== 0) meta |= FIRST;
  if ((state & T.SLICE_DNS_RESPONSE) !== 0) meta |= IS_DNS_RESPONSE;
  if (leaving || (state & T.CLOSED) !== 0) meta |= LAST;
  batch.meta[n] = meta;
  writeCounts(table, row, batch, n, from);
  writeKey(table, row, outlet, n, from);
}

/** Writes what flow `row` did since its record began: what earlier slices brought, and the open slice. */
export function writeRecord(table: FlowTable, row: number, outlet: Outlet, n: number, reason: number): void {
  const { hot, cold } = table;
  const { batch } = outlet;
  const o = row << T.HOT_SHIFT;
  const c = row << T.COLD_SHIFT;
  const state = hot[o + T.STATE];
  const from = state & T.INITIATOR_HIGH;
  const flags =
    hot[o + T.SLICE_FLAGS] | ((state & T.FOLDED) !== 0 ? table.fold[(row << T.FOLD_SHIFT) + T.TOTAL_FLAGS] : 0);
  batch.startUs[n] = table.coldF64[(c >> 1) + T.START_F64];
  batch.endUs[n] = lastUs(table, row);
  batch.tcpControlBits[n] = (flags >>> (from << 4)) & 0xfff;
  batch.reverseTcpControlBits[n] = (flags >>> ((from ^ 1) << 4)) & 0xfff;
  batch.dnsName[n] = cold[c + T.FLOW_DNS];
  batch.dnsType[n] = cold[c + T.FLOW_DNS_TYPES] & 0xffff;
  batch.flowEndReason[n] = reason;
  let meta = flowMeta(hot[o + T.KIND], state) | LAST;
  if ((state & T.FIRST_RECORD) !== 0) meta |= FIRST;
  if ((state & T.RECORD_DNS_RESPONSE) !== 0) meta |= IS_DNS_RESPONSE;
  batch.meta[n] = meta;
  writeCounts(table, row, batch, n, from);
  if ((state & T.FOLDED) !== 0) addTotals(table, row, batch, n, from);
  writeKey(table, row, outlet, n, from);
}

/** Packets and octets of the open slice. */
function writeCounts(table: FlowTable, row: number, batch: FlowBatch, n: number, from: number): void {
  const { hot } = table;
  const near = (row << T.HOT_SHIFT) + from;
  const far = near + 1 - 2 * from;
  batch.packetDeltaCount[n] = hot[near + T.SLICE_PACKETS] >>> 0;
  batch.octetDeltaCount[n] = hot[near + T.SLICE_OCTETS];
  batch.layer2OctetDeltaCount[n] = hot[near + T.SLICE_LAYER2];
  batch.reversePacketDeltaCount[n] = hot[far + T.SLICE_PACKETS] >>> 0;
  batch.reverseOctetDeltaCount[n] = hot[far + T.SLICE_OCTETS];
  batch.reverseLayer2OctetDeltaCount[n] = hot[far + T.SLICE_LAYER2];
  if ((hot[(row << T.HOT_SHIFT) + T.STATE] & T.SPILLED) !== 0) addSpilled(table, row, batch, n, from);
}

function addSpilled(table: FlowTable, row: number, batch: FlowBatch, n: number, from: number): void {
  const { spill } = table;
  const at = table.spillAt(row);
  const to = from ^ 1;
  batch.octetDeltaCount[n] += spill[at + T.SPILLED_OCTETS + from];
  batch.layer2OctetDeltaCount[n] += spill[at + T.SPILLED_LAYER2 + from];
  batch.reverseOctetDeltaCount[n] += spill[at + T.SPILLED_OCTETS + to];
  batch.reverseLayer2OctetDeltaCount[n] += spill[at + T.SPILLED_LAYER2 + to];
}

function addTotals(table: FlowTable, row: number, batch: FlowBatch, n: number, from: number): void {
  const { foldF64 } = table;
  const d = (row << T.FOLD_SHIFT) >> 1;
  const to = from ^ 1;
  batch.packetDeltaCount[n] += foldF64[d + T.PACKETS_F64 + from];
  batch.octetDeltaCount[n] += foldF64[d + T.OCTETS_F64 + from];
  batch.layer2OctetDeltaCount[n] += foldF64[d + T.LAYER2_F64 + from];
  batch.reversePacketDeltaCount[n] += foldF64[d + T.PACKETS_F64 + to];
  batch.reverseOctetDeltaCount[n] += foldF64[d + T.OCTETS_F64 + to];
  batch.reverseLayer2OctetDeltaCount[n] += foldF64[d + T.LAYER2_F64 + to];
}

/** The latest packet of flow `row`. */
export function lastUs(table: FlowTable, row: number): number {
  const o = row << T.HOT_SHIFT;
  const end = table.hotF64[(o >> 1) + T.SLICE_END_F64];
  if ((table.hot[o + T.STATE] & T.LATE) === 0) return end;
  return Math.max(end, table.foldF64[((row << T.FOLD_SHIFT) >> 1) + T.LAST_F64]);
}

/** Adds the slice that left to the record's totals, and empties the counters. */
export function foldSlice(table: FlowTable, row: number): void {
  const { hot, fold } = table;
  const o = row << T.HOT_SHIFT;
  const f = row << T.FOLD_SHIFT;
  const state = hot[o + T.STATE];
  if ((state & T.FOLDED) === 0) setTotals(table, o, f);
  else growTotals(table, o, f);
  fold[f + T.TOTAL_FLAGS] = hot[o + T.SLICE_FLAGS] | ((state & T.FOLDED) === 0 ? 0 : fold[f + T.TOTAL_FLAGS]);
  hot[o + T.STATE] = (state | T.FOLDED) & ~T.UNFOLDED;
  if ((state & T.SPILLED) !== 0) foldSpilled(table, row, f >> 1);
  clearCounts(hot, o);
}

function setTotals({ hot, foldF64 }: FlowTable, o: number, f: number): void {
  const d = f >> 1;
  foldF64[d + T.PACKETS_F64] = hot[o + T.SLICE_PACKETS] >>> 0;
  foldF64[d + T.PACKETS_F64 + 1] = hot[o + T.SLICE_PACKETS + 1] >>> 0;
  foldF64[d + T.OCTETS_F64] = hot[o + T.SLICE_OCTETS];
  foldF64[d + T.OCTETS_F64 + 1] = hot[o + T.SLICE_OCTETS + 1];
  foldF64[d + T.LAYER2_F64] = hot[o + T.SLICE_LAYER2];
  foldF64[d + T.LAYER2_F64 + 1] = hot[o + T.SLICE_LAYER2 + 1];
}

function growTotals({ hot, foldF64 }: FlowTable, o: number, f: number): void {
  const d = f >> 1;
  foldF64[d + T.PACKETS_F64] += hot[o + T.SLICE_PACKETS] >>> 0;
  foldF64[d + T.PACKETS_F64 + 1] += hot[o + T.SLICE_PACKETS + 1] >>> 0;
  foldF64[d + T.OCTETS_F64] += hot[o + T.SLICE_OCTETS];
  foldF64[d + T.OCTETS_F64 + 1] += hot[o + T.SLICE_OCTETS + 1];
  foldF64[d + T.LAYER2_F64] += hot[o + T.SLICE_LAYER2];
  foldF64[d + T.LAYER2_F64 + 1] += hot[o + T.SLICE_LAYER2 + 1];
}

function foldSpilled(table: FlowTable, row: number, d: number): void {
  const { spill, foldF64 } = table;
  const at = table.spillAt(row);
  for (let end = 0; end < 2; end++) {
    foldF64[d + T.OCTETS_F64 + end] += spill[at + T.SPILLED_OCTETS + end];
    foldF64[d + T.LAYER2_F64 + end] += spill[at + T.SPILLED_LAYER2 + end];
  }
  table.hot[(row << T.HOT_SHIFT) + T.STATE] &= ~T.SPILLED;
}

function flowMeta(kind: number, state: number): number {
  let meta = BIFLOW | INITIATOR_KNOWN;
  if ((kind & PACKET_HAS_IP) !== 0) meta |= HAS_IP;
  if ((kind & PACKET_HAS_PORTS) !== 0) meta |= HAS_PORTS;
  if ((kind & PACKET_HAS_ICMP) !== 0) meta |= HAS_ICMP;
  if ((kind & PACKET_IS_ICMP_ERROR) !== 0) meta |= IS_ICMP_ERROR;
  if ((kind & PACKET_IS_ARP) !== 0) meta |= IS_ARP;
  if ((kind & KIND_IPV6) !== 0) meta |= IS_IPV6;
  if ((state & T.WITH_OUTER) !== 0) meta |= HAS_OUTER;
  if ((state & T.BOTH_WENT_ON) === T.BOTH_WENT_ON) meta |= ESTABLISHED;
  if ((state & T.BEGAN_WITH_ANSWER) !== 0) meta |= UNASKED;
  if ((state & T.OPENED_BY_OTHER) !== 0) meta |= OPENED_BY_DESTINATION;
  return meta;
}

/** Columns that slices and records of a flow share; `from` is 1 when the initiator is the key's high end. */
function writeKey(table: FlowTable, row: number, outlet: Outlet, n: number, from: number): void {
  const { hot, cold } = table;
  const { batch } = outlet;
  const o = row << T.HOT_SHIFT;
  const c = row << T.COLD_SHIFT;
  const kind = hot[o + T.KIND];
  const ports = (kind & PACKET_HAS_PORTS) !== 0 ? hot[o + T.PORTS] : 0;
  const icmpTos = cold[c + T.FLOW_ICMP_TOS];
  writeAddresses(table, row, kind, batch, n, from);
  batch.sourceTransportPort[n] = ports >>> ((from ^ 1) << 4);
  batch.destinationTransportPort[n] = ports >>> (from << 4);
  batch.protocolIdentifier[n] = kind;
  batch.vlanId[n] = cold[c + T.FLOW_VLAN];
  batch.ingressInterface[n] = cold[c + T.FLOW_INTERFACE];
  batch.layers[n] = cold[c + T.FLOW_LAYERS];
  batch.sni[n] = cold[c + T.FLOW_SNI];
  batch.icmpTypeCode[n] = icmpTos;
  batch.ipClassOfService[n] = icmpTos >>> 16;
  writeMacs(table, row, batch, n, from);
  if ((hot[o + T.STATE] & T.WITH_OUTER) !== 0) writeOuter(table, row, outlet, n, from);
}

/** A row without IP and ARP keeps MAC addresses in the key's address words: the batch shows none there. */
function writeAddresses(table: FlowTable, row: number, kind: number, batch: FlowBatch, n: number, from: number): void {
  const { hot } = table;
  const o = row << T.HOT_SHIFT;
  const { sourceAddress, destinationAddress } = batch;
  const at = 4 * n;
  if (isWide(kind)) writeWide(table, row, batch, n, from);
  else {
    sourceAddress[at] = 0;
    sourceAddress[at + 1] = 0;
    sourceAddress[at + 2] = IPV4_WORD_2;
    destinationAddress[at] = 0;
    destinationAddress[at + 1] = 0;
    destinationAddress[at + 2] = IPV4_WORD_2;
  }
  const shown = (kind & (PACKET_HAS_IP | PACKET_IS_ARP)) === 0 ? 0 : -1;
  sourceAddress[at + 3] = hot[o + T.LOW + from] & shown;
  destinationAddress[at + 3] = hot[o + T.HIGH - from] & shown;
}

function writeWide(table: FlowTable, row: number, batch: FlowBatch, n: number, from: number): void {
  const kind = table.hot[(row << T.HOT_SHIFT) + T.KIND];
  const shown = (kind & (PACKET_HAS_IP | PACKET_IS_ARP)) === 0 ? 0 : -1;
  const source = (row << T.SIX_SHIFT) + T.SIX_HIGH * from;
  const destination = (row << T.SIX_SHIFT) + T.SIX_HIGH * (from ^ 1);
  for (let k = 0; k < 3; k++) {
    batch.sourceAddress[4 * n + k] = table.six[source + k] & shown;
    batch.destinationAddress[4 * n + k] = table.six[destination + k] & shown;
  }
}

function writeMacs(table: FlowTable, row: number, batch: FlowBatch, n: number, from: number): void {
  const { cold } = table;
  const c = row << T.COLD_SHIFT;
  if ((table.hot[(row << T.HOT_SHIFT) + T.STATE] & T.WITH_MAC) === 0) {
    batch.sourceMacAddress[n] = -1;
    batch.destinationMacAddress[n] = -1;
    return;
  }
  const halves = cold[c + T.MAC_HIGH_HALVES];
  const low = (halves >>> 16) * TWO_32 + (cold[c + T.MAC_LOW_WORDS] >>> 0);
  const high = (halves & 0xffff) * TWO_32 + (cold[c + T.MAC_LOW_WORDS + 1] >>> 0);
  batch.sourceMacAddress[n] = from ? high : low;
  batch.destinationMacAddress[n] = from ? low : high;
}

/** A row's tunnel; those without one are zero already. */
function writeOuter(table: FlowTable, row: number, outlet: Outlet, n: number, from: number): void {
  const { outerSourceAddress, outerDestinationAddress } = outlet.batch;
  const source = 8 * row + 4 * from;
  const destination = 8 * row + 4 * (from ^ 1);
  for (let k = 0; k < 4; k++) {
    outerSourceAddress[4 * n + k] = table.outer[source + k];
    outerDestinationAddress[4 * n + k] = table.outer[destination + k];
  }
  outlet.hasOuter = true;
}
