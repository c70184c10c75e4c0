import type { Counter, Metrics } from '../core/metrics.ts';
import {
  DNS_NAME,
  DNS_TYPE,
  DST_MAC,
  FLAGS,
  HAS_IP,
  HAS_MAC,
  HAS_OUTER,
  ICMP,
  INTERFACE,
  IS_DNS_RESPONSE,
  LAYERS,
  META,
  OUTER_DST,
  OUTER_SRC,
  SNI,
  SRC_MAC,
  VLAN,
} from '../model/packet-rows.ts';
import { ExpiryWheel } from './expiry-wheel.ts';
import * as T from './flow-table.ts';
import { foldSlice, lastUs, writeRecord, writeSlice } from './flow-writer.ts';
import { ANSWERS, FROM_HIGH, type KeyBatch, SPECIAL } from './key-batch.ts';
import type { Outlet } from './outlet.ts';
import { RowQueue } from './row-queue.ts';

/** IPFIX 136, flowEndReason (RFC 5102, section 5.11.3). */
export const IDLE_TIMEOUT = 1;
export const ACTIVE_TIMEOUT = 2;
export const END_OF_FLOW = 3;
export const FORCED_END = 4;
export const LACK_OF_RESOURCES = 5;

const SECOND_US = 1e6;
/** A closed connection still takes its stragglers (last ACK, retransmissions) until it is silent this long. */
const GRACE_US = 5e6;
/** How many rows are compared to find one to evict. */
const PROBE_WINDOW = 16;

const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;

export interface LifeOptions {
  activeTimeoutUs: number;
  idleTimeoutUs: number;
  maxFlows: number;
  slices: boolean;
  records: boolean;
}

/** How flows open, turn their slices, end and leave: everything that is not done for each packet. */
export class FlowLife {
  readonly table: T.FlowTable;
  readonly #idleUs: number;
  readonly #activeUs: number;
  readonly #graceUs: number;
  readonly #withSlices: boolean;
  readonly #withRecords: boolean;
  readonly #slices: Outlet;
  readonly #records: Outlet;
  readonly #wheel: ExpiryWheel;
  readonly #closing: RowQueue;
  #open: Int32Array;
  #openCount = 0;
  #hand = 0;
  readonly #evicted: Counter;
  readonly #begun: Counter;

