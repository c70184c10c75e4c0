import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import * as T from './flow-row.ts';
import type { FlowTable } from './flow-table.ts';
import { foldSlice, lastUs, writeSlice } from './flow-writer.ts';
import type { Outlet } from './outlet.ts';

export const SECOND_US = 1e6;
/** Rows whose cache misses overlap when the list is walked. */
const BLOCK = 64;

/**
 * The slices that are open. A slice holds packets of one second of event time; a flow's first slice holds those of the
 * flow's first second, wherever that begins, so that the answer to the first packet is inside.
 */
export class OpenSlices implements Stateful {
  readonly #table: FlowTable;
  readonly #outlet: Outlet;
  /** Without it slices only add up, and none is given out. */
  readonly #enabled: boolean;
  /** Row numbers, each once (`IN_OPEN_SLICES`), in the order in which their slices opened. */
  #rows: Int32Array;
  #count = 0;
  #touched = 0;

  constructor(table: FlowTable, outlet: Outlet, enabled: boolean) {
    this.#table = table;
    this.#outlet = outlet;
    this.#enabled = enabled;
    this.#rows = new Int32Array(table.capacity);
  }

  /** Follows the table's growth. */
  resize(capacity: number): void {
    const rows = new Int32Array(capacity);
    rows.set(this.#rows.subarray(0, this.#count));
    this.#rows = rows;
  }

  /** Makes sure that the open slice is one that the packet which is metered belongs to. */
  turn(row: number, second: number): void {
    const { hot, coldF64 } = this.#table;
    const o = row << T.HOT_SHIFT;
    const state = hot[o + T.STATE];
    if ((state & T.NO_SLICE) !== 0) {
      this.open(row, second);
      return;
    }
    if (second === hot[o + T.SECOND]) return;
    if (!this.#enabled) {
      hot[o + T.SECOND] = second;
      return;
    }
    const age = this.#table.timesUs[T.PACKET_TIME] - coldF64[((row << T.COLD_SHIFT) >> 1) + T.START_F64];
    if ((state & (T.FIRST_SLICE | T.CLOSED)) === T.FIRST_SLICE && age < SECOND_US && age > -SECOND_US) return;
    this.split(row, second);
  }

  /** Ends the open slice early and opens another. */
  split(row: number, second: number): void {
    if (!this.#enabled) return;
    this.#emit(row);
    this.open(row, second);
  }

  open(row: number, second: number): void {
    const { hot, hotF64, cold, coldF64, timesUs } = this.#table;
    const timeUs = timesUs[T.PACKET_TIME];
    const o = row << T.HOT_SHIFT;
    const c = row << T.COLD_SHIFT;
    if ((hot[o + T.STATE] & T.UNFOLDED) !== 0) foldSlice(this.#table, row);
    let state = hot[o + T.STATE] & ~(T.NO_SLICE | T.SLICE_DNS_RESPONSE);
    if (timeUs < hotF64[(o >> 1) + T.SLICE_END_F64]) {
      this.#table.foldF64[((row << T.FOLD_SHIFT) >> 1) + T.LAST_F64] = lastUs(this.#table, row);
      state |= T.LATE;
    }
    coldF64[(c >> 1) + T.SLICE_START_F64] = timeUs;
    hotF64[(o >> 1) + T.SLICE_END_F64] = timeUs;
    hot[o + T.SECOND] = second;
    cold[c + T.SLICE_DNS] = 0;
    if (this.#enabled && (state & T.IN_OPEN_SLICES) === 0) {
      state |= T.IN_OPEN_SLICES;
      this.#rows[this.#count++] = row;
    }
    hot[o + T.STATE] = state;
  }

  /** Gives out the open slice of a record that ends; its counters stay, for the record. */
  last(row: number, leaving: boolean): void {
    if (!this.#enabled || (this.#table.hot[(row << T.HOT_SHIFT) + T.STATE] & T.NO_SLICE) !== 0) return;
    this.#write(row, leaving);
  }

  /** Most flows have one slice: its counters stay where they are until there is another. */
  #emit(row: number): void {
    this.#write(row, false);
    this.#table.hot[(row << T.HOT_SHIFT) + T.STATE] |= T.UNFOLDED;
  }

  #write(row: number, leaving: boolean): void {
    const { hot } = this.#table;
    const n = this.#outlet.next();
    writeSlice(this.#table, row, this.#outlet, n, leaving);
    const at = (row << T.HOT_SHIFT) + T.STATE;
    hot[at] = (hot[at] & ~T.FIRST_SLICE) | T.NO_SLICE;
  }

  /** Slices of seconds before `nowUs` leave; a flow's first one stays until the flow is a second old or closed. */
  turnAll(nowUs: number): void {
    let kept = 0;
    for (let from = 0; from < this.#count; from += BLOCK) {
      const to = Math.min(from + BLOCK, this.#count);
      this.#touch(from, to);
      kept = this.#turnBlock(from, to, kept, nowUs);
    }
    this.#count = kept;
  }

  #touch(from: number, to: number): void {
    const { hot, cold } = this.#table;
    const rows = this.#rows;
    let sum = 0;
    for (let i = from; i < to; i++) {
      const c = rows[i] << T.COLD_SHIFT;
      sum ^= hot[(rows[i] << T.HOT_SHIFT) + T.STATE] ^ cold[c + T.FLOW_LAYERS];
    }
    this.#touched = sum;
  }

  #turnBlock(from: number, to: number, keptBefore: number, nowUs: number): number {
    const { hot, coldF64 } = this.#table;
    const rows = this.#rows;
    let kept = keptBefore;
    for (let i = from; i < to; i++) {
      const row = rows[i];
      const o = row << T.HOT_SHIFT;
      const state = hot[o + T.STATE];
      const gone = hot[o + T.KIND] === 0 || (state & T.NO_SLICE) !== 0;
      const held = (state & (T.FIRST_SLICE | T.CLOSED)) === T.FIRST_SLICE;
      if (!gone && held && nowUs - coldF64[((row << T.COLD_SHIFT) >> 1) + T.START_F64] < SECOND_US) {
        rows[kept++] = row;
        continue;
      }
      if (!gone) this.#emit(row);
      hot[o + T.STATE] &= ~T.IN_OPEN_SLICES;
    }
    return kept;
  }

  /** Hands on the slices that are written. */
  deliver(): void {
    this.#outlet.deliver();
  }

  /** Forgets all rows; their flows have left. */
  clear(): void {
    this.#count = 0;
  }

  save(out: StateWriter): void {
    out.array(this.#rows, 0, this.#count);
  }

  restore(state: StateReader): void {
    this.#count = state.into(this.#rows);
  }

  /** Keeps the touching of rows from being optimised away. */
  get touched(): number {
    return this.#touched;
  }
}
