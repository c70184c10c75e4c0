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

  /** Makes sure that `rows` rows fit. */
  reserve(rows: number): void {
    if (2 * rows <= this.mask + 1) return;
    const old = this.entries;
    const size = indexSize(rows);
    this.entries = new Int32Array(2 * size);
    this.mask = size - 1;
    for (let at = 0; at < old.length; at += 2) if (old[at + 1] !== 0) this.enter(old[at], old[at + 1] - 1);
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

  /** Forgets everything; shrinks when the places stood mostly empty for `rows` rows. */
  clear(rows = 0): void {
    const size = indexSize(rows);
    if (8 * size < this.mask + 1) {
      this.entries = new Int32Array(2 * size);
      this.mask = size - 1;
    } else {
      this.entries.fill(0);
    }
  }
}

function indexSize(rows: number): number {
  return 2 ** Math.ceil(Math.log2(2 * Math.max(16, rows)));
}
