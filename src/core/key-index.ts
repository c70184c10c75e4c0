import { giveBack, takeWords } from './buffer-pool.ts';

/**
 * Where a row with a given hash stands: open addressing over (hash, row) pairs, at most half full, so that hot loops
 * can probe `entries` themselves and look at a row only when its whole hash agrees. Keys live with the owner's rows.
 */
export class KeyIndex {
  /** Pairs: hash, then row + 1; 0 in the second word is a free place. */
  entries: Int32Array;
  /** Mask of a place (pair number). */
  mask: number;

  constructor(rows = 32) {
    const size = indexSize(rows);
    this.entries = new Int32Array(2 * size);
    this.mask = size - 1;
  }

  /** All places free, of which there are `size`. */
  #begin(size: number): void {
    this.entries = takeWords(2 * size);
    this.entries.fill(0);
    this.mask = size - 1;
  }

  /** Makes sure that `rows` rows fit. */
  reserve(rows: number): void {
    if (2 * rows <= this.mask + 1) return;
    const old = this.entries;
    this.#begin(indexSize(rows));
    enterPairs(old, this.entries, this.mask);
    giveBack(old);
  }

  enter(hash: number, row: number): void {
    const { entries, mask } = this;
    let at = hash & mask;
    while (entries[2 * at + 1] !== 0) at = (at + 1) & mask;
    entries[2 * at] = hash;
    entries[2 * at + 1] = row + 1;
  }

  /** Enters rows 0 .. `rows`; the hash of row `r` stands at `words[r * stride]`. There must be room for all of them. */
  enterAll(words: Int32Array, stride: number, rows: number): void {
    const { entries, mask } = this;
    for (let row = 0; row < rows; row++) {
      const hash = words[row * stride];
      let at = hash & mask;
      while (entries[2 * at + 1] !== 0) at = (at + 1) & mask;
      entries[2 * at] = hash;
      entries[2 * at + 1] = row + 1;
    }
  }

  /** Nobody needs the index any more. */
  release(): void {
    giveBack(this.entries);
  }

  /** Forgets everything; shrinks when the places stood mostly empty for `rows` rows. */
  clear(rows = 0): void {
    const size = indexSize(rows);
    if (8 * size < this.mask + 1) {
      giveBack(this.entries);
      this.#begin(size);
    } else {
      this.entries.fill(0);
    }
  }
}

function enterPairs(from: Int32Array, entries: Int32Array, mask: number): void {
  for (let k = 0; k < from.length; k += 2) {
    if (from[k + 1] === 0) continue;
    const hash = from[k];
    let at = hash & mask;
    while (entries[2 * at + 1] !== 0) at = (at + 1) & mask;
    entries[2 * at] = hash;
    entries[2 * at + 1] = from[k + 1];
  }
}

function indexSize(rows: number): number {
  return 2 ** Math.ceil(Math.log2(2 * Math.max(16, rows)));
}
