import { takeWords } from '../core/buffer-pool.ts';
import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import { findAll, findRows } from './find-code.ts';
import type { KeyedTable } from './keyed-table.ts';
import { identity, type Layout, type PairPlan, ROWS } from './layout.ts';
import type { MeasureCode } from './measure/measure.ts';
import type { Pane } from './pane.ts';
import { giveBackRows, type Part } from './window-view.ts';

type Change = NonNullable<MeasureCode['change']>;

/**
 * A window made of panes: the newest pane is added, the oldest taken back, so that a window costs its newest and its
 * oldest pane and not all of them. All sums are sums of whole numbers, so taking back is exact.
 */
export class Combiner implements Stateful {
  readonly window: Pane;
  readonly #layout: Layout;
  readonly #changes: Change[][];
  readonly #extremes: number[];
  readonly #sums: Int32Array;
  /** Keys and pairs of the window that no pane holds. */
  #dead = 0;

  constructor(window: Pane, layout: Layout, measures: readonly MeasureCode[]) {
    this.window = window;
    this.#layout = layout;
    this.#changes = layout.pairs.map((_, p) => measures.flatMap(({ change }) => (change?.pair === p ? [change] : [])));
    this.#sums = Int32Array.from(layout.merges.flatMap((merge, a) => (merge === 'sum' ? [a] : [])));
    this.#extremes = layout.merges.flatMap((merge, a) => (merge === 'min' || merge === 'max' ? [a] : []));
  }

  add(pane: Pane): Part {
    const keyRows = this.#addKeys(pane.keys);
    const pairRows = pane.pairs.map((pairs, p) =>
      windowed(pairs.plan) ? this.#addPairs(p, pairs.table, keyRows) : EMPTY,
    );
    return { pane, keyRows, pairRows };
  }

  #addKeys(keys: KeyedTable): Int32Array {
    const into = this.window.keys;
    const before = into.count;
    const rows = PACKED.find(keys, into, null);
    for (const row of rows) if (row < before && into.doubles[row * into.stride + into.first + ROWS] === 0) this.#dead--;
    addSums(into, keys, rows, this.#sums, 1);
    return rows;
  }

