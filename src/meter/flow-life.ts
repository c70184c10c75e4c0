import type { Counter, Metrics } from '../core/metrics.ts';
import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import { DNS_NAME, DNS_TYPE, HAS_OUTER, IS_DNS_RESPONSE, META, SNI } from '../model/packet-rows.ts';
import { ExpiryWheel } from './expiry-wheel.ts';
import { ACK, beginFlow, beginRecord, FIN, keepOuter, RST, SYN, tcpFlags } from './flow-begin.ts';
import * as T from './flow-row.ts';
import { FlowTable } from './flow-table.ts';
import { lastUs, writeRecord } from './flow-writer.ts';
import { ANSWERS, FROM_HIGH, type KeyBatch, SPECIAL } from './key-batch.ts';
import { OpenSlices, SECOND_US } from './open-slices.ts';
import type { Outlet } from './outlet.ts';
import { RowQueue } from './row-queue.ts';

/** IPFIX 136, flowEndReason (RFC 5102, section 5.11.3). */
export const IDLE_TIMEOUT = 1;
export const ACTIVE_TIMEOUT = 2;
export const END_OF_FLOW = 3;
export const FORCED_END = 4;
export const LACK_OF_RESOURCES = 5;

/**
 * A closed connection still takes its stragglers (last ACK, retransmissions) until it is silent for this share of the
 * idle timeout: 5 s by default.
 */
const GRACE = 1 / 3;
/** How many rows are compared to find one to evict. */
const PROBE_WINDOW = 16;

export interface LifeOptions {
  activeTimeoutUs: number;
  idleTimeoutUs: number;
  maxFlows: number;
  slices: boolean;
  records: boolean;
}

/** How flows begin, change, end and leave: everything that is not done for each packet. */
export class FlowLife implements Stateful {
  readonly table: FlowTable;
  readonly #idleUs: number;
  readonly #activeUs: number;
  readonly #graceUs: number;
  readonly #withRecords: boolean;
  readonly #slices: OpenSlices;
  readonly #records: Outlet;
  readonly #wheel: ExpiryWheel;
  readonly #closing: RowQueue;
  /** Where the search for a flow to evict goes on. */
  #hand = 0;
  readonly #evicted: Counter;
  readonly #begun: Counter;

