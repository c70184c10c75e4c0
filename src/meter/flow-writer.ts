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
import {
  HAS_ICMP as PACKET_HAS_ICMP,
  HAS_IP as PACKET_HAS_IP,
  HAS_PORTS as PACKET_HAS_PORTS,
  IS_ARP as PACKET_IS_ARP,
  IS_ICMP_ERROR as PACKET_IS_ICMP_ERROR,
  IS_IPV6 as PACKET_IS_IPV6,
} from '../model/packet-rows.ts';
import {
  BEGAN_WITH_ANSWER,
  BOTH_WENT_ON,
  CLOSED,
  FIRST_RECORD,
  FIRST_SLICE,
  FLOW_DNS,
  FLOW_DNS_TYPES,
  FLOW_ICMP_TOS,
  FLOW_INTERFACE,
  FLOW_LAYERS,
  FLOW_SHIFT,
  FLOW_SNI,
  FLOW_VLAN,
  FOLDED,
  HIGH,
  INITIATOR_HIGH,
  KEY_PORTS,
  KIND,
  LAST_F64,
  LATE,
  LAYER2_F64,
  LOW,
  MAC_HIGH_HALVES,
  MAC_LOW_WORDS,
  OCTETS_F64,
  OPENED_BY_OTHER,
  PACKETS_F64,
  RECORD_DNS_RESPONSE,
  SLICE_DNS,
  SLICE_DNS_RESPONSE,
  SLICE_END_F64,
  SLICE_FLAGS,
  SLICE_LAYER2_F64,
  SLICE_OCTETS_F64,
  SLICE_PACKETS,
  SLICE_START_F64,
  START_F64,
  STATE,
  TOTAL_FLAGS,
  WITH_MAC,
  WITH_OUTER,
} from './flow-row.ts';
import type { FlowTable } from './flow-table.ts';

const TWO_32 = 2 ** 32;

/** Writes the open slice of flow `row` into row `n` of the batch, seen from the initiator. */
export function writeSlice(table: FlowTable, row: number, batch: FlowBatch, n: number, leaving: boolean): void {
  const { hot, hotF64 } = table;
  const o = row << FLOW_SHIFT;
  const d = o >> 1;
  const state = hot[o + STATE];
  const from = state & INITIATOR_HIGH;
  const to = from ^ 1;
  const flags = hot[o + SLICE_FLAGS];
  batch.startUs[n] = hotF64[d + SLICE_START_F64];
  batch.endUs[n] = hotF64[d + SLICE_END_F64];
  writeCounts(table, o, batch, n, from);
  batch.tcpControlBits[n] = (flags >>> (from << 4)) & 0xfff;
  batch.reverseTcpControlBits[n] = (flags >>> (to << 4)) & 0xfff;
  batch.dnsName[n] = hot[o + SLICE_DNS];
  batch.dnsType[n] = table.cold[o + FLOW_DNS_TYPES] >>> 16;
  batch.flowEndReason[n] = 0;
  let meta = flowMeta(hot[o + KIND], state);
  if ((state & FIRST_SLICE) !== 0) meta |= FIRST;
  if ((state & SLICE_DNS_RESPONSE) !== 0) meta |= IS_DNS_RESPONSE;
  if (leaving || (state & CLOSED) !== 0) meta |= LAST;
  batch.meta[n] = meta;
  writeKey(table, row, batch, n, from);
}

/** Writes what flow `row` did since its record began: what earlier slices brought, and the open slice. */
export function writeRecord(table: FlowTable, row: number, batch: FlowBatch, n: number, reason: number): void {
  const { hot, cold } = table;
  const o = row << FLOW_SHIFT;
  const state = hot[o + STATE];
  const from = state & INITIATOR_HIGH;
  const flags = hot[o + SLICE_FLAGS] | ((state & FOLDED) !== 0 ? cold[o + TOTAL_FLAGS] : 0);
  batch.startUs[n] = table.hotF64[(o >> 1) + START_F64];
  batch.endUs[n] = lastUs(table, o);
  batch.tcpControlBits[n] = (flags >>> (from << 4)) & 0xfff;
  batch.reverseTcpControlBits[n] = (flags >>> ((from ^ 1) << 4)) & 0xfff;
  batch.dnsName[n] = cold[o + FLOW_DNS];
  batch.dnsType[n] = cold[o + FLOW_DNS_TYPES] & 0xffff;
  batch.flowEndReason[n] = reason;
  let meta = flowMeta(hot[o + KIND], state) | LAST;
  if ((state & FIRST_RECORD) !== 0) meta |= FIRST;
  if ((state & RECORD_DNS_RESPONSE) !== 0) meta |= IS_DNS_RESPONSE;
  batch.meta[n] = meta;
  writeCounts(table, o, batch, n, from);
  if ((state & FOLDED) !== 0) addTotals(table, o, batch, n, from);
  writeKey(table, row, batch, n, from);
}

