import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import { type PacketRows, ROW, SRC, TIME_F64 } from '../model/packet-rows.ts';
import type { Fragment, FragmentTable } from './fragments.ts';

/** A slot: the row, then what the IP header says of the datagram. */
const SLOT = ROW + 2;
const ID = ROW;
const PROTOCOL = ROW + 1;
const ADDRESSES = 8;
/** How long a fragment may wait: less than the watermark stays behind, so that no window closes over it. */
const HOLD_US = 1e6;
const NEVER = Number.POSITIVE_INFINITY;

/** A waiting row as `FragmentTable` takes it. */
class Waiting implements Fragment {
  words: Int32Array = new Int32Array(0);
  row = 0;
  timeUs = 0;
  fragmentId = 0;
  fragmentProtocol = 0;
}

/**
 * Fragments that came before their datagram's first one. Their rows wait for it, a second of event time at most, and
 * then go on with its ports, or without any. Bounded by the number of slots: a fragment that finds none free does not
 * wait. What leaves when depends on the packets alone, however they are handed over.
 */
export class EarlyFragments implements Stateful {
  /** Event time at which the oldest has waited long enough; Infinity when none waits. */
  dueUs = NEVER;
  /** Slots in the order of their arrival, and slots in the order in which they leave. */
  #waiting: number[] = [];
  #leaving: number[] = [];
  #free: number[];
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #one = new Waiting();
  #missing = 0;

  constructor(slots: number) {
    this.#words = new Int32Array(slots * SLOT);
    this.#doubles = new Float64Array(this.#words.buffer);
    this.#free = allFree(slots);
    this.#one.words = this.#words;
  }

  /** Rows that may leave now. */
  get leaving(): number {
    return this.#leaving.length;
  }

  /** Keeps the row at `row`; false when it has to go on as it is, and without ports. */
  keep(words: Int32Array, row: number, timeUs: number, id: number, protocol: number): boolean {
    const slot = Number.isNaN(timeUs) ? undefined : this.#free.pop();
    if (slot === undefined) {
      this.#missing++;
      return false;
    }
    const at = slot * SLOT;
    for (let i = 0; i < ROW; i++) this.#words[at + i] = words[row + i];
    this.#words[at + ID] = id;
    this.#words[at + PROTOCOL] = protocol;
    if (this.#waiting.push(slot) === 1) this.dueUs = timeUs + HOLD_US;
    return true;
  }

  /** The first fragment came, and `table` knows it: what waited for it may leave with its ports. */
  meet(first: Fragment, table: FragmentTable): void {
    if (this.#waiting.length === 0) return;
    this.#waiting = this.#waiting.filter((slot) => !this.#joins(slot, first, table));
    this.#setDue();
  }

  #joins(slot: number, first: Fragment, table: FragmentTable): boolean {
    const words = this.#words;
    const at = slot * SLOT;
    if (words[at + ID] !== first.fragmentId || words[at + PROTOCOL] !== first.fragmentProtocol) return false;
    for (let i = SRC; i < SRC + ADDRESSES; i++) if (words[at + i] !== first.words[first.row + i]) return false;
    const one = this.#one;
    one.row = at;
    one.timeUs = this.#timeOf(slot);
    one.fragmentId = words[at + ID];
    one.fragmentProtocol = words[at + PROTOCOL];
    if (!table.inherit(one)) this.#missing++;
    this.#leaving.push(slot);
    return true;
  }

  /** Event time reached `timeUs`: who came too long ago leaves without ports. */
  expire(timeUs: number): void {
    let due = 0;
    while (due < this.#waiting.length && this.#timeOf(this.#waiting[due]) + HOLD_US <= timeUs) due++;
    this.#missing += due;
    this.#leaving.push(...this.#waiting.splice(0, due));
    this.#setDue();
  }

  /** Writes rows that may leave from row `from` on; the number of rows that there are then. */
  drain(rows: PacketRows, from: number): number {
    const count = Math.min(rows.capacity - from, this.#leaving.length);
    for (let i = 0; i < count; i++) {
      const at = this.#leaving[i] * SLOT;
      rows.words.set(this.#words.subarray(at, at + ROW), (from + i) * ROW);
    }
    this.#free.push(...this.#leaving.splice(0, count));
    return from + count;
  }

  /** Fragments that left without ports since the last call. */
  takeMissing(): number {
    const taken = this.#missing;
    this.#missing = 0;
    return taken;
  }

  save(out: StateWriter): void {
    out.array(this.#words);
    out.array(Int32Array.from(this.#waiting));
    out.array(Int32Array.from(this.#leaving));
    out.array(Int32Array.from(this.#free));
  }

  /** With another number of slots nothing waits: rows of the old state would have to be dropped otherwise. */
  restore(state: StateReader): void {
    const words = state.array(Int32Array);
    const lists = [state.array(Int32Array), state.array(Int32Array), state.array(Int32Array)];
    if (words.length !== this.#words.length) return;
    this.#words.set(words);
    [this.#waiting, this.#leaving, this.#free] = lists.map((list) => [...list]);
    this.#setDue();
  }

  #setDue(): void {
    this.dueUs = this.#waiting.length === 0 ? NEVER : this.#timeOf(this.#waiting[0]) + HOLD_US;
  }

  #timeOf(slot: number): number {
    return this.#doubles[(slot * SLOT) / 2 + TIME_F64];
  }
}

function allFree(slots: number): number[] {
  return Array.from({ length: slots }, (_, i) => slots - 1 - i);
}
