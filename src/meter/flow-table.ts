import { WeirError } from '../core/errors.ts';
import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import { FROM_HIGH, KIND_INTERFACE_SHIFT, OCCUPIED, OTHER_INTERFACE, WIDE } from '../model/packet-key.ts';
import { DST, INTERFACE, KEY_HASH, KEY_INFO, KEY_KIND, KEY_PORTS, SRC } from '../model/packet-rows.ts';
import { setStart } from './flow-begin.ts';
import { FlowIndex } from './flow-index.ts';
import {
  COLD_SHIFT,
  FLOW_INTERFACE,
  HASH,
  HIGH,
  HOT,
  HOT_SHIFT,
  KIND,
  LOW,
  MAY_BE_DUE,
  MEMBERSHIPS,
  PORTS,
  SIX_HIGH,
  SIX_SHIFT,
  START_F64,
  STATE,
} from './flow-row.ts';
import { FlowRows } from './flow-rows.ts';

const SMALLEST = 1 << 12;
/** Rows that are saved together when one of them is needed. */
const SAVED_TOGETHER = 64;
const MOST_ROWS = 1 << 26;
/** The table grows by much at once: memory that nobody touched costs nothing, copying does. */
const GROWTH = 16;
/**
 * The flows that are open. Rows keep their number while the table grows. All memory is typed arrays and bounded by
 * `maxFlows`.
 */
export class FlowTable extends FlowRows implements Stateful {
  readonly maxFlows: number;
  /** A record that grew older than this is cut. */
  readonly activeUs: number;
  readonly index = new FlowIndex();
  /** What a packet changes asks for its time here: as an argument of a call it would become an object (12 bytes a packet). */
  readonly timesUs = new Float64Array(2);
  live = 0;
  /** Rows that were ever taken. */
  used = 0;
  #free: Int32Array;
  #freeCount = 0;

  constructor(maxFlows: number, activeUs: number) {
    super(Math.min(SMALLEST, Math.max(1, maxFlows)));
    this.maxFlows = Math.max(1, maxFlows);
    this.activeUs = activeUs;
    this.#free = new Int32Array(this.capacity);
  }

  /** Makes room for `count` more flows, as far as `maxFlows` allows; row numbers stay, the arrays do not. */
  reserve(count: number): void {
    const wanted = Math.min(this.live + count, this.maxFlows);
    this.index.reserve(wanted);
    if (wanted <= this.capacity) return;
    let { capacity } = this;
    while (capacity < wanted) capacity *= GROWTH;
    this.grow(Math.min(capacity, this.maxFlows));
  }

  /** After a flood the index shrinks again, so that the few flows that stay share few cache lines. */
  settle(): void {
    this.index.settle(this.live);
  }

  override grow(capacity: number): void {
    super.grow(capacity);
    const free = this.#free;
    this.#free = new Int32Array(capacity);
    this.#free.set(free.subarray(0, this.#freeCount));
  }

  /** The row of the key of the packet at word `r`; -1 when no flow has it. */
  find(words: Int32Array, r: number): number {
    const { pairs, mask } = this.index;
    const hash = words[r + KEY_HASH];
    let at = hash & mask;
    while (pairs[2 * at + 1] !== 0) {
      const row = pairs[2 * at + 1] - 1;
      if (pairs[2 * at] === hash && this.#hasKey(row, words, r)) return row;
      at = (at + 1) & mask;
    }
    return -1;
  }

  #hasKey(row: number, words: Int32Array, r: number): boolean {
    const { hot } = this;
    const o = row << HOT_SHIFT;
    if (hot[o + KIND] !== words[r + KEY_KIND] || hot[o + PORTS] !== words[r + KEY_PORTS]) return false;
    const across = (words[r + KEY_INFO] & FROM_HIGH) << 2;
    if (hot[o + LOW] !== words[r + SRC + 3 + across] || hot[o + HIGH] !== words[r + DST + 3 - across]) return false;
    return (words[r + KEY_INFO] & WIDE) === 0 || this.hasWide(row, words, r);
  }

  /** What of a wide key does not stand in the hot row. */
  hasWide(row: number, words: Int32Array, r: number): boolean {
    const { six } = this;
    const s = row << SIX_SHIFT;
    const across = (words[r + KEY_INFO] & FROM_HIGH) << 2;
    const low = r + SRC + across;
    const high = r + DST - across;
    if (
      six[s + 2] !== words[low + 2] ||
      six[s + SIX_HIGH + 2] !== words[high + 2] ||
      six[s + 1] !== words[low + 1] ||
      six[s + SIX_HIGH + 1] !== words[high + 1] ||
      six[s] !== words[low] ||
      six[s + SIX_HIGH] !== words[high]
    ) {
      return false;
    }
    if (words[r + KEY_KIND] >>> KIND_INTERFACE_SHIFT !== OTHER_INTERFACE) return true;
    return this.cold[(row << COLD_SHIFT) + FLOW_INTERFACE] === words[r + INTERFACE];
  }