/** Packets and octets of the open slice. */
function writeCounts(table: FlowTable, o: number, batch: FlowBatch, n: number, from: number): void {
  const { hot, hotF64 } = table;
  const d = o >> 1;
  const to = from ^ 1;
  batch.packetDeltaCount[n] = hot[o + SLICE_PACKETS + from] >>> 0;
  batch.octetDeltaCount[n] = hotF64[d + SLICE_OCTETS_F64 + from];
  batch.layer2OctetDeltaCount[n] = hotF64[d + SLICE_LAYER2_F64 + from];
  batch.reversePacketDeltaCount[n] = hot[o + SLICE_PACKETS + to] >>> 0;
  batch.reverseOctetDeltaCount[n] = hotF64[d + SLICE_OCTETS_F64 + to];
  batch.reverseLayer2OctetDeltaCount[n] = hotF64[d + SLICE_LAYER2_F64 + to];
}

function addTotals(table: FlowTable, o: number, batch: FlowBatch, n: number, from: number): void {
  const { coldF64 } = table;
  const d = o >> 1;
  const to = from ^ 1;
  batch.packetDeltaCount[n] += coldF64[d + PACKETS_F64 + from];
  batch.octetDeltaCount[n] += coldF64[d + OCTETS_F64 + from];
  batch.layer2OctetDeltaCount[n] += coldF64[d + LAYER2_F64 + from];
  batch.reversePacketDeltaCount[n] += coldF64[d + PACKETS_F64 + to];
  batch.reverseOctetDeltaCount[n] += coldF64[d + OCTETS_F64 + to];
  batch.reverseLayer2OctetDeltaCount[n] += coldF64[d + LAYER2_F64 + to];
}

/** The latest packet of the flow whose hot row is at word `o`. */
export function lastUs(table: FlowTable, o: number): number {
  const end = table.hotF64[(o >> 1) + SLICE_END_F64];
  return (table.hot[o + STATE] & LATE) === 0 ? end : Math.max(end, table.coldF64[(o >> 1) + LAST_F64]);
}

/** Adds the open slice to the record's totals and empties it. */
export function foldSlice(table: FlowTable, row: number): void {
  const { hot, hotF64, cold, coldF64 } = table;
  const o = row << FLOW_SHIFT;
  const d = o >> 1;
  const keep = (hot[o + STATE] & FOLDED) !== 0 ? 1 : 0;
  for (let end = 0; end < 2; end++) {
    coldF64[d + PACKETS_F64 + end] = keep * coldF64[d + PACKETS_F64 + end] + (hot[o + SLICE_PACKETS + end] >>> 0);
    coldF64[d + OCTETS_F64 + end] = keep * coldF64[d + OCTETS_F64 + end] + hotF64[d + SLICE_OCTETS_F64 + end];
    coldF64[d + LAYER2_F64 + end] = keep * coldF64[d + LAYER2_F64 + end] + hotF64[d + SLICE_LAYER2_F64 + end];
    hot[o + SLICE_PACKETS + end] = 0;
    hotF64[d + SLICE_OCTETS_F64 + end] = 0;
    hotF64[d + SLICE_LAYER2_F64 + end] = 0;
  }
  cold[o + TOTAL_FLAGS] = (keep * cold[o + TOTAL_FLAGS]) | hot[o + SLICE_FLAGS];
  hot[o + SLICE_FLAGS] = 0;
  hot[o + STATE] |= FOLDED;
}

