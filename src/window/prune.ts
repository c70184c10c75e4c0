import { finish } from '../core/hash.ts';
import type { KeyedTable } from './keyed-table.ts';
import { SAMPLES } from './layout.ts';
import type { PairTable, Pane } from './pane.ts';

/**
 * Makes room in a full pane: the heaviest keys stay, so that a flood of random keys never pushes a heavy one out
 * (after SpaceSaving; but nothing is inherited: a count is never too high). Ties fall by a fixed hash of the key.
 * @returns how many keys left
 */
export function pruneKeys(pane: Pane, keep: number): number {
  const { keys } = pane;
  const before = keys.count;
  if (before <= keep) return 0;
  const weight = (row: number): number => keys.doubles[row * keys.stride + keys.first + SAMPLES];
  const places = keys.compact(heaviest(keys, keep, weight));
  for (const pairs of pane.pairs) rehome(pairs, places);
  return before - keys.count;
}

/** Drops the lighter pairs. */
export function prunePairs(pairs: PairTable, keep: number, keys: KeyedTable): number {
  const { table, plan } = pairs;
  const before = table.count;
  if (before <= keep) return 0;
  const weight = (row: number): number =>
    table.doubles[row * table.stride + table.first + (plan.amounts.length > 0 ? 1 : 0)];
  dropPairs(pairs, heaviest(table, keep, weight), keys);
  return before - table.count;
}

/** Keeps the pairs that `keep` says; the others leave the counts of their keys. */
export function dropPairs(pairs: PairTable, keep: (row: number) => boolean, keys: KeyedTable): void {
  const { table, plan } = pairs;
  for (let row = 0; row < table.count; row++) {
    if (keep(row)) continue;
    const key = table.words[2 * row * table.stride + 1];
    keys.doubles[key * keys.stride + keys.first + plan.count]--;
  }
  table.compact(keep);
}

function heaviest(table: KeyedTable, keep: number, weight: (row: number) => number): (row: number) => boolean {
  const weights = Float64Array.from({ length: table.count }, (_, row) => weight(row));
  const limit = nthSmallest(weights, table.count - keep);
  const ties: number[] = [];
  let above = 0;
  for (let row = 0; row < table.count; row++) {
    if (weights[row] > limit) above++;
    else if (weights[row] === limit) ties.push(row);
  }
  const hash = (row: number): number => stableHash(table, row);
  const hashes = ties.map(hash).sort((a, b) => a - b);
  const lastHash = hashes[keep - above - 1];
  return (row) => weights[row] > limit || (weights[row] === limit && hash(row) <= lastHash);
}

const SMALL = 1024;

/** Most weights of a flood are small whole numbers: counting finds the limit without sorting. */
function nthSmallest(weights: Float64Array, n: number): number {
  const counts = new Int32Array(SMALL);
  for (const weight of weights) if (weight < SMALL) counts[weight]++;
  let seen = 0;
  for (let value = 0; value < SMALL; value++) {
    seen += counts[value];
    if (seen > n) return value;
  }
  return weights.slice().sort()[n];
}

/** A hash without the process's seed, so that two runs keep the same keys. */
function stableHash(table: KeyedTable, row: number): number {
  let h = 0;
  const at = 2 * row * table.stride;
  for (let k = 1; k <= table.keyWords; k++) h = finish(Math.imul(h, 0x9e3779b1) + table.words[at + k]);
  return h;
}

/** After keys moved: pairs of keys that left go, the others learn the new row of their key. */
function rehome(pairs: PairTable, places: Int32Array): void {
  const { table } = pairs;
  const parent = (row: number): number => table.words[2 * row * table.stride + 1];
  table.compact((row) => places[parent(row)] >= 0);
  for (let row = 0; row < table.count; row++) table.words[2 * row * table.stride + 1] = places[parent(row)];
  pairs.events?.rename(places);
  const sketches = [...pairs.sketches];
  pairs.sketches.clear();
  for (const [row, registers] of sketches) if (places[row] >= 0) pairs.sketches.set(places[row], registers);
}
