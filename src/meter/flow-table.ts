import { WeirError } from '../core/errors.ts';
import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import { DST, SRC } from '../model/packet-rows.ts';
import { FLOW, FLOW_SHIFT, HASH, HIGH, KEY_PORTS, KIND, LOW, MEMBERSHIPS, PLACE, STATE } from './flow-row.ts';
import { FROM_HIGH, type KeyBatch, OCCUPIED } from './key-batch.ts';

const SMALLEST = 1 << 12;
/** Rows that are saved together when one of them is needed. */
const SAVED_TOGETHER = 64;
const MOST_ROWS = 1 << 26;

/**
 * The flows that are open. Rows keep their number while the table grows; an open-addressed index of (hash, row + 1)
 * finds them. All memory is typed arrays and bounded by `maxFlows`.
 */
export class FlowTable implements Stateful {
  readonly maxFlows: number;
  capacity: number;
  live = 0;
  hot: Int32Array;
  hotF64: Float64Array;
  cold: Int32Array;
  coldF64: Float64Array;
  /** Outermost addresses of the low and the high end, 8 words a row; grown only when a tunnel was seen. */
  outer: Int32Array = new Int32Array(0);
  /** Pairs (hash, row + 1), at most half full; its size follows the flows that are live. */
  index: Int32Array;
  /** Mask of an index position in entries (pairs). */
  mask: number;
  #free: Int32Array;
  #freeCount = 0;
  /** Rows that were ever taken. */
  used = 0;

  constructor(maxFlows: number) {
    this.maxFlows = Math.max(1, maxFlows);
    this.capacity = Math.min(SMALLEST, this.maxFlows);
    this.hot = new Int32Array(this.capacity * FLOW);
    this.hotF64 = new Float64Array(this.hot.buffer);
    this.cold = new Int32Array(this.capacity * FLOW);
    this.coldF64 = new Float64Array(this.cold.buffer);
    this.#free = new Int32Array(this.capacity);
    this.mask = 2 * SMALLEST - 1;
    this.index = new Int32Array(2 * (this.mask + 1));
  }

  /** Makes room for `count` more flows, as far as `maxFlows` allows; row numbers stay, the arrays do not. */
  reserve(count: number): void {
    const wanted = Math.min(this.live + count, this.maxFlows);
    let size = this.mask + 1;
    while (2 * wanted > size) size *= 2;
    if (size > this.mask + 1) this.#resizeIndex(size);
    if (wanted <= this.capacity) return;
    let { capacity } = this;
    while (capacity < wanted) capacity *= 2;
    this.#growRows(Math.min(capacity, this.maxFlows));
  }

  /** After a flood the index shrinks again, so that the few flows that stay share few cache lines. */
  settle(): void {
    if (16 * this.live < this.mask + 1 && this.mask + 1 > 2 * SMALLEST) this.#resizeIndex((this.mask + 1) / 4);
  }

