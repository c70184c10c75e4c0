import type { Counter, Metrics } from '../core/metrics.ts';
import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import { ANSWERS, FROM_HIGH, NAMED, SPECIAL, TUNNELED } from '../model/packet-key.ts';
import {
  DNS_NAME,
  DNS_TYPE,
  IS_DNS_RESPONSE,
  IS_LEAN,
  KEY_INFO,
  META,
  type PacketRows,
  SNI,
} from '../model/packet-rows.ts';
import { ExpiryWheel } from './expiry-wheel.ts';
import { ACK, beginFlow, beginRecord, FIN, keepOuter, RST, SYN, setStart, tcpFlags } from './flow-begin.ts';
import { ACTIVE_TIMEOUT, END_OF_FLOW, FlowExit, IDLE_TIMEOUT } from './flow-exit.ts';
import * as T from './flow-row.ts';
import { FlowTable } from './flow-table.ts';
import { lastUs } from './flow-writer.ts';
import { OpenSlices } from './open-slices.ts';
import type { Outlet } from './outlet.ts';

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
  readonly #slices: OpenSlices;
  readonly #wheel: ExpiryWheel;
  readonly #exit: FlowExit;
  readonly #begun: Counter;

  constructor(options: LifeOptions, slices: Outlet, records: Outlet, metrics: Metrics) {
    this.table = new FlowTable(options.maxFlows, options.activeTimeoutUs);
    this.#idleUs = options.idleTimeoutUs;
    this.#slices = new OpenSlices(this.table, slices, options.slices);
    this.#wheel = new ExpiryWheel(this.table, options.idleTimeoutUs);
    this.#begun = metrics.counter('weir_meter_flows_total', 'Flows that began.');
    const parts = { slices: this.#slices, wheel: this.#wheel, records: options.records ? records : null };
    this.#exit = new FlowExit(this.table, options.idleTimeoutUs, parts, metrics);
  }

  /** Room for `count` more flows, as far as the limit allows. */
  reserve(count: number): void {
    const before = this.table.capacity;
    this.table.reserve(count);
    if (this.table.capacity === before) return;
    this.#wheel.resize(this.table.capacity);
    this.#exit.resize(this.table.capacity);
    this.#slices.resize(this.table.capacity);
  }

  save(out: StateWriter): void {
    this.table.save(out);
    this.#wheel.save(out);
    this.#exit.save(out);
    this.#slices.save(out);
  }

  restore(state: StateReader): void {
    this.table.restore(state);
    this.#wheel.restore(state);
    this.#exit.restore(state);
    this.#slices.resize(this.table.capacity);
    this.#slices.restore(state);
  }

  /** The row of a key that no flow has yet, with a slice open: another flow leaves for it when the table is full. */
  admit(rows: PacketRows, r: number, second: number): number {
    while (this.table.full) this.#exit.evict();
    const row = this.table.take(rows.words, r);
    const at = (row << T.HOT_SHIFT) + T.STATE;
    if ((this.table.hot[at] & T.IN_WHEEL) === 0) {
      this.table.hot[at] |= T.IN_WHEEL;
      this.#wheel.insert(row, this.table.timesUs[T.LATEST_TIME]);
    }
    this.#begin(row, rows, r);
    this.#slices.open(row, second);
    return row;
  }

  #begin(row: number, rows: PacketRows, r: number): void {
    const { words } = rows;
    if ((words[r + META] & IS_LEAN) !== 0) rows.source!.complete(words, r);
    beginFlow(this.table, row, words, r);
    if ((words[r + KEY_INFO] & TUNNELED) !== 0) keepOuter(this.table, row, words, r);
    this.#begun.value++;
  }

  /**
   * What a packet may change beside the counters, before it is counted: the end of the flow's record, a new slice,
   * TCP's state, names. Called for a flow's first packet in each second and for special ones.
   */
  attend(row: number, rows: PacketRows, r: number, second: number): void {
    const { table } = this;
    const { hot } = table;
    const { words } = rows;
    const o = row << T.HOT_SHIFT;
    const info = words[r + KEY_INFO];
    this.#endWhatIsOver(row, rows, r, second);
    const timeUs = table.timesUs[T.PACKET_TIME];
    if (timeUs < table.hotF64[(o >> 1) + T.SLICE_END_F64]) this.beLate(row, timeUs);
    this.#slices.turn(row, second);
    if ((info & TUNNELED) !== 0 && (hot[o + T.STATE] & T.WITH_OUTER) === 0) {
      keepOuter(table, row, words, r);
    }
    if ((info & SPECIAL) !== 0) {
      this.#followTcp(row, o, info, tcpFlags(words, r));
      if ((info & NAMED) !== 0) this.#keepNames(row, words, r, second);
    }
    // Not before the slice may have been split: what came before the request was not asked for.
    if ((hot[o + T.STATE] & T.BEGAN_WITH_ANSWER) !== 0) this.#hearRequest(o, info);
  }

  /** A packet from before the latest one of its flow may be the first of its record. */
  beLate(row: number, timeUs: number): void {
    const { coldF64, hot } = this.table;
    if (timeUs >= coldF64[((row << T.COLD_SHIFT) >> 1) + T.START_F64]) return;
    setStart(this.table, row, timeUs);
    hot[(row << T.HOT_SHIFT) + T.STATE] |= T.MAY_BE_DUE;
  }

  /** The same for a packet that is counted in the open slice. */
  countLate(row: number, timeUs: number): void {
    const { coldF64 } = this.table;
    const at = ((row << T.COLD_SHIFT) >> 1) + T.SLICE_START_F64;
    if (timeUs >= coldF64[at]) return;
    coldF64[at] = timeUs;
    this.beLate(row, timeUs);
  }

  #endWhatIsOver(row: number, rows: PacketRows, r: number, second: number): void {
    const { hot, coldF64, activeUs } = this.table;
    const timeUs = this.table.timesUs[T.PACKET_TIME];
    const o = row << T.HOT_SHIFT;
    const closed = (hot[o + T.STATE] & T.CLOSED) !== 0;
    const silent = timeUs - lastUs(this.table, row) > (closed ? this.#exit.graceUs : this.#idleUs);
    if (silent || (closed && (tcpFlags(rows.words, r) & (SYN | ACK | RST)) === SYN)) {
      this.#exit.endRecord(row, closed ? END_OF_FLOW : IDLE_TIMEOUT);
      this.#begin(row, rows, r);
      return;
    }
    if ((hot[o + T.STATE] & T.MAY_BE_DUE) === 0) {
      if (((second - hot[o + T.DUE_SECOND]) | 0) < 0) return;
      hot[o + T.STATE] |= T.MAY_BE_DUE;
    }
    if (timeUs - coldF64[((row << T.COLD_SHIFT) >> 1) + T.START_F64] <= activeUs) return;
    this.#exit.endRecord(row, ACTIVE_TIMEOUT);
    beginRecord(this.table, row);
    hot[o + T.STATE] &= ~T.FIRST_RECORD;
  }

  /** A packet from the other side that is no answer itself makes an unasked flow an ordinary one. */
  #hearRequest(o: number, info: number): void {
    const { hot } = this.table;
    const state = hot[o + T.STATE];
    if ((info & ANSWERS) !== 0 || (info & FROM_HIGH) === (state & T.INITIATOR_HIGH)) return;
    const flipped = (state & T.OPENED_BY_OTHER) !== 0 ? state ^ T.INITIATOR_HIGH : state;
    hot[o + T.STATE] = flipped & ~(T.BEGAN_WITH_ANSWER | T.OPENED_BY_OTHER);
  }

  #followTcp(row: number, o: number, info: number, flags: number): void {
    const { hot } = this.table;
    let state = hot[o + T.STATE];
    if ((flags & FIN) !== 0) state |= T.FIN_SEEN << (info & FROM_HIGH);
    if ((flags & RST) !== 0 || (state & T.BOTH_FIN_SEEN) === T.BOTH_FIN_SEEN) {
      state |= T.CLOSED;
      if ((state & T.IN_CLOSING) === 0) {
        state |= T.IN_CLOSING;
        this.#exit.expectEnd(row, this.table.timesUs[T.PACKET_TIME]);
      }
    }
    hot[o + T.STATE] = state;
  }

  /** A second DNS name ends the slice, so that each name stands in a row of its own. */
  #keepNames(row: number, words: Int32Array, r: number, second: number): void {
    const { hot, cold } = this.table;
    const c = row << T.COLD_SHIFT;
    if (cold[c + T.FLOW_SNI] === 0) cold[c + T.FLOW_SNI] = words[r + SNI];
    const name = words[r + DNS_NAME];
    if (name !== 0) {
      const type = words[r + DNS_TYPE] & 0xffff;
      const types = cold[c + T.FLOW_DNS_TYPES];
      const before = cold[c + T.SLICE_DNS];
      if (before !== 0 && (before !== name || types >>> 16 !== type)) this.#slices.split(row, second);
      cold[c + T.SLICE_DNS] = name;
      const first = cold[c + T.FLOW_DNS] === 0;
      cold[c + T.FLOW_DNS_TYPES] = (type << 16) | (first ? type : types & 0xffff);
      if (first) cold[c + T.FLOW_DNS] = name;
    }
    if ((words[r + META] & IS_DNS_RESPONSE) !== 0) {
      hot[(row << T.HOT_SHIFT) + T.STATE] |= T.SLICE_DNS_RESPONSE | T.RECORD_DNS_RESPONSE;
    }
  }

  /** Event time reached `clockUs`, past a whole second: slices turn, closed and idle flows leave, sinks are served. */
  tick(clockUs: number): void {
    this.#exit.tick(clockUs);
  }

  /** Hands on what is written. */
  deliver(): void {
    this.#exit.deliver();
  }

  /** All flows leave, in the order of their rows; event time may start anew. */
  leaveAll(clockUs: number): void {
    this.#exit.leaveAll(clockUs);
  }
}
