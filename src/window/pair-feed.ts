import type { Counter } from '../core/metrics.ts';
import { findAll, findRows } from './find-code.ts';
import { enterValue, REGISTERS } from './hyper-log-log.ts';
import type { KeyedTable } from './keyed-table.ts';
import type { PairTable } from './pane.ts';
import { dropPairs, prunePairs } from './prune.ts';
import type { Scratch } from './rule-code.ts';

/** Pairs of one measure and pane. */
const MOST_PAIRS = 1 << 20;
/** Sketches of one measure and pane: 16 MiB. */
const MOST_SKETCHES = 1 << 10;
/** Keys with this many tuples are counted by sketch when pairs run out. */
const FEW_TUPLES = 64;

/** Enters the tuples that a rule's generated code wrote into the scratch arrays into the pairs of a pane. */
export class PairFeed {
  readonly #scratch: Scratch;
  readonly #limit: number;
  readonly #dropped: Counter;

  /** @param limit pairs of one measure and pane */
  constructor(scratch: Scratch, dropped: Counter, limit = MOST_PAIRS) {
    this.#scratch = scratch;
    this.#dropped = dropped;
    this.#limit = limit;
  }

  add(selected: number, pairs: PairTable, keys: KeyedTable): void {
    const { pairHash, pairWords, pairRow, amounts } = this.#scratch;
    const { table, plan } = pairs;
    if (pairs.events) {
      pairs.events.addAll(selected, pairWords, pairHash, amounts);
      return;
    }
    const n = plan.sketchPast < Number.POSITIVE_INFINITY ? this.#sketch(selected, pairs, keys) : selected;
    if (n === 0) return;
    const before = table.count;
    findAll(findRows(table.keyWords), table, 0, n, pairHash, pairWords, pairRow);
    countNew(table, before, keys, plan.count);
    for (let k = 0; k < plan.amounts.length; k++) {
      const { merge } = plan.amounts[k];
      const offset = table.first + 1 + k;
      if (merge === 'sum') addSums(table, pairRow, amounts[k], n, offset);
      else addExtremes(table, pairRow, amounts[k], n, offset, merge === 'min');
    }
    if (table.count > this.#limit) this.#relieve(pairs, keys);
  }

  /** Enters tuples of keys that have many into their sketches; answers how many pairs remain. */
  #sketch(n: number, pairs: PairTable, keys: KeyedTable): number {
    const { pairHash, pairWords } = this.#scratch;
    const { plan, sketches } = pairs;
    const width = 1 + plan.code.words;
    const count = keys.first + plan.count;
    let kept = 0;
    for (let q = 0; q < n; q++) {
      const at = q * width;
      const key = pairWords[at];
      if (keys.doubles[key * keys.stride + count] >= plan.sketchPast || (sketches.size > 0 && sketches.has(key))) {
        const registers = sketches.get(key) ?? newSketch(sketches, key);
        if (registers !== null) {
          enterValue(registers, pairWords, at + 1, width - 1);
          continue;
        }
      }
      if (kept !== q) {
        pairHash[kept] = pairHash[q];
        pairWords.copyWithin(kept * width, at, at + width);
      }
      kept++;
    }
    return kept;
  }

  /** Too many pairs: keys with more than a few go over to sketches, else the lighter half goes. */
  #relieve(pairs: PairTable, keys: KeyedTable): void {
    const { table, plan, sketches } = pairs;
    if (plan.sketchPast < Number.POSITIVE_INFINITY) {
      const counted = (row: number): boolean => {
        const key = table.words[2 * row * table.stride + 1];
        if (keys.doubles[key * keys.stride + keys.first + plan.count] < FEW_TUPLES) return true;
        const registers = sketches.get(key) ?? newSketch(sketches, key);
        if (registers === null) return true;
        enterValue(registers, table.words, 2 * row * table.stride + 2, table.keyWords - 1);
        return false;
      };
      const marks = new Uint8Array(table.count);
      for (let row = 0; row < table.count; row++) if (counted(row)) marks[row] = 1;
      dropPairs(pairs, marks, keys);
    }
    if (table.count > this.#limit / 2) this.#dropped.value += prunePairs(pairs, this.#limit >> 1, keys);
  }
}

function newSketch(sketches: Map<number, Uint8Array>, key: number): Uint8Array | null {
  if (sketches.size >= MOST_SKETCHES) return null;
  const registers = new Uint8Array(REGISTERS);
  sketches.set(key, registers);
  return registers;
}

function countNew(table: KeyedTable, from: number, keys: KeyedTable, count: number): void {
  const { words, doubles, stride, first } = table;
  for (let row = from; row < table.count; row++) {
    doubles[row * stride + first] = 1;
    keys.doubles[words[2 * row * stride + 1] * keys.stride + keys.first + count]++;
  }
}

function addExtremes(
  { doubles, stride }: KeyedTable,
  rows: Int32Array,
  amounts: Float64Array,
  n: number,
  offset: number,
  least: boolean,
): void {
  for (let q = 0; q < n; q++) {
    const at = rows[q] * stride + offset;
    if (least ? amounts[q] < doubles[at] : amounts[q] > doubles[at]) doubles[at] = amounts[q];
  }
}

function addSums(
  { doubles, stride }: KeyedTable,
  rows: Int32Array,
  amounts: Float64Array,
  n: number,
  offset: number,
): void {
  for (let q = 0; q < n; q++) doubles[rows[q] * stride + offset] += amounts[q];
}