  #growRows(capacity: number): void {
    this.capacity = capacity;
    this.hot = grown(this.hot, capacity * FLOW);
    this.hotF64 = new Float64Array(this.hot.buffer);
    this.cold = grown(this.cold, capacity * FLOW);
    this.coldF64 = new Float64Array(this.cold.buffer);
    this.#free = grown(this.#free, capacity);
    if (this.outer.length > 0) this.outer = grown(this.outer, 8 * capacity);
  }

  /** Entries hold all that is needed to enter them again. */
  #resizeIndex(size: number): void {
    const { index } = this;
    this.mask = size - 1;
    this.index = new Int32Array(2 * size);
    for (let at = 0; at < index.length; at += 2) if (index[at + 1] !== 0) this.#enter(index[at], index[at + 1] - 1);
  }

  #enter(hash: number, row: number): void {
    const { index, mask } = this;
    let at = hash & mask;
    while (index[2 * at + 1] !== 0) at = (at + 1) & mask;
    index[2 * at] = hash;
    index[2 * at + 1] = row + 1;
  }

  /** The row of key `i` of the batch, whose packet is at word `r`; -1 when no flow has it. */
  find(keys: KeyBatch, i: number, words: Int32Array, r: number): number {
    const { index, mask } = this;
    const hash = keys.hash[i];
    let at = hash & mask;
    while (index[2 * at + 1] !== 0) {
      const row = index[2 * at + 1] - 1;
      if (index[2 * at] === hash && this.hasKey(row, keys, i, words, r)) return row;
      at = (at + 1) & mask;
    }
    return -1;
  }

  hasKey(row: number, keys: KeyBatch, i: number, words: Int32Array, r: number): boolean {
    const { hot } = this;
    const o = row << FLOW_SHIFT;
    if (hot[o + KIND] !== keys.kind[i] || hot[o + KEY_PORTS] !== keys.ports[i] || hot[o + PLACE] !== keys.place[i]) {
      return false;
    }
    const swap = keys.info[i] & FROM_HIGH;
    const low = r + (swap ? DST : SRC);
    const high = r + (swap ? SRC : DST);
    for (let k = 3; k >= 0; k--) {
      if (hot[o + LOW + k] !== words[low + k] || hot[o + HIGH + k] !== words[high + k]) return false;
    }
    return true;
  }

  /** True when a flow must leave before another can be taken. */
  get full(): boolean {
    return this.live >= this.maxFlows;
  }

  /** Takes a row for key `i` and writes the key; the caller has made room and fills the rest. */
  take(keys: KeyBatch, i: number, words: Int32Array, r: number): number {
    const row = this.#freeCount > 0 ? this.#free[--this.#freeCount] : this.used++;
    const { hot } = this;
    const o = row << FLOW_SHIFT;
    const swap = keys.info[i] & FROM_HIGH;
    const low = r + (swap ? DST : SRC);
    const high = r + (swap ? SRC : DST);
    for (let k = 0; k < 4; k++) {
      hot[o + LOW + k] = words[low + k];
      hot[o + HIGH + k] = words[high + k];
    }
    hot[o + KEY_PORTS] = keys.ports[i];
    hot[o + KIND] = keys.kind[i];
    hot[o + PLACE] = keys.place[i];
    this.cold[o + HASH] = keys.hash[i];
    this.#enter(keys.hash[i], row);
    this.live++;
    return row;
  }

  /** Gives a row back; its key is found no more. */
  free(row: number): void {
    const o = row << FLOW_SHIFT;
    this.#leave(this.cold[o + HASH], row);
    this.hot[o + KIND] = 0;
    this.#free[this.#freeCount++] = row;
    this.live--;
  }

  /** Deletes by shifting back, so that no probe ever walks over graves (Knuth, TAOCP 3, 6.4, algorithm R). */
  #leave(hash: number, row: number): void {
    const { index, mask } = this;
    let hole = hash & mask;
    while (index[2 * hole + 1] !== row + 1) hole = (hole + 1) & mask;
    for (let at = (hole + 1) & mask; index[2 * at + 1] !== 0; at = (at + 1) & mask) {
      const home = index[2 * at] & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      index[2 * hole] = index[2 * at];
      index[2 * hole + 1] = index[2 * at + 1];
      hole = at;
    }
    index[2 * hole + 1] = 0;
  }

  /** The row's place in `outer`, which is made when the first tunnel comes. */
  outerAt(row: number): number {
    if (this.outer.length === 0) this.outer = new Int32Array(8 * this.capacity);
    return 8 * row;
  }

  /** Makes rows be taken from the first one again, without memberships; all flows have left. */
  clear(): void {
    for (let row = 0; row < this.used; row++) this.hot[(row << FLOW_SHIFT) + STATE] = 0;
    this.used = 0;
    this.#freeCount = 0;
  }

  isLive(row: number): boolean {
    return (this.hot[(row << FLOW_SHIFT) + KIND] & OCCUPIED) !== 0;
  }

  /** Writes rows as they lie, by runs: after a flood most are free, and nothing of a free one is kept. */
  save(out: StateWriter): void {
    const runs = this.#runs();
    out.number(this.used);
    out.array(this.#free, 0, this.#freeCount);
    out.array(Int32Array.from(runs));
    out.number(this.outer.length > 0 ? 1 : 0);
    for (let i = 0; i < runs.length; i += 2) {
      out.array(this.hot, runs[i] * FLOW, runs[i + 1] * FLOW);
      out.array(this.cold, runs[i] * FLOW, runs[i + 1] * FLOW);
      if (this.outer.length > 0) out.array(this.outer, 8 * runs[i], 8 * runs[i + 1]);
    }
  }

  restore(state: StateReader): void {
    const used = state.number();
    if (!(used >= 0 && used <= MOST_ROWS)) throw new WeirError('state.damaged', `${used} flows were saved`);
    this.capacity = Math.min(SMALLEST, this.maxFlows);
    while (this.capacity < used) this.capacity *= 2;
    const free = state.array(Int32Array);
    this.#free = new Int32Array(this.capacity);
    this.#free.set(free);
    this.#freeCount = free.length;
    this.used = used;
    this.live = used - free.length;
    this.#restoreRows(state);
    this.#makeIndex();
  }

  #restoreRows(state: StateReader): void {
    const runs = state.array(Int32Array);
    this.hot = new Int32Array(this.capacity * FLOW);
    this.hotF64 = new Float64Array(this.hot.buffer);
    this.cold = new Int32Array(this.capacity * FLOW);
    this.coldF64 = new Float64Array(this.cold.buffer);
    const withOuter = state.number() !== 0;
    this.outer = new Int32Array(withOuter ? 8 * this.capacity : 0);
    for (let i = 0; i < runs.length; i += 2) {
      state.into(this.hot.subarray(runs[i] * FLOW, runs[i + 1] * FLOW));
      state.into(this.cold.subarray(runs[i] * FLOW, runs[i + 1] * FLOW));
      if (withOuter) state.into(this.outer.subarray(8 * runs[i], 8 * runs[i + 1]));
    }
  }

  /** Runs of rows that hold a flow or stand in a list: first row and end, again and again. */
  #runs(): number[] {
    const runs: number[] = [];
    for (let from = 0; from < this.used; from += SAVED_TOGETHER) {
      const to = Math.min(from + SAVED_TOGETHER, this.used);
      if (!this.#isNeeded(from, to)) continue;
      if (runs.at(-1) === from) runs[runs.length - 1] = to;
      else runs.push(from, to);
    }
    return runs;
  }

  #isNeeded(from: number, to: number): boolean {
    const { hot } = this;
    for (let o = from << FLOW_SHIFT; o < to << FLOW_SHIFT; o += FLOW) {
      if (hot[o + KIND] !== 0 || (hot[o + STATE] & MEMBERSHIPS) !== 0) return true;
    }
    return false;
  }

  #makeIndex(): void {
    let size = 2 * SMALLEST;
    while (size < 2 * this.live) size *= 2;
    this.mask = size - 1;
    this.index = new Int32Array(2 * size);
    for (let row = 0; row < this.used; row++) {
      if (this.isLive(row)) this.#enter(this.cold[(row << FLOW_SHIFT) + HASH], row);
    }
  }
}

function grown(old: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const fresh = new Int32Array(length);
  fresh.set(old);
  return fresh;
}
