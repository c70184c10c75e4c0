import { giveBack, takeDoubles, takeWords } from '../core/buffer-pool.ts';
import { finish } from '../core/hash.ts';
import { nthSmallest } from '../core/nth-smallest.ts';
import type { KeyedTable } from './keyed-table.ts';
import { SAMPLES } from './layout.ts';
import type { PairTable, Pane } from './pane.ts';

/**
 * Of new keys that have no room only the first stays, which makes others leave. To be asked when the rows of keys `from` .. `to` were found.
 * @returns where its row ends; rows behind it have to be found again
 */
export function endOfRoom(keys: KeyedTable, rows: Int32Array, from: number, to: number, most: number): number {
  const full = keys.count > most ? rows.subarray(from, to).indexOf(most) : -1;
  if (full < 0) return to;
  keys.count = most + 1;
  return from + full + 1;
}

/**
 * Makes room in a full pane: the heaviest keys stay, so that a flood of random keys never pushes a heavy one out
 * (after SpaceSaving; but nothing is inherited: a count is never too high). Ties fall by a fixed hash of the key.
 * @returns how many keys left
 */
export function pruneKeys(pane: Pane, keep: number): number {
  const { keys } = pane;
  const before = keys.count;
  if (before <= keep) return 0;
  const places = keys.compact(heaviest(keys, keep, SAMPLES));
  for (const pairs of pane.pairs) rehome(pairs, places);
  return before - keys.count;
}

/** Drops the lighter pairs. */
export function prunePairs(pairs: PairTable, keep: number, keys: KeyedTable): number {
  const { table, plan } = pairs;
  const before = table.count;
  if (before <= keep) return 0;
  dropPairs(pairs, heaviest(table, keep, plan.amounts.length > 0 ? 1 : 0), keys);
  return before - table.count;
}

/** Keeps the pairs that are marked; the others leave the counts of their keys. */
export function dropPairs(pairs: PairTable, marks: Uint8Array, keys: KeyedTable): void {
  const { table, plan } = pairs;
  for (let row = 0; row < table.count; row++) {
    if (marks[row] !== 0) continue;
    const key = table.words[2 * row * table.stride + 1];
    keys.doubles[key * keys.stride + keys.first + plan.count]--;
  }
  table.compact(marks);
}

/** Marks the `keep` rows with the greatest accumulator. */
function heaviest(table: KeyedTable, keep: number, accumulator: number): Uint8Array {
  const { count } = table;
  const weights = column(table, accumulator);
  const limit = nthSmallest(weights, count - keep);
  const marks = new Uint8Array(count);
  const ties = takeWords(count);
  let above = 0;
  let tied = 0;
  for (let row = 0; row < count; row++) {
    if (weights[row] > limit) {
      marks[row] = 1;
      above++;
    } else if (weights[row] === limit) ties[tied++] = row;
  }
  markTies(table, ties.subarray(0, tied), keep - above, marks);
  giveBack(weights);
  giveBack(ties);
  return marks;
}

function column({ doubles, stride, first, count }: KeyedTable, accumulator: number): Float64Array {
  const values = takeDoubles(count);
  for (let row = 0; row < count; row++) values[row] = doubles[row * stride + first + accumulator];
  return values;
}

/** Marks the `most` rows with the smallest hashes. */
function markTies(table: KeyedTable, rows: Int32Array, most: number, marks: Uint8Array): void {
  if (most <= 0) return;
  const hashes = takeDoubles(rows.length);
  for (let i = 0; i < rows.length; i++) hashes[i] = stableHash(table, rows[i]);
  const last = nthSmallest(hashes, most - 1);
  for (let i = 0; i < rows.length; i++) if (hashes[i] <= last) marks[rows[i]] = 1;
  giveBack(hashes);
}

/** A hash without the process's seed, so that two runs keep the same keys. */
function stableHash({ words, stride, keyWords }: KeyedTable, row: number): number {
  let h = 0;
  const at = 2 * row * stride;
  for (let k = 1; k <= keyWords; k++) h = finish(Math.imul(h, 0x9e3779b1) + words[at + k]);
  return h;
}

/** After keys moved: pairs of keys that left go, the others learn the new row of their key. */
function rehome(pairs: PairTable, places: Int32Array): void {
  const { table } = pairs;
  const { words, stride } = table;
  const marks = new Uint8Array(table.count);
  for (let row = 0; row < table.count; row++) if (places[words[2 * row * stride + 1]] >= 0) marks[row] = 1;
  table.compact(marks);
  for (let row = 0; row < table.count; row++) {
    const at = 2 * row * stride + 1;
    words[at] = places[words[at]];
  }
  pairs.events?.rename(places);
  const sketches = [...pairs.sketches];
  pairs.sketches.clear();
  for (const [row, registers] of sketches) if (places[row] >= 0) pairs.sketches.set(places[row], registers);
}