function flowMeta(kind: number, state: number): number {
  let meta = BIFLOW | INITIATOR_KNOWN;
  if ((kind & PACKET_HAS_IP) !== 0) meta |= HAS_IP;
  if ((kind & PACKET_HAS_PORTS) !== 0) meta |= HAS_PORTS;
  if ((kind & PACKET_HAS_ICMP) !== 0) meta |= HAS_ICMP;
  if ((kind & PACKET_IS_ICMP_ERROR) !== 0) meta |= IS_ICMP_ERROR;
  if ((kind & PACKET_IS_ARP) !== 0) meta |= IS_ARP;
  if ((kind & PACKET_IS_IPV6) !== 0) meta |= IS_IPV6;
  if ((state & WITH_OUTER) !== 0) meta |= HAS_OUTER;
  if ((state & BOTH_WENT_ON) === BOTH_WENT_ON) meta |= ESTABLISHED;
  if ((state & BEGAN_WITH_ANSWER) !== 0) meta |= UNASKED;
  if ((state & OPENED_BY_OTHER) !== 0) meta |= OPENED_BY_DESTINATION;
  return meta;
}

/** Columns that slices and records of a flow share; `from` is 1 when the initiator is the key's high end. */
function writeKey(table: FlowTable, row: number, batch: FlowBatch, n: number, from: number): void {
  const { hot, cold } = table;
  const o = row << FLOW_SHIFT;
  const kind = hot[o + KIND];
  const ports = hot[o + KEY_PORTS];
  writeAddresses(hot, kind, o + (from ? HIGH : LOW), o + (from ? LOW : HIGH), batch, n);
  const hasPorts = (kind & PACKET_HAS_PORTS) !== 0;
  batch.sourceTransportPort[n] = hasPorts ? (from ? ports & 0xffff : ports >>> 16) : 0;
  batch.destinationTransportPort[n] = hasPorts ? (from ? ports >>> 16 : ports & 0xffff) : 0;
  batch.protocolIdentifier[n] = kind & 0xff;
  batch.vlanId[n] = cold[o + FLOW_VLAN];
  batch.ingressInterface[n] = cold[o + FLOW_INTERFACE];
  batch.egressInterface[n] = -1;
  batch.layers[n] = cold[o + FLOW_LAYERS];
  batch.sni[n] = cold[o + FLOW_SNI];
  batch.icmpTypeCode[n] = cold[o + FLOW_ICMP_TOS] & 0xffff;
  batch.ipClassOfService[n] = cold[o + FLOW_ICMP_TOS] >>> 16;
  batch.exporter[n] = 0;
  batch.sourceAs[n] = -1;
  batch.destinationAs[n] = -1;
  batch.samplingInterval[n] = 1;
  batch.observationDomainId[n] = 0;
  writeMacs(table, o, batch, n, from);
  writeOuter(table, row, batch, n, from);
}

/** A row without IP and ARP keeps MAC addresses in the key's address words: the batch shows none there. */
function writeAddresses(
  hot: Int32Array,
  kind: number,
  source: number,
  destination: number,
  batch: FlowBatch,
  n: number,
): void {
  const shown = (kind & (PACKET_HAS_IP | PACKET_IS_ARP)) === 0 ? 0 : -1;
  for (let k = 0; k < 4; k++) {
    batch.sourceAddress[4 * n + k] = hot[source + k] & shown;
    batch.destinationAddress[4 * n + k] = hot[destination + k] & shown;
  }
}

function writeMacs(table: FlowTable, o: number, batch: FlowBatch, n: number, from: number): void {
  if ((table.hot[o + STATE] & WITH_MAC) === 0) {
    batch.sourceMacAddress[n] = -1;
    batch.destinationMacAddress[n] = -1;
    return;
  }
  const halves = table.cold[o + MAC_HIGH_HALVES];
  const low = (halves >>> 16) * TWO_32 + (table.cold[o + MAC_LOW_WORDS] >>> 0);
  const high = (halves & 0xffff) * TWO_32 + (table.cold[o + MAC_LOW_WORDS + 1] >>> 0);
  batch.sourceMacAddress[n] = from ? high : low;
  batch.destinationMacAddress[n] = from ? low : high;
}

function writeOuter(table: FlowTable, row: number, batch: FlowBatch, n: number, from: number): void {
  if ((table.hot[(row << FLOW_SHIFT) + STATE] & WITH_OUTER) === 0) {
    for (let k = 0; k < 4; k++) {
      batch.outerSourceAddress[4 * n + k] = 0;
      batch.outerDestinationAddress[4 * n + k] = 0;
    }
    return;
  }
  const source = 8 * row + 4 * from;
  const destination = 8 * row + 4 * (from ^ 1);
  for (let k = 0; k < 4; k++) {
    batch.outerSourceAddress[4 * n + k] = table.outer[source + k];
    batch.outerDestinationAddress[4 * n + k] = table.outer[destination + k];
  }
}
