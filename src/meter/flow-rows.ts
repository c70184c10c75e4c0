import type { StateReader, StateWriter } from '../core/state.ts';
import { COLD, FOLD, HOT, SIX, SPILL } from './flow-row.ts';

/** Words that a large array lies behind the beginning of a page: rows begin with a cache line where arrays begin here. */
const ALIGNED_AT = 12;

/** The tables of `flow-row.ts`. A row keeps its number when they grow. */
export class FlowRows {
  capacity: number;
  hot!: Int32Array;
  hotF64!: Float64Array;
  cold!: Int32Array;
  coldF64!: Float64Array;
  six!: Int32Array;
  fold!: Int32Array;
  foldF64!: Float64Array;
  /** Outermost addresses of the low and the high end, 8 words a row; made when a tunnel was seen. */
  outer: Int32Array = new Int32Array(0);
  /** Four doubles a row; made when a flow outgrew its counters. */
  spill: Float64Array = new Float64Array(0);

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#make();
  }

  #make(): void {
    const { capacity } = this;
    this.hot = alignedRows(capacity, HOT);
    this.hotF64 = doublesOf(this.hot);
    this.cold = alignedRows(capacity, COLD);
    this.coldF64 = doublesOf(this.cold);
    this.six = alignedRows(capacity, SIX);
    this.fold = alignedRows(capacity, FOLD);
    this.foldF64 = doublesOf(this.fold);
  }

  /** Makes room for `capacity` rows. */
  grow(capacity: number): void {
    const { hot, cold, six, fold } = this;
    this.capacity = capacity;
    this.#make();
    this.hot.set(hot);
    this.cold.set(cold);
    this.six.set(six);
    this.fold.set(fold);
    if (this.outer.length > 0) this.outer = grown(this.outer, new Int32Array(8 * capacity));
    if (this.spill.length > 0) this.spill = grown(this.spill, new Float64Array((SPILL / 2) * capacity));
  }

  /** The row's place in `outer`, which is made when the first tunnel comes. */
  outerAt(row: number): number {
    if (this.outer.length === 0) this.outer = new Int32Array(8 * this.capacity);
    return 8 * row;
  }

  /** The row's place in `spill`, which is made when the first flow needs it. */
  spillAt(row: number): number {
    if (this.spill.length === 0) this.spill = new Float64Array((SPILL / 2) * this.capacity);
    return (SPILL / 2) * row;
  }

  /** Writes runs of rows (first row and end, again and again) as they lie. */
  saveRows(runs: Int32Array, out: StateWriter): void {
    out.number(this.outer.length > 0 ? 1 : 0);
    out.number(this.spill.length > 0 ? 1 : 0);
    for (let i = 0; i < runs.length; i += 2) this.#eachPart(runs[i], runs[i + 1], (part) => out.array(part));
  }

  /** Reads them back into new tables of `capacity` rows. */
  restoreRows(capacity: number, runs: Int32Array, state: StateReader): void {
    this.capacity = capacity;
    this.#make();
    this.outer = new Int32Array(state.number() !== 0 ? 8 * capacity : 0);
    this.spill = new Float64Array(state.number() !== 0 ? (SPILL / 2) * capacity : 0);
    for (let i = 0; i < runs.length; i += 2) this.#eachPart(runs[i], runs[i + 1], (part) => state.into(part));
  }

  /** The tables' parts that belong to rows `from` to (not including) `to`. */
  #eachPart(from: number, to: number, take: (part: Int32Array | Float64Array) => void): void {
    take(this.hot.subarray(from * HOT, to * HOT));
    take(this.cold.subarray(from * COLD, to * COLD));
    take(this.six.subarray(from * SIX, to * SIX));
    take(this.fold.subarray(from * FOLD, to * FOLD));
    if (this.outer.length > 0) take(this.outer.subarray(8 * from, 8 * to));
    if (this.spill.length > 0) take(this.spill.subarray((SPILL / 2) * from, (SPILL / 2) * to));
  }
}

/** Rows of `width` words; the first begins a cache line where the allocator gives large arrays a header of 16 bytes. */
function alignedRows(rows: number, width: number): Int32Array<ArrayBuffer> {
  return new Int32Array(new ArrayBuffer(4 * (rows * width + 2 * ALIGNED_AT)), 4 * ALIGNED_AT, rows * width);
}

const doublesOf = ({ buffer, byteOffset, length }: Int32Array): Float64Array =>
  new Float64Array(buffer, byteOffset, length / 2);

function grown<T extends Int32Array | Float64Array>(old: T, fresh: T): T {
  fresh.set(old);
  return fresh;
}
