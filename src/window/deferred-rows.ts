import { giveBack, takeDoubles, takeWords } from '../core/buffer-pool.ts';
import { damaged, type StateReader, type StateWriter } from '../core/state.ts';

const FEW = 1024;
/** Rows are of slices that `RecentRows` keeps, two of each at most. */
const MOST = 1 << 21;

/** What a pane keeps of rows that are not in its tables yet: see `Deferral`. */
export interface DeferredShape {
  /** Names all of this and the code that fills it. */
  id: string;
  /** Power of two. */
  buckets: number;
  /** Accumulators a bucket, and what each begins with. */
  initial: readonly number[];
  /** Words a bucket in which its last tuples are remembered. */
  lastWords: number;
  /** Words a row: the hash of its key, and a second one where that is needed. */
  width: number;
}

export function shiftOf({ buckets }: DeferredShape): number {
  return 32 - Math.log2(buckets);
}

/**
 * Rows of a pane that nobody may ever ask for: where they stand (`RecentRows`) and the hash of their key. Sums by buckets of hashes tell
 * which keys they have to be looked at for.
 */
export class DeferredRows {
  readonly shape: DeferredShape;
  /** Number of the row that `refs` count from; -1 before the first. */
  base = -1;
  length = 0;
  #used = 0;
  /** `hot` is known of all buckets: the pane is over. */
  tested = false;
  /** Twice the row's distance from `base`, plus the direction. */
  refs: Int32Array = takeWords(FEW);
  words: Int32Array;
  readonly sums: Float64Array;
  readonly lasts: Int32Array;
  /** 1: the bucket's rows are looked at. */
  readonly hot: Uint8Array;
  /** A hash's bucket is its topmost bits. */
  readonly shift: number;

  constructor(shape: DeferredShape) {
    const { buckets, initial, lastWords, width } = shape;
    this.shape = shape;
    this.words = takeWords(FEW * width);
    this.sums = takeDoubles(buckets * initial.length);
    this.lasts = takeWords(buckets * lastWords);
    this.hot = new Uint8Array(buckets);
    this.shift = shiftOf(shape);
    this.#begin();
  }

  #begin(): void {
    const { initial } = this.shape;
    this.base = -1;
    this.length = 0;
    this.tested = false;
    if (initial.every((value) => value === 0)) this.sums.fill(0);
    else for (let at = 0; at < this.sums.length; at++) this.sums[at] = initial[at % initial.length];
    this.lasts.fill(0);
    this.hot.fill(0);
  }

  /** Makes room for `more` rows. */
  reserve(more: number): void {
    const { width } = this.shape;
    const rows = this.length + more;
    this.#used = rows;
    if (rows <= this.refs.length) return;
    const { refs, words } = this;
    const room = Math.max(rows, 2 * refs.length);
    this.refs = takeWords(room);
    this.words = takeWords(room * width);
    this.refs.set(refs.subarray(0, this.length));
    this.words.set(words.subarray(0, this.length * width));
    giveBack(refs);
    giveBack(words);
  }

  /** An accumulator of a key's bucket becomes at least this. */
  raise(hash: number, accumulator: number, value: number): void {
    const at = (hash >>> this.shift) * this.shape.initial.length + accumulator;
    if (value > this.sums[at]) this.sums[at] = value;
  }

  isHot(hash: number): boolean {
    return this.hot[hash >>> this.shift] === 1;
  }

  /** The rows of these buckets leave; answers them. */
  takeOut(hot: Uint8Array): Int32Array {
    const { refs, words, shift } = this;
    const taken = takeWords(this.length);
    let n = 0;
    let kept = 0;
    for (let k = 0; k < this.length; k++) {
      if (hot[words[k] >>> shift] === 1) taken[n++] = refs[k];
      else {
        refs[kept] = refs[k];
        words[kept++] = words[k];
      }
    }
    this.length = kept;
    const answer = taken.slice(0, n);
    giveBack(taken);
    return answer;
  }

  /** The rows of these buckets, which stay. */
  pick(hot: Uint8Array): Int32Array {
    const { refs, words, shift } = this;
    const { width } = this.shape;
    const taken = takeWords(this.length);
    let n = 0;
    for (let k = 0; k < this.length; k++) if (hot[words[k * width] >>> shift] === 1) taken[n++] = refs[k];
    const answer = taken.slice(0, n);
    giveBack(taken);
    return answer;
  }

  /** Forgets every row; memory stays unless most of it was unused. */
  reset(): void {
    const few = 8 * Math.max(FEW, this.#used);
    this.#begin();
    if (this.refs.length <= few) return;
    for (const array of [this.refs, this.words]) giveBack(array);
    this.refs = takeWords(FEW);
    this.words = takeWords(FEW * this.shape.width);
  }

  /** Nobody needs the rows any more. */
  release(): void {
    for (const array of [this.refs, this.words, this.sums, this.lasts]) giveBack(array);
  }

  save(out: StateWriter): void {
    out.json(this.shape);
    out.number(this.base);
    out.number(this.length);
    out.number(this.tested ? 1 : 0);
    out.array(this.refs, 0, this.length);
    out.array(this.words, 0, this.length * this.shape.width);
    for (const array of [this.sums, this.lasts, this.hot]) out.array(array);
  }

  static restored(state: StateReader): DeferredRows {
    const rows = new DeferredRows(state.json<DeferredShape>());
    const base = state.number();
    const length = state.number();
    const tested = state.number() === 1;
    if (!(length <= MOST)) throw damaged(`${length} rows wait`);
    rows.reserve(length);
    if (state.into(rows.refs) !== length) throw damaged('rows that wait and their number differ');
    state.into(rows.words);
    for (const array of [rows.sums, rows.lasts, rows.hot]) state.into(array);
    rows.base = base;
    rows.length = length;
    rows.tested = tested;
    return rows;
  }
}