  constructor(options: LifeOptions, slices: Outlet, records: Outlet, metrics: Metrics) {
    this.table = new FlowTable(options.maxFlows);
    this.#idleUs = options.idleTimeoutUs;
    this.#activeUs = options.activeTimeoutUs;
    this.#graceUs = Math.floor(GRACE * options.idleTimeoutUs);
    this.#withRecords = options.records;
    this.#slices = new OpenSlices(this.table, slices, options.slices);
    this.#records = records;
    this.#wheel = new ExpiryWheel(this.table, options.idleTimeoutUs);
    this.#closing = new RowQueue(this.table.capacity);
    this.#begun = metrics.counter('weir_meter_flows_total', 'Flows that began.');
    this.#evicted = metrics.counter(
      'weir_meter_flows_evicted_total{cause="table_full"}',
      'Flows that left early because the flow table was full.',
    );
  }

  /** Room for `count` more flows, as far as the limit allows. */
  reserve(count: number): void {
    const before = this.table.capacity;
    this.table.reserve(count);
    if (this.table.capacity === before) return;
    this.#closing.resize(this.table.capacity);
    this.#slices.resize(this.table.capacity);
  }

  save(out: StateWriter): void {
    this.table.save(out);
    out.number(this.#hand);
    this.#wheel.save(out);
    this.#closing.save(out);
    this.#slices.save(out);
  }

  restore(state: StateReader): void {
    this.table.restore(state);
    this.#hand = state.number();
    this.#wheel.restore(state);
    this.#closing.resize(this.table.capacity);
    this.#closing.restore(state);
    this.#slices.resize(this.table.capacity);
    this.#slices.restore(state);
  }

  /** The row of a key that no flow has yet: another flow leaves for it when the table is full. */
  admit(keys: KeyBatch, i: number, words: Int32Array, r: number, timeUs: number, clockUs: number): number {
    if (this.table.full) this.#evict();
    const row = this.table.take(keys, i, words, r);
    const at = (row << T.FLOW_SHIFT) + T.STATE;
    if ((this.table.hot[at] & T.IN_WHEEL) === 0) {
      this.table.hot[at] |= T.IN_WHEEL;
      this.#wheel.insert(row, clockUs);
    }
    this.#begin(row, keys.info[i], words, r, timeUs);
    return row;
  }

  /** Of a few rows a closed connection, or else the longest idle one, leaves; the hand goes round all rows. */
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
    this.#leave(chosen, LACK_OF_RESOURCES);
  }

  #begin(row: number, info: number, words: Int32Array, r: number, timeUs: number): void {
    beginFlow(this.table, row, info, words, r, timeUs);
    this.#begun.value++;
  }

  /**
   * What a packet may change beside the counters, before it is counted: the end of the flow's record, a new slice,
   * TCP's state, names. Called for a flow's first packet in each second and for special ones.
   */
  attend(row: number, info: number, words: Int32Array, r: number, timeUs: number, second: number): void {
    const { hot, hotF64 } = this.table;
    const o = row << T.FLOW_SHIFT;
    this.#endWhatIsOver(row, o, info, words, r, timeUs);
    if (timeUs < hotF64[(o >> 1) + T.START_F64]) hotF64[(o >> 1) + T.START_F64] = timeUs;
    this.#slices.turn(row, o, timeUs, second);
    if ((words[r + META] & HAS_OUTER) !== 0 && (hot[o + T.STATE] & T.WITH_OUTER) === 0) {
      keepOuter(this.table, row, info, words, r);
    }
    if ((hot[o + T.STATE] & T.BEGAN_WITH_ANSWER) !== 0) this.#hearRequest(o, info);
    if ((info & SPECIAL) === 0) return;
    this.#followTcp(row, o, info, tcpFlags(words, r), timeUs);
    if ((words[r + DNS_NAME] | words[r + SNI] | (words[r + META] & IS_DNS_RESPONSE)) === 0) return;
    this.#keepNames(row, o, words, r, timeUs, second);
  }

  #endWhatIsOver(row: number, o: number, info: number, words: Int32Array, r: number, timeUs: number): void {
    const { hot, hotF64 } = this.table;
    const closed = (hot[o + T.STATE] & T.CLOSED) !== 0;
    const silent = timeUs - lastUs(this.table, o) > (closed ? this.#graceUs : this.#idleUs);
    if (silent || (closed && (tcpFlags(words, r) & (SYN | ACK | RST)) === SYN)) {
      this.#endRecord(row, closed ? END_OF_FLOW : IDLE_TIMEOUT);
      this.#begin(row, info, words, r, timeUs);
    } else if (timeUs - hotF64[(o >> 1) + T.START_F64] > this.#activeUs) {
      this.#endRecord(row, ACTIVE_TIMEOUT);
      beginRecord(this.table, o, timeUs);
      hot[o + T.STATE] &= ~T.FIRST_RECORD;
    }
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
    if (name !== 0) {
      const type = words[r + DNS_TYPE] & 0xffff;
      const types = cold[o + T.FLOW_DNS_TYPES];
      const before = hot[o + T.SLICE_DNS];
      if (before !== 0 && (before !== name || types >>> 16 !== type)) this.#slices.split(row, o, timeUs, second);
      hot[o + T.SLICE_DNS] = name;
      const first = cold[o + T.FLOW_DNS] === 0;
      cold[o + T.FLOW_DNS_TYPES] = (type << 16) | (first ? type : types & 0xffff);
      if (first) cold[o + T.FLOW_DNS] = name;
    }
    if ((words[r + META] & IS_DNS_RESPONSE) !== 0) {
      hot[o + T.STATE] |= T.SLICE_DNS_RESPONSE | T.RECORD_DNS_RESPONSE;
    }
  }

  #endRecord(row: number, reason: number): void {
    this.#slices.last(row, reason !== ACTIVE_TIMEOUT);
    if (this.#withRecords) writeRecord(this.table, row, this.#records.batch, this.#records.next(), reason);
  }

  /** Ends a flow's record and frees its row; a closed connection's reason is its end, whatever made it leave. */
  #leave(row: number, reason: number): void {
    const closed = (this.table.hot[(row << T.FLOW_SHIFT) + T.STATE] & T.CLOSED) !== 0;
    this.#endRecord(row, closed ? END_OF_FLOW : reason);
    this.table.free(row);
  }

  /** Event time reached `clockUs`, past a whole second: slices turn, closed and idle flows leave, sinks are served. */
  tick(clockUs: number): void {
    this.#slices.turnAll(Math.floor(clockUs / SECOND_US) * SECOND_US);
    this.#leaveClosed(clockUs);
    for (let next = this.#wheel.due(clockUs); next >= 0; next = this.#wheel.due(clockUs))
      this.#leaveIdle(next, clockUs);
    this.table.settle();
    this.deliver();
  }

  #leaveClosed(clockUs: number): void {
    const { table } = this;
    for (let row = this.#closing.pop(clockUs); row >= 0; row = this.#closing.pop(clockUs)) {
      const o = row << T.FLOW_SHIFT;
      const closed = table.hot[o + T.KIND] !== 0 && (table.hot[o + T.STATE] & T.CLOSED) !== 0;
      const due = closed ? lastUs(table, o) + this.#graceUs : 0;
      if (due >= clockUs) this.#closing.push(row, due);
      else table.hot[o + T.STATE] &= ~T.IN_CLOSING;
      if (closed && due < clockUs) this.#leave(row, END_OF_FLOW);
    }
  }

  /** Walks a list of the wheel: `first` is row + 1. */
  #leaveIdle(first: number, clockUs: number): void {
    const { hot } = this.table;
    for (let next = first; next > 0; ) {
      const row = next - 1;
      const o = row << T.FLOW_SHIFT;
      next = hot[o + T.NEXT];
      const last = lastUs(this.table, o);
      if (hot[o + T.KIND] !== 0 && clockUs - last <= this.#idleUs) {
        this.#wheel.insert(row, last);
        continue;
      }
      hot[o + T.STATE] &= ~T.IN_WHEEL;
      if (hot[o + T.KIND] !== 0) this.#leave(row, IDLE_TIMEOUT);
    }
  }

  /** Hands on what is written. */
  deliver(): void {
    this.#slices.deliver();
    this.#records.deliver();
  }

  /** All flows leave, in the order of their rows; event time may start anew. */
  leaveAll(clockUs: number): void {
    const { table } = this;
    for (let row = 0; row < table.used; row++) {
      if (!table.isLive(row)) continue;
      const idle = clockUs - lastUs(table, row << T.FLOW_SHIFT) > this.#idleUs;
      this.#leave(row, idle ? IDLE_TIMEOUT : FORCED_END);
    }
    this.deliver();
    this.#slices.clear();
    this.#wheel.clear();
    this.#closing.clear();
    table.clear();
  }
}