  constructor(options: LifeOptions, slices: Outlet, records: Outlet, metrics: Metrics) {
    this.table = new T.FlowTable(options.maxFlows);
    this.#idleUs = options.idleTimeoutUs;
    this.#activeUs = options.activeTimeoutUs;
    this.#graceUs = Math.min(GRACE_US, options.idleTimeoutUs);
    this.#withSlices = options.slices;
    this.#withRecords = options.records;
    this.#slices = slices;
    this.#records = records;
    this.#wheel = new ExpiryWheel(this.table, options.idleTimeoutUs);
    this.#closing = new RowQueue(this.table.capacity);
    this.#open = new Int32Array(this.table.capacity);
    this.#evicted = metrics.counter(
      'weir_meter_flows_evicted_total{cause="table_full"}',
      'Flows that left early because the flow table was full.',
    );
    this.#begun = metrics.counter('weir_meter_flows_total', 'Flows that began.');
  }

  /** Room for `count` more flows, as far as the limit allows. */
  reserve(count: number): void {
    const before = this.table.capacity;
    this.table.reserve(count);
    if (this.table.capacity === before) return;
    this.#closing.resize(this.table.capacity);
    const open = new Int32Array(this.table.capacity);
    open.set(this.#open.subarray(0, this.#openCount));
    this.#open = open;
  }

  /** The row of a key that no flow has yet: another flow leaves for it when the table is full. */
  admit(keys: KeyBatch, i: number, words: Int32Array, r: number, timeUs: number, clockUs: number): number {
    if (this.table.full) this.#evict();
    const row = this.table.take(keys, i, words, r);
    const o = row << T.FLOW_SHIFT;
    if ((this.table.hot[o + T.STATE] & T.IN_WHEEL) === 0) {
      this.table.hot[o + T.STATE] |= T.IN_WHEEL;
      this.#wheel.insert(row, clockUs);
    }
    this.#begin(row, keys.info[i], words, r, timeUs);
    return row;
  }

  /** Of a few rows, a closed connection or else the longest idle one leaves; the hand goes round all rows. */
  #evict(): void {
    const { table } = this;
    const window = Math.min(PROBE_WINDOW, table.used);
    let chosen = -1;
    let oldest = Number.POSITIVE_INFINITY;
    for (let k = 0; k < window; k++) {
      const row = (this.#hand + k) % table.used;
      const o = row << T.FLOW_SHIFT;
      const last = (table.hot[o + T.STATE] & T.CLOSED) !== 0 ? Number.NEGATIVE_INFINITY : lastUs(table, o);
      if (chosen >= 0 && last >= oldest) continue;
      chosen = row;
      oldest = last;
    }
    this.#hand = (this.#hand + window) % table.used;
    this.#evicted.value++;
    this.leave(chosen, LACK_OF_RESOURCES);
  }

  /** Starts a flow in a row that has its key: the packet's sender is the initiator. */
  #begin(row: number, info: number, words: Int32Array, r: number, timeUs: number): void {
    const { hot, hotF64, cold } = this.table;
    const o = row << T.FLOW_SHIFT;
    let state = (hot[o + T.STATE] & T.MEMBERSHIPS) | T.FIRST_SLICE | T.NO_SLICE | T.FIRST_RECORD;
    if ((info & FROM_HIGH) !== 0) state |= T.INITIATOR_HIGH;
    if ((info & ANSWERS) !== 0) state |= T.BEGAN_WITH_ANSWER;
    if ((info & ANSWERS) !== 0 && (tcpFlags(words, r) & (SYN | RST)) === SYN) state |= T.OPENED_BY_OTHER;
    hot[o + T.STATE] = state;
    hot[o + T.SLICE_DNS] = 0;
    hotF64[(o >> 1) + T.SLICE_END_F64] = timeUs;
    cold[o + T.FLOW_LAYERS] = words[r + LAYERS];
    cold[o + T.FLOW_INTERFACE] = words[r + INTERFACE];
    cold[o + T.FLOW_VLAN] = words[r + VLAN];
    cold[o + T.FLOW_ICMP_TOS] = (words[r + ICMP] & 0xffff) | (words[r + FLAGS] & 0x00ff0000);
    cold[o + T.FLOW_SNI] = 0;
    this.#keepMac(o, info, words, r);
    this.#beginRecord(o, timeUs);
    this.#begun.value++;
  }

  #beginRecord(o: number, timeUs: number): void {
    const { hot, hotF64, cold, coldF64 } = this.table;
    hotF64[(o >> 1) + T.START_F64] = timeUs;
    for (let k = T.PACKETS_F64; k < T.LAST_F64; k++) coldF64[(o >> 1) + k] = 0;
    cold[o + T.TOTAL_FLAGS] = 0;
    cold[o + T.FLOW_DNS] = 0;
    cold[o + T.FLOW_DNS_TYPES] = 0;
    for (let k = T.SLICE_FLAGS; k <= T.SLICE_PACKETS + 1; k++) hot[o + k] = 0;
    for (let k = T.SLICE_OCTETS_F64; k < T.SLICE_START_F64; k++) hotF64[(o >> 1) + k] = 0;
    hot[o + T.STATE] &= ~T.RECORD_DNS_RESPONSE;
  }

  #keepMac(o: number, info: number, words: Int32Array, r: number): void {
    if ((words[r + META] & HAS_MAC) === 0) return;
    const { hot, cold } = this.table;
    const low = r + ((info & FROM_HIGH) !== 0 ? DST_MAC : SRC_MAC);
    const high = r + ((info & FROM_HIGH) !== 0 ? SRC_MAC : DST_MAC);
    cold[o + T.MAC_HIGH_HALVES] = (words[low] << 16) | (words[high] & 0xffff);
    cold[o + T.MAC_LOW_WORDS] = words[low + 1];
    cold[o + T.MAC_LOW_WORDS + 1] = words[high + 1];
    hot[o + T.STATE] |= T.WITH_MAC;
  }

  /** A flow's tunnel is that of its first packet that has one. */
  #keepOuter(row: number, info: number, words: Int32Array, r: number): void {
    const at = this.table.outerAt(row);
    const low = r + ((info & FROM_HIGH) !== 0 ? OUTER_DST : OUTER_SRC);
    const high = r + ((info & FROM_HIGH) !== 0 ? OUTER_SRC : OUTER_DST);
    for (let k = 0; k < 4; k++) {
      this.table.outer[at + k] = words[low + k];
      this.table.outer[at + 4 + k] = words[high + k];
    }
    this.table.hot[(row << T.FLOW_SHIFT) + T.STATE] |= T.WITH_OUTER;
  }

  /**
   * What a packet may change beside the counters, before it is counted: the end of the flow's record, a new slice,
   * TCP's state, names. Called for the first packet of a flow in each second and for special ones.
   */
  attend(row: number, info: number, words: Int32Array, r: number, timeUs: number, second: number): void {
    const { hot, hotF64 } = this.table;
    const o = row << T.FLOW_SHIFT;
    this.#endWhatIsOver(row, o, info, words, r, timeUs);
    if (timeUs < hotF64[(o >> 1) + T.START_F64]) hotF64[(o >> 1) + T.START_F64] = timeUs;
    this.#turnSlice(row, o, timeUs, second);
    if ((words[r + META] & HAS_OUTER) !== 0 && (hot[o + T.STATE] & T.WITH_OUTER) === 0) {
      this.#keepOuter(row, info, words, r);
    }
    if ((hot[o + T.STATE] & T.BEGAN_WITH_ANSWER) !== 0) this.#hearRequest(o, info);
    if ((info & SPECIAL) === 0) return;
    this.#followTcp(row, o, info, tcpFlags(words, r), timeUs);
    this.#keepNames(row, o, words, r, timeUs, second);
  }

  #endWhatIsOver(row: number, o: number, info: number, words: Int32Array, r: number, timeUs: number): void {
    const { hot, hotF64 } = this.table;
    const closed = (hot[o + T.STATE] & T.CLOSED) !== 0;
    if (timeUs - lastUs(this.table, o) > this.#idleUs) {
      this.#endRecord(row, closed ? END_OF_FLOW : IDLE_TIMEOUT);
      this.#begin(row, info, words, r, timeUs);
    } else if (closed && (tcpFlags(words, r) & (SYN | ACK | RST)) === SYN) {
      this.#endRecord(row, END_OF_FLOW);
      this.#begin(row, info, words, r, timeUs);
    } else if (timeUs - hotF64[(o >> 1) + T.START_F64] > this.#activeUs) {
      this.#endRecord(row, ACTIVE_TIMEOUT);
      this.#beginRecord(o, timeUs);
      hot[o + T.STATE] = (hot[o + T.STATE] | T.NO_SLICE) & ~(T.FIRST_RECORD | T.LATE);
      hotF64[(o >> 1) + T.SLICE_END_F64] = timeUs;
    }
  }

  /** A slice holds packets of one second; the first one those of the flow's first second, wherever that begins. */
  #turnSlice(row: number, o: number, timeUs: number, second: number): void {
    const { hot, hotF64 } = this.table;
    const state = hot[o + T.STATE];
    if ((state & T.NO_SLICE) !== 0) {
      this.#openSlice(row, o, timeUs, second);
      return;
    }
    if (second === hot[o + T.SECOND]) return;
    if (!this.#withSlices) {
      hot[o + T.SECOND] = second;
      return;
    }
    const age = timeUs - hotF64[(o >> 1) + T.START_F64];
    if ((state & T.FIRST_SLICE) !== 0 && age < SECOND_US && age > -SECOND_US) return;
    this.#emitSlice(row, false);
    this.#openSlice(row, o, timeUs, second);
  }

  #openSlice(row: number, o: number, timeUs: number, second: number): void {
    const { hot, hotF64, coldF64 } = this.table;
    const d = o >> 1;
    const end = hotF64[d + T.SLICE_END_F64];
    let state = hot[o + T.STATE] & ~(T.NO_SLICE | T.SLICE_DNS_RESPONSE);
    if (timeUs < end) {
      coldF64[d + T.LAST_F64] = lastUs(this.table, o);
      state |= T.LATE;
    }
    hotF64[d + T.SLICE_START_F64] = timeUs;
    hotF64[d + T.SLICE_END_F64] = timeUs;
    hot[o + T.SECOND] = second;
    hot[o + T.SLICE_DNS] = 0;
    if (this.#withSlices && (state & T.IN_OPEN_SLICES) === 0) {
      state |= T.IN_OPEN_SLICES;
      this.#open[this.#openCount++] = row;
    }
    hot[o + T.STATE] = state;
  }

  /** A packet from the other side that is no answer itself makes an unasked flow an ordinary one. */
  #hearRequest(o: number, info: number): void {
    const { hot } = this.table;
    const state = hot[o + T.STATE];
    if ((info & ANSWERS) !== 0 || (info & FROM_HIGH) === (state & T.INITIATOR_HIGH)) return;
    const flipped = (state & T.OPENED_BY_OTHER) !== 0 ? state ^ T.INITIATOR_HIGH : state;
    hot[o + T.STATE] = flipped & ~(T.BEGAN_WITH_ANSWER | T.OPENED_BY_OTHER);
  }

  #followTcp(row: number, o: number, info: number, flags: number, timeUs: number): void {
    const { hot } = this.table;
    let state = hot[o + T.STATE];
    if ((flags & FIN) !== 0) state |= T.FIN_SEEN << (info & FROM_HIGH);
    if ((flags & RST) !== 0 || (state & T.BOTH_FIN_SEEN) === T.BOTH_FIN_SEEN) {
      state |= T.CLOSED;
      if ((state & T.IN_CLOSING) === 0) {
        state |= T.IN_CLOSING;
        this.#closing.push(row, timeUs + this.#graceUs);
      }
    }
    hot[o + T.STATE] = state;
  }

  /** A second DNS name ends the slice, so that each name stands in a row of its own. */
  #keepNames(row: number, o: number, words: Int32Array, r: number, timeUs: number, second: number): void {
    const { hot, cold } = this.table;
    if (cold[o + T.FLOW_SNI] === 0) cold[o + T.FLOW_SNI] = words[r + SNI];
    const name = words[r + DNS_NAME];
    const type = words[r + DNS_TYPE] & 0xffff;
    if (name !== 0) {
      const types = cold[o + T.FLOW_DNS_TYPES];
      if (hot[o + T.SLICE_DNS] !== 0 && (hot[o + T.SLICE_DNS] !== name || types >>> 16 !== type) && this.#withSlices) {
        this.#emitSlice(row, false);
        this.#openSlice(row, o, timeUs, second);
      }
      hot[o + T.SLICE_DNS] = name;
      cold[o + T.FLOW_DNS_TYPES] = (type << 16) | (cold[o + T.FLOW_DNS] === 0 ? type : types & 0xffff);
      if (cold[o + T.FLOW_DNS] === 0) cold[o + T.FLOW_DNS] = name;
    }
    if ((words[r + META] & IS_DNS_RESPONSE) !== 0) {
      hot[o + T.STATE] |= T.SLICE_DNS_RESPONSE | T.RECORD_DNS_RESPONSE;
    }
  }

  #emitSlice(row: number, leaving: boolean): void {
    const { table } = this;
    writeSlice(table, row, this.#slices.batch, this.#slices.next(), leaving);
    foldSlice(table, row);
    const at = (row << T.FLOW_SHIFT) + T.STATE;
    table.hot[at] = (table.hot[at] & ~T.FIRST_SLICE) | T.NO_SLICE;
  }

  #endRecord(row: number, reason: number): void {
    const { table } = this;
    const isOpen = (table.hot[(row << T.FLOW_SHIFT) + T.STATE] & T.NO_SLICE) === 0;
    if (isOpen && this.#withSlices) this.#emitSlice(row, reason !== ACTIVE_TIMEOUT);
    else foldSlice(table, row);
    if (this.#withRecords) writeRecord(table, row, this.#records.batch, this.#records.next(), reason);
  }

  /** Ends a flow's record and frees its row; a closed connection's reason is its end, whatever made it leave. */
  leave(row: number, reason: number): void {
    const closed = (this.table.hot[(row << T.FLOW_SHIFT) + T.STATE] & T.CLOSED) !== 0;
    this.#endRecord(row, closed ? END_OF_FLOW : reason);
    this.table.free(row);
  }

  /** Event time reached `clockUs`, past a whole second: slices turn, closed and idle flows leave. */
  tick(clockUs: number): void {
    if (this.#withSlices) this.#turnOpenSlices(Math.floor(clockUs / SECOND_US) * SECOND_US);
    this.#leaveClosed(clockUs);
    this.#leaveIdle(clockUs);
    this.#slices.deliver();
    this.#records.deliver();
  }

  /** Slices of seconds that are over leave; a flow's first slice stays until the flow is a second old or closed. */
  #turnOpenSlices(nowUs: number): void {
    const { hot, hotF64 } = this.table;
    let kept = 0;
    for (let i = 0; i < this.#openCount; i++) {
      const row = this.#open[i];
      const o = row << T.FLOW_SHIFT;
      const state = hot[o + T.STATE];
      const gone = hot[o + T.KIND] === 0 || (state & T.NO_SLICE) !== 0;
      const held = (state & (T.FIRST_SLICE | T.CLOSED)) === T.FIRST_SLICE;
      if (!gone && held && nowUs - hotF64[(o >> 1) + T.START_F64] < SECOND_US) {
        this.#open[kept++] = row;
        continue;
      }
      if (!gone) this.#emitSlice(row, false);
      hot[o + T.STATE] &= ~T.IN_OPEN_SLICES;
    }
    this.#openCount = kept;
  }

  #leaveClosed(clockUs: number): void {
    const { table } = this;
    for (let row = this.#closing.pop(clockUs); row >= 0; row = this.#closing.pop(clockUs)) {
      const o = row << T.FLOW_SHIFT;
      const closed = table.hot[o + T.KIND] !== 0 && (table.hot[o + T.STATE] & T.CLOSED) !== 0;
      const due = closed ? lastUs(table, o) + this.#graceUs : 0;
      if (due > clockUs) this.#closing.push(row, due);
      else table.hot[o + T.STATE] &= ~T.IN_CLOSING;
      if (closed && due <= clockUs) this.leave(row, END_OF_FLOW);
    }
  }

  #leaveIdle(clockUs: number): void {
    for (let next = this.#wheel.due(clockUs); next >= 0; next = this.#wheel.due(clockUs)) {
      this.#walkList(next, clockUs);
    }
  }

  #walkList(first: number, clockUs: number): void {
    const { table } = this;
    const { hot } = table;
    for (let next = first; next > 0; ) {
      const row = next - 1;
      const o = row << T.FLOW_SHIFT;
      next = hot[o + T.NEXT];
      const last = lastUs(table, o);
      if (hot[o + T.KIND] !== 0 && clockUs - last <= this.#idleUs) {
        this.#wheel.insert(row, last);
        continue;
      }
      hot[o + T.STATE] &= ~T.IN_WHEEL;
      if (hot[o + T.KIND] !== 0) this.leave(row, IDLE_TIMEOUT);
    }
  }

  /** All flows leave, in the order of their rows; event time may start anew. */
  leaveAll(clockUs: number): void {
    const { table } = this;
    for (let row = 0; row < table.used; row++) {
      if (!table.isLive(row)) continue;
      const idle = clockUs - lastUs(table, row << T.FLOW_SHIFT) > this.#idleUs;
      this.leave(row, idle ? IDLE_TIMEOUT : FORCED_END);
    }
    this.#forgetLists();
    this.#slices.deliver();
    this.#records.deliver();
  }

  #forgetLists(): void {
    const { table } = this;
    this.#openCount = 0;
    this.#wheel.clear();
    while (this.#closing.pop(Number.POSITIVE_INFINITY) >= 0);
    for (let row = 0; row < table.used; row++) table.hot[(row << T.FLOW_SHIFT) + T.STATE] = 0;
    table.clear();
  }
}

/** TCP flags of a packet row; 0 for other protocols. */
function tcpFlags(words: Int32Array, r: number): number {
  return (words[r + META] & (HAS_IP | 0xff)) === (HAS_IP | 6) ? words[r + FLAGS] & 0xfff : 0;
}