  /** True when a flow must leave before another can be taken. */
  get full(): boolean {
    return this.live >= this.maxFlows;
  }

  /** Reads the rows that will be taken again next, so that the cache misses overlap. */
  touchFree(count: number): number {
    const { hot, cold } = this;
    const free = this.#free;
    let sum = 0;
    for (let k = this.#freeCount - 1; k >= Math.max(0, this.#freeCount - count); k--) {
      sum ^= hot[free[k] << HOT_SHIFT] ^ cold[free[k] << COLD_SHIFT];
    }
    return sum;
  }

  /** Takes a row for the packet at word `r` and writes the key; the caller has made room and fills the rest. */
  take(words: Int32Array, r: number): number {
    const row = this.#freeCount > 0 ? this.#free[--this.#freeCount] : this.used++;
    const { hot, six } = this;
    const o = row << HOT_SHIFT;
    const across = (words[r + KEY_INFO] & FROM_HIGH) << 2;
    const low = r + SRC + across;
    const high = r + DST - across;
    hot[o + LOW] = words[low + 3];
    hot[o + HIGH] = words[high + 3];
    hot[o + PORTS] = words[r + KEY_PORTS];
    hot[o + KIND] = words[r + KEY_KIND];
    this.cold[(row << COLD_SHIFT) + HASH] = words[r + KEY_HASH];
    if ((words[r + KEY_INFO] & WIDE) !== 0) {
      const s = row << SIX_SHIFT;
      for (let k = 0; k < 3; k++) {
        six[s + k] = words[low + k];
        six[s + SIX_HIGH + k] = words[high + k];
      }
    }
    this.index.enter(words[r + KEY_HASH], row);
    this.live++;
    return row;
  }

  /** Gives a row back; its key is found no more. */
  free(row: number): void {
    this.index.leave(this.cold[(row << COLD_SHIFT) + HASH], row);
    this.hot[(row << HOT_SHIFT) + KIND] = 0;
    this.#free[this.#freeCount++] = row;
    this.live--;
  }

  /** Makes rows be taken from the first one again, without memberships; all flows have left. */
  clear(): void {
    for (let row = 0; row < this.used; row++) this.hot[(row << HOT_SHIFT) + STATE] = 0;
    this.used = 0;
    this.#freeCount = 0;
  }

  isLive(row: number): boolean {
    return (this.hot[(row << HOT_SHIFT) + KIND] & OCCUPIED) !== 0;
  }

  /** Writes rows as they lie, by runs: after a flood most are free, and nothing of a free one is kept. */
  save(out: StateWriter): void {
    const runs = Int32Array.from(this.#runs());
    out.number(this.activeUs);
    out.number(this.used);
    out.array(this.#free, 0, this.#freeCount);
    out.array(runs);
    this.saveRows(runs, out);
  }

  restore(state: StateReader): void {
    const activeUs = state.number();
    const used = state.number();
    if (!(used >= 0 && used <= MOST_ROWS)) throw new WeirError('state.damaged', `${used} flows were saved`);
    let capacity = Math.min(SMALLEST, this.maxFlows);
    while (capacity < used) capacity *= 2;
    const free = state.array(Int32Array);
    this.#free = new Int32Array(capacity);
    this.#free.set(free);
    this.#freeCount = free.length;
    this.used = used;
    this.live = used - free.length;
    this.restoreRows(capacity, state.array(Int32Array), state);
    this.index.clear(this.live);
    for (let row = 0; row < used; row++) {
      if (!this.isLive(row)) continue;
      this.index.enter(this.cold[(row << COLD_SHIFT) + HASH], row);
      if (activeUs !== this.activeUs) this.#dueAnew(row);
    }
  }

  /** Another active timeout may be over already. */
  #dueAnew(row: number): void {
    setStart(this, row, this.coldF64[((row << COLD_SHIFT) >> 1) + START_F64]);
    this.hot[(row << HOT_SHIFT) + STATE] |= MAY_BE_DUE;
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
    for (let o = from << HOT_SHIFT; o < to << HOT_SHIFT; o += HOT) {
      if (hot[o + KIND] !== 0 || (hot[o + STATE] & MEMBERSHIPS) !== 0) return true;
    }
    return false;
  }
}
