import type { KeyedTable } from './keyed-table.ts';
import { identity, type Layout, type PairPlan, ROWS } from './layout.ts';
import type { MeasureCode } from './measure/measure.ts';
import type { Pane } from './pane.ts';
import type { Part } from './window-view.ts';

type Change = NonNullable<MeasureCode['change']>;

/**
 * A window made of panes: the newest pane is added, the oldest taken back, so that a window costs its newest and its
 * oldest pane and not all of them. All sums are sums of whole numbers, so taking back is exact.
 */
export class Combiner {
  readonly window: Pane;
  readonly #layout: Layout;
  readonly #changes: Change[][];
  readonly #extremes: number[];
  readonly #sums: Int32Array;
  readonly #scratch = new Int32Array(64);
  /** Rows of the window that no pane holds. */
  #dead = 0;
  readonly #deadPairs: number[];

  constructor(window: Pane, layout: Layout, measures: readonly MeasureCode[]) {
    this.window = window;
    this.#layout = layout;
    this.#changes = layout.pairs.map((_, p) => measures.flatMap(({ change }) => (change?.pair === p ? [change] : [])));
    this.#sums = Int32Array.from(layout.merges.flatMap((merge, a) => (merge === 'sum' ? [a] : [])));
    this.#deadPairs = layout.pairs.map(() => 0);
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
    const { window } = this;
    const rows = new Int32Array(keys.count);
    for (let row = 0; row < keys.count; row++) {
      const at = 2 * row * keys.stride;
      const found = window.keys.find(keys.words, at);
      if (found >= 0 && window.keys.doubles[found * window.keys.stride + window.keys.first + ROWS] === 0) this.#dead--;
      rows[row] = found >= 0 ? found : window.keys.take(keys.words, at);
    }
    addSums(window.keys, keys, rows, this.#sums, 1);
    return rows;
  }

  #addPairs(p: number, from: KeyedTable, keyRows: Int32Array): Int32Array {
    const { keys } = this.window;
    const { table, plan } = this.window.pairs[p];
    const rows = new Int32Array(from.count);
    for (let row = 0; row < from.count; row++) {
      const key = keyRows[from.words[2 * row * from.stride + 1]];
      const own = this.#pairRow(p, from, row, key);
      rows[row] = own;
      const at = own * table.stride + table.first;
      const d = key * keys.stride + keys.first;
      if (table.doubles[at]++ === 0) keys.doubles[d + plan.count]++;
      this.#move(p, from, row, at, d, 1);
    }
    return rows;
  }

  /** The window's row of a pane's pair: the same tuple under the window's row of its key. */
  #pairRow(p: number, from: KeyedTable, row: number, key: number): number {
    const { table } = this.window.pairs[p];
    const at = 2 * row * from.stride;
    const words = this.#scratch;
    for (let k = 0; k <= from.keyWords; k++) words[k] = from.words[at + k];
    words[1] = key;
    const found = table.find(words, 0);
    if (found < 0) return table.take(words, 0);
    if (table.doubles[found * table.stride + table.first] === 0) this.#deadPairs[p]--;
    return found;
  }

  #move(p: number, from: KeyedTable, row: number, at: number, d: number, sign: number): void {
    if (from.accumulators < 2) return;
    const { table } = this.window.pairs[p];
    const before = table.doubles[at + 1];
    const after = before + sign * from.doubles[row * from.stride + from.first + 1];
    table.doubles[at + 1] = after;
    for (const change of this.#changes[p]) change.apply(this.window.keys.doubles, d, before, after);
  }

  remove({ pane, keyRows, pairRows }: Part): void {
    if (keyRows === null) return;
    pane.pairs.forEach((pairs, p) => {
      if (windowed(pairs.plan)) this.#removePairs(p, pairs.table, keyRows, pairRows[p]);
    });
    const { keys } = this.window;
    addSums(keys, pane.keys, keyRows, this.#sums, -1);
    for (const row of keyRows) if (keys.doubles[row * keys.stride + keys.first + ROWS] === 0) this.#dead++;
    if (2 * this.#dead > keys.live + SOME) this.#bury();
  }

  /**
   * Keys and pairs that no pane holds any more stay for a while, all zero: most come back, and freeing and taking rows
   * costs more than the sums. When half of the rows are such, they go.
   */
  #bury(): void {
    const { keys, pairs } = this.window;
    pairs.forEach(({ table }, p) => {
      freeRows(table);
      this.#deadPairs[p] = 0;
    });
    freeRows(keys);
    this.#dead = 0;
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
      this.#deadPairs[p]++;
    }
    if (2 * this.#deadPairs[p] > table.live + SOME) {
      freeRows(table);
      this.#deadPairs[p] = 0;
    }
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

/** Frees rows whose first accumulator is zero; it is negative where a row is free already. */
function freeRows(table: KeyedTable): void {
  for (let row = 0; row < table.count; row++) {
    if (table.doubles[row * table.stride + table.first] === 0) table.free(row);
  }
}

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
