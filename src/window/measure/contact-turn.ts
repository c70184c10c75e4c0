import { takeWords } from '../../core/buffer-pool.ts';
import { secondHash } from '../address-hash.ts';
import { AT_ONCE } from '../fingerprint-set.ts';
import type { KeyedTable } from '../keyed-table.ts';

/** Of the contacts of one turn: hash of the key, where its walk seems to stand (row + 1), fingerprints that are looked up. */
export const HASHES = new Int32Array(AT_ONCE);
export const PLACES = new Int32Array(AT_ONCE);
export const FURTHER = new Int32Array(AT_ONCE);

/** Of the contacts of one turn: when, whether nobody answered, and how far the walk went then. */
export const TIMES = new Float64Array(AT_ONCE);
export const FAILED = new Uint8Array(AT_ONCE);
export const LIKELIHOODS = new Float64Array(AT_ONCE);

/** Moments are twice the time, plus one when nobody answered. */
export function gatherTimes(moments: Float64Array, order: Int32Array, from: number, to: number): void {
  for (let k = from; k < to; k = (k + 1) | 0) {
    const moment = moments[order[k]];
    const timeUs = Math.floor(moment / 2);
    TIMES[k - from] = timeUs;
    FAILED[k - from] = moment === 2 * timeUs ? 0 : 1;
  }
}

export function gatherHashes(prints: Int32Array, rows: Int32Array, order: Int32Array, from: number, to: number): void {
  for (let k = from; k < to; k = (k + 1) | 0) HASHES[k - from] = prints[rows[order[k]] << 1];
}

/** What each key of a table is known by, two words each; to be given back to the pool. */
export function printsOf(keys: KeyedTable): Int32Array {
  const prints = takeWords(2 * keys.count);
  for (let row = 0; row < keys.count; row++) writePrint(keys, row, prints, 2 * row);
  return prints;
}

export function writePrint({ words, stride, keyWords }: KeyedTable, row: number, out: Int32Array, at: number): void {
  const own = 2 * row * stride;
  out[at] = words[own];
  out[at + 1] = secondHash(words, own + 1, keyWords, words[own]);
}

/** Fingerprints of the events whose walk seems to have begun with another one. */
export function furtherPrints(
  doubles: Float64Array,
  stride: number,
  print: number,
  prints: Int32Array,
  order: Int32Array,
  from: number,
  to: number,
): number {
  let n = 0;
  for (let k = from; k < to; k = (k + 1) | 0) {
    const row = PLACES[k - from] - 1;
    const low = prints[order[k]];
    if (row < 0 || doubles[row * stride + print] === low) continue;
    FURTHER[n] = low;
    n = (n + 1) | 0;
  }
  return n;
}
