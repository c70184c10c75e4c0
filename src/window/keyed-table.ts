import { giveBack, takeDoubles } from '../core/buffer-pool.ts';
import { KeyIndex } from '../core/key-index.ts';
import { damaged, type Stateful, type StateReader, type StateWriter } from '../core/state.ts';

/** Room for so many rows is kept, whatever was used. */
const FEW = 256;

/**
 * Rows of one key each: hash and key words, then accumulators as doubles, in one buffer, so that an update touches
 * one or two cache lines. Rows are dense.
 */
export class KeyedTable implements Stateful {
  readonly keyWords: number;
  readonly accumulators: number;
  /** Doubles a row, and the first accumulator within it. */
  readonly stride: number;
  readonly first: number;
  readonly index = new KeyIndex();
  words: Int32Array;
  doubles: Float64Array;
  count = 0;
  #rows: number;
  /** Values a fresh row begins with. */
  readonly #initial: Float64Array;

  constructor(keyWords: number, initial: readonly number[], rows = 16) {
    this.keyWords = keyWords;
    this.accumulators = initial.length;
    this.first = (2 + keyWords) >> 1;
    this.stride = this.first + initial.length;
    this.#initial = Float64Array.from(initial);
    this.#rows = rows;
    this.doubles = new Float64Array(rows * this.stride);
    this.words = new Int32Array(this.doubles.buffer);
  }

  /** The hash of a row's key. */
  hash(row: number): number {
    return this.words[2 * row * this.stride];
  }

  /** Makes sure that `more` rows can be appended without looking. */
  reserve(more: number): void {
    const rows = this.count + more;
    this.index.reserve(rows);
    if (rows <= this.#rows) return;
    const old = this.doubles;
    this.#makeRoom(Math.max(rows, 2 * this.#rows));
    this.doubles.set(old.subarray(0, this.count * this.stride));
    giveBack(old);
  }

  /** Room for so many rows, and for as many more as the buffer holds. Rows behind the last one are of no meaning. */
  #makeRoom(rows: number): void {
    const { buffer } = takeDoubles(rows * this.stride);
    this.#rows = Math.floor(buffer.byteLength / 8 / this.stride);
    this.doubles = new Float64Array(buffer, 0, this.#rows * this.stride);
    this.words = new Int32Array(buffer, 0, 2 * this.#rows * this.stride);
  }

  /** Sets what a fresh row begins with. */
  begin(row: number): void {
    const at = row * this.stride + this.first;
    for (let a = 0; a < this.accumulators; a++) this.doubles[at + a] = this.#initial[a];
  }

  /** As `begin`, for rows `from` .. `count`, after a loop that appended. */
  beginFrom(from: number): void {
    if (from < this.count) fillRows(this.doubles, this.#initial, from, this.count, this.stride, this.first);
  }

  /** The row of the key whose hash and words stand at `at`; -1 when there is none. */
  find(words: Int32Array, at: number): number {
    const { entries, mask } = this.index;
    const hash = words[at];
    for (let place = hash & mask; entries[2 * place + 1] !== 0; place = (place + 1) & mask) {
      if (entries[2 * place] !== hash) continue;
      const row = entries[2 * place + 1] - 1;
      if (this.#same(row, words, at)) return row;
    }
    return -1;
  }

  #same(row: number, words: Int32Array, at: number): boolean {
    const own = 2 * row * this.stride;
    for (let k = this.keyWords; k > 0; k--) if (this.words[own + k] !== words[at + k]) return false;
    return true;
  }

  /** Takes a row for the key whose hash and words stand at `at`. It must not be there yet. */
  take(words: Int32Array, at: number): number {
    this.reserve(1);
    const row = this.count++;
    const own = 2 * row * this.stride;
    for (let k = 0; k <= this.keyWords; k++) this.words[own + k] = words[at + k];
    if (this.keyWords % 2 === 0) this.words[own + this.keyWords + 1] = 0;
    this.index.enter(words[at], row);
    this.begin(row);
    return row;
  }

  /** Forgets every row; memory stays unless most of it was unused. */
  reset(): void {
    const used = this.count;
    const few = Math.max(used, FEW);
    if (this.#rows > 8 * few) {
      giveBack(this.doubles);
      this.#makeRoom(2 * few);
    }
    this.index.clear(few);
    this.count = 0;
  }

  /** Nobody needs the table any more. */
  release(): void {
    giveBack(this.doubles);
    this.index.release();
  }

  /**
   * Keeps the rows that are marked and moves them together, in their order.
   * @returns for each old row its new place, -1 for those that left
   */
  compact(marks: Uint8Array): Int32Array {
    const places = new Int32Array(this.count);
    const kept = this.#moveTogether(marks, places);
    this.count = kept;
    this.index.clear(kept);
    this.index.reserve(kept);
    this.#enterAll();
    return places;
  }

  #moveTogether(marks: Uint8Array, places: Int32Array): number {
    const { count, stride } = this;
    let to = 0;
    for (let row = 0; row < count; row++) {
      if (marks[row] === 0) {
        places[row] = -1;
        continue;
      }
      const begin = row;
      const shift = to - row;
      while (row < count && marks[row] !== 0) places[row] = row++ + shift;
      if (shift !== 0) this.doubles.copyWithin(to * stride, begin * stride, row * stride);
      to += row-- - begin;
    }
    return to;
  }

  #enterAll(): void {
    this.index.enterAll(this.words, 2 * this.stride, this.count);
  }

  save(out: StateWriter): void {
    out.number(this.count);
    out.array(this.doubles, 0, this.count * this.stride);
  }

  restore(state: StateReader): void {
    this.reset();
    const count = state.number();
    this.reserve(count);
    if (state.into(this.doubles) !== count * this.stride) throw damaged(`rows are not ${this.stride} numbers wide`);
    this.count = count;
    this.#enterAll();
  }
}

function fillRows(
  doubles: Float64Array,
  initial: Float64Array,
  from: number,
  to: number,
  stride: number,
  first: number,
): void {
  const n = initial.length;
  for (let row = from; row < to; row++) {
    const at = row * stride + first;
    for (let a = 0; a < n; a++) doubles[at + a] = initial[a];
  }
}
