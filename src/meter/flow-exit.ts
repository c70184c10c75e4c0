import type { Counter, Metrics } from '../core/metrics.ts';
import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import type { ExpiryWheel } from './expiry-wheel.ts';
import * as T from './flow-row.ts';
import type { FlowTable } from './flow-table.ts';
import { lastUs, writeRecord } from './flow-writer.ts';
import { type OpenSlices, SECOND_US } from './open-slices.ts';
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
/** Rows that are looked at together when flows leave, so that their cache misses overlap. */
const BLOCK = 64;

/** How records end and flows leave: over, silent, too old, evicted, or at the end of input. */
export class FlowExit implements Stateful {
  readonly graceUs: number;
  readonly #table: FlowTable;
  readonly #idleUs: number;
  readonly #slices: OpenSlices;
  readonly #wheel: ExpiryWheel;
  /** Null: no records are given out. */
  readonly #records: Outlet | null;
  readonly #closing: RowQueue;
  readonly #block = new Int32Array(BLOCK);
  /** Where the search for a flow to evict goes on. */
  #hand = 0;
  readonly #evicted: Counter;
  /** Keeps the touching of rows from being optimised away. */
  touched = 0;

  constructor(
    table: FlowTable,
    idleUs: number,
    { slices, wheel, records }: { slices: OpenSlices; wheel: ExpiryWheel; records: Outlet | null },
    metrics: Metrics,
  ) {
    this.#table = table;
    this.#idleUs = idleUs;
    this.graceUs = Math.floor(GRACE * idleUs);
    this.#slices = slices;
    this.#wheel = wheel;
    this.#records = records;
    this.#closing = new RowQueue(table.capacity);
    this.#evicted = metrics.counter(
      'weir_meter_flows_evicted_total{cause="table_full"}',
      'Flows that left early because the flow table was full.',
    );
  }

  /** Follows the table's growth. */
  resize(capacity: number): void {
    this.#closing.resize(capacity);
  }

  save(out: StateWriter): void {
    out.number(this.#hand);
    this.#closing.save(out);
  }

  restore(state: StateReader): void {
    this.#hand = state.number();
    this.#closing.resize(this.#table.capacity);
    this.#closing.restore(state);
  }

  /** A connection was closed by a packet of `timeUs`. */
  expectEnd(row: number, timeUs: number): void {
    this.#closing.push(row, timeUs + this.graceUs);
  }

  /**
   * Of a few rows a closed connection, or else the longest idle one, leaves; the hand goes round all rows. Some are free where a
   * state was restored with a lower limit.
   */
  evict(): void {
    const table = this.#table;
    const window = Math.min(PROBE_WINDOW, table.used);
    let chosen = -1;
    let oldest = Number.POSITIVE_INFINITY;
    for (let k = 0; k < window || chosen < 0; k++) {
      const row = (this.#hand + k) % table.used;
      if (!table.isLive(row)) continue;
      const closed = (table.hot[(row << T.HOT_SHIFT) + T.STATE] & T.CLOSED) !== 0;
      const last = closed ? Number.NEGATIVE_INFINITY : lastUs(table, row);
      if (chosen >= 0 && last >= oldest) continue;
      chosen = row;
      oldest = last;
    }
    this.#hand = (this.#hand + window) % table.used;
    this.#evicted.value++;
    this.#leave(chosen, LACK_OF_RESOURCES);
  }

  endRecord(row: number, reason: number): void {
    this.#slices.last(row, reason !== ACTIVE_TIMEOUT);
    const records = this.#records;
    if (records !== null) writeRecord(this.#table, row, records, records.next(), reason);
  }

  /** Ends a flow's record and frees its row; a closed connection's reason is its end, whatever made it leave. */
  #leave(row: number, reason: number): void {
    const closed = (this.#table.hot[(row << T.HOT_SHIFT) + T.STATE] & T.CLOSED) !== 0;
    this.endRecord(row, closed ? END_OF_FLOW : reason);
    this.#table.free(row);
  }

  /** Event time reached `clockUs`, past a whole second: slices turn, closed and idle flows leave, sinks are served. */
  tick(clockUs: number): void {
    this.#slices.turnAll(Math.floor(clockUs / SECOND_US) * SECOND_US);
    this.#leaveClosed(clockUs);
    for (let next = this.#wheel.due(clockUs); next >= 0; next = this.#wheel.due(clockUs)) {
      this.#leaveIdle(next, clockUs);
    }
    this.#table.settle();
    this.deliver();
  }

  #leaveClosed(clockUs: number): void {
    const block = this.#block;
    for (let count = this.#closing.take(clockUs, block); count > 0; count = this.#closing.take(clockUs, block)) {
      this.#touch(count);
      for (let i = 0; i < count; i++) this.#leaveIfClosed(block[i], clockUs);
    }
  }

  #leaveIfClosed(row: number, clockUs: number): void {
    const table = this.#table;
    const o = row << T.HOT_SHIFT;
    const closed = table.hot[o + T.KIND] !== 0 && (table.hot[o + T.STATE] & T.CLOSED) !== 0;
    const due = closed ? lastUs(table, row) + this.graceUs : 0;
    if (due >= clockUs) this.#closing.push(row, due);
    else table.hot[o + T.STATE] &= ~T.IN_CLOSING;
    if (closed && due < clockUs) this.#leave(row, END_OF_FLOW);
  }

  /** Walks a list of the wheel: `first` is row + 1. */
  #leaveIdle(first: number, clockUs: number): void {
    const block = this.#block;
    for (let next = first; next > 0; ) {
      const count = this.#wheel.walk(next, block);
      next = this.#wheel.behind(block[count - 1]);
      this.#touch(count);
      for (let i = 0; i < count; i++) this.#leaveIfIdle(block[i], clockUs);
    }
  }

  #leaveIfIdle(row: number, clockUs: number): void {
    const table = this.#table;
    const o = row << T.HOT_SHIFT;
    const taken = table.hot[o + T.KIND] !== 0;
    const last = lastUs(table, row);
    if (taken && clockUs - last <= this.#idleUs) {
      this.#wheel.insert(row, last);
      return;
    }
    table.hot[o + T.STATE] &= ~T.IN_WHEEL;
    if (taken) this.#leave(row, IDLE_TIMEOUT);
  }

  /** Reads what the block's rows need when they leave, so that the cache misses overlap. */
  #touch(count: number): void {
    const { hot, cold, index } = this.#table;
    const block = this.#block;
    let sum = 0;
    for (let i = 0; i < count; i++) sum ^= hot[block[i] << T.HOT_SHIFT] ^ cold[block[i] << T.COLD_SHIFT];
    for (let i = 0; i < count; i++) sum ^= index.pairs[2 * (cold[(block[i] << T.COLD_SHIFT) + T.HASH] & index.mask)];
    this.touched = sum;
  }

  /** Hands on what is written. */
  deliver(): void {
    this.#slices.deliver();
    this.#records?.deliver();
  }

  /** All flows leave, in the order of their rows; event time may start anew. */
  leaveAll(clockUs: number): void {
    const table = this.#table;
    for (let row = 0; row < table.used; row++) {
      if (!table.isLive(row)) continue;
      const idle = clockUs - lastUs(table, row) > this.#idleUs;
      this.#leave(row, idle ? IDLE_TIMEOUT : FORCED_END);
    }
    this.deliver();
    this.#slices.clear();
    this.#wheel.clear();
    this.#closing.clear();
    table.clear();
  }
}