  #addPairs(p: number, from: KeyedTable, keyRows: Int32Array): Int32Array {
    const { keys } = this.window;
    const { table, plan } = this.window.pairs[p];
    const before = table.count;
    const rows = PACKED.find(from, table, keyRows);
    for (let row = 0; row < from.count; row++) {
      const at = rows[row] * table.stride + table.first;
      const d = keyRows[from.words[2 * row * from.stride + 1]] * keys.stride + keys.first;
      if (table.doubles[at]++ === 0) {
        keys.doubles[d + plan.count]++;
        if (rows[row] < before) this.#dead--;
      }
      this.#move(p, from, row, at, d, 1);
    }
    return rows;
  }

  #move(p: number, from: KeyedTable, row: number, at: number, d: number, sign: number): void {
    if (from.accumulators < 2) return;
    const { table } = this.window.pairs[p];
    const before = table.doubles[at + 1];
    const after = before + sign * from.doubles[row * from.stride + from.first + 1];
    table.doubles[at + 1] = after;
    for (const change of this.#changes[p]) change.apply(this.window.keys.doubles, d, before, after);
  }

  /** @param others the parts that stay */
  remove(part: Part, others: readonly Part[]): void {
    const { pane, keyRows, pairRows } = part;
    if (keyRows === null) return;
    pane.pairs.forEach((pairs, p) => {
      if (windowed(pairs.plan)) this.#removePairs(p, pairs.table, keyRows, pairRows[p]);
    });
    const { keys, pairs } = this.window;
    addSums(keys, pane.keys, keyRows, this.#sums, -1);
    for (const row of keyRows) if (keys.doubles[row * keys.stride + keys.first + ROWS] === 0) this.#dead++;
    const rows = pairs.reduce((sum, { table }) => sum + table.count, keys.count);
    giveBackRows(part);
    if (2 * this.#dead > rows + SOME) this.bury(others);
  }

  #removePairs(p: number, from: KeyedTable, keyRows: Int32Array, rows: Int32Array): void {
    const { keys } = this.window;
    const { table, plan } = this.window.pairs[p];
    for (let row = 0; row < from.count; row++) {
      const at = rows[row] * table.stride + table.first;
      const d = keyRows[from.words[2 * row * from.stride + 1]] * keys.stride + keys.first;
      this.#move(p, from, row, at, d, -1);
      if (--table.doubles[at] > 0) continue;
      keys.doubles[d + plan.count]--;
      this.#dead++;
    }
  }

  /**
   * Keys and pairs that no pane holds any more stay for a while, all zero: most come back, and moving rows costs more
   * than keeping them. When half of the rows are such, they go, and the others move together.
   */
  bury(parts: readonly Part[]): void {
    const { keys, pairs } = this.window;
    const places = keys.compact(positive(keys, ROWS));
    const pairPlaces = pairs.map(({ table, sketches }) => {
      renameKeys(sketches, places);
      return buryPairs(table, places);
    });
    for (const { keyRows, pairRows } of parts) {
      if (keyRows !== null) rename(keyRows, places);
      pairRows.forEach((rows, p) => {
        rename(rows, pairPlaces[p]);
      });
    }
    this.#dead = 0;
  }

  /** Least and greatest values cannot be taken back: they are gathered anew from the panes. */
  gatherExtremes(parts: readonly Part[]): void {
    for (const a of this.#extremes) {
      fill(this.window.keys, a, identity(this.#layout.merges[a]));
      for (const { pane, keyRows } of parts) {
        if (keyRows !== null) extremes(this.window.keys, pane.keys, keyRows, a, this.#layout.merges[a] === 'min');
      }
    }
  }

  /** Where panes never leave: the pane's least and greatest values enter directly. */
  addExtremes(pane: Pane, keyRows: Int32Array): void {
    for (const a of this.#extremes) {
      extremes(this.window.keys, pane.keys, keyRows, a, this.#layout.merges[a] === 'min');
    }
  }

  /** An empty window. */
  reset(): void {
    this.#dead = 0;
    this.window.reset();
  }

  save(out: StateWriter): void {
    out.number(this.#dead);
    this.window.save(out);
  }

  restore(state: StateReader): void {
    this.#dead = state.number();
    this.window.restore(state);
  }

  /** A pane that is a whole window: what pairs contribute to their keys. */
  fold(pane: Pane): void {
    this.#changes.forEach((changes, p) => {
      if (changes.length > 0) foldPairs(pane, p, changes);
    });
  }
}

/** Logs and what matters only when a pane closes stay out of windows. */
function windowed(plan: PairPlan): boolean {
  return plan.windowed && !plan.log;
}

/** Pairs that a pane holds stay, under the new row of their key. */
function buryPairs(table: KeyedTable, places: Int32Array): Int32Array {
  const moved = table.compact(positive(table, 0));
  for (let row = 0; row < table.count; row++) {
    const at = 2 * row * table.stride + 1;
    table.words[at] = places[table.words[at]];
  }
  return moved;
}

/** Marks the rows whose accumulator is positive. */
function positive({ doubles, stride, first, count }: KeyedTable, accumulator: number): Uint8Array {
  const marks = new Uint8Array(count);
  for (let row = 0; row < count; row++) if (doubles[row * stride + first + accumulator] > 0) marks[row] = 1;
  return marks;
}

/** Sketches of open sessions stand with the window itself. */
function renameKeys(sketches: Map<number, Uint8Array>, places: Int32Array): void {
  const known = [...sketches];
  sketches.clear();
  for (const [key, registers] of known) sketches.set(places[key], registers);
}

function rename(rows: Int32Array, places: Int32Array): void {
  for (let i = 0; i < rows.length; i++) rows[i] = places[rows[i]];
}

/** A table's keys packed together, so that another table finds them in one batch. */
class PackedKeys {
  #hash = new Int32Array(1024);
  #words = new Int32Array(4096);

  /**
   * The rows of `from`'s keys in `into`, where they are appended when they are new.
   * @param keyRows of pairs: what becomes of their first word, the row of their key
   */
  find(from: KeyedTable, into: KeyedTable, keyRows: Int32Array | null): Int32Array {
    const n = from.count;
    if (n === 0) return EMPTY;
    const rows = takeWords(n);
    this.#pack(from);
    if (keyRows !== null) renameFirst(this.#words, n, from.keyWords, keyRows);
    findAll(findRows(into.keyWords), into, 0, n, this.#hash, this.#words, rows);
    return rows;
  }

  #pack({ words, stride, count, keyWords }: KeyedTable): void {
    if (this.#hash.length < count) this.#hash = new Int32Array(2 * count);
    if (this.#words.length < count * keyWords) this.#words = new Int32Array(2 * count * keyWords);
    for (let row = 0; row < count; row++) {
      const at = 2 * row * stride;
      this.#hash[row] = words[at];
      for (let k = 0; k < keyWords; k++) this.#words[row * keyWords + k] = words[at + 1 + k];
    }
  }
}

function renameFirst(words: Int32Array, n: number, width: number, places: Int32Array): void {
  for (let row = 0; row < n; row++) words[row * width] = places[words[row * width]];
}

const PACKED = new PackedKeys();
/** Dead rows that are no burden. */
const SOME = 4;
const EMPTY = new Int32Array(0);

/** Row by row, for the window's rows lie in no order: each is fetched once for all its sums. */
function addSums(to: KeyedTable, from: KeyedTable, rows: Int32Array, sums: Int32Array, sign: number): void {
  const into = to.doubles;
  const out = from.doubles;
  const n = sums.length;
  for (let row = 0; row < rows.length; row++) {
    const at = rows[row] * to.stride + to.first;
    const own = row * from.stride + from.first;
    for (let k = 0; k < n; k++) into[at + sums[k]] += sign * out[own + sums[k]];
  }
}

function fill(table: KeyedTable, a: number, value: number): void {
  for (let row = 0; row < table.count; row++) {
    const at = row * table.stride + table.first;
    // What no pane holds begins anew when it comes back.
    if (table.doubles[at + ROWS] > 0) table.doubles[at + a] = value;
  }
}

function extremes(to: KeyedTable, from: KeyedTable, rows: Int32Array, a: number, least: boolean): void {
  for (let row = 0; row < rows.length; row++) {
    const at = rows[row] * to.stride + to.first + a;
    const value = from.doubles[row * from.stride + from.first + a];
    if (least ? value < to.doubles[at] : value > to.doubles[at]) to.doubles[at] = value;
  }
}

function foldPairs(pane: Pane, p: number, changes: readonly Change[]): void {
  const { keys } = pane;
  const { table } = pane.pairs[p];
  for (let row = 0; row < table.count; row++) {
    const d = table.words[2 * row * table.stride + 1] * keys.stride + keys.first;
    const amount = table.doubles[row * table.stride + table.first + 1];
    for (const change of changes) change.apply(keys.doubles, d, 0, amount);
  }
}
