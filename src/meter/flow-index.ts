const SMALLEST = 1 << 13;
/** Share of places that may be taken. */
const FULL = 0.6;

/**
 * Finds rows by the hash of their key: open addressing with pairs (hash, row + 1), at most `FULL` of them taken. Its size follows
 * the flows that are live, so that few flows share few cache lines. Whoever finds a pair compares the key in the row.
 */
export class FlowIndex {
  /** Pairs (hash, row + 1); 0 in the second word of a free one. */
  pairs: Int32Array = new Int32Array(2 * SMALLEST);
  /** Mask of a position in pairs. */
  mask = SMALLEST - 1;

  /** Makes room for `live` rows. */
  reserve(live: number): void {
    let size = this.mask + 1;
    while (live > FULL * size) size *= 2;
    if (size > this.mask + 1) this.#resize(size);
  }

  /** Shrinks when few are left. */
  settle(live: number): void {
    if (16 * live < this.mask + 1 && this.mask + 1 > SMALLEST) this.#resize((this.mask + 1) / 4);
  }

  /** Forgets all, and makes room for `live` rows. */
  clear(live: number): void {
    let size = SMALLEST;
    while (live > FULL * size) size *= 2;
    this.mask = size - 1;
    this.pairs = new Int32Array(2 * size);
  }

  /** Pairs hold all that is needed to enter them again. */
  #resize(size: number): void {
    const { pairs } = this;
    this.mask = size - 1;
    this.pairs = new Int32Array(2 * size);
    for (let at = 0; at < pairs.length; at += 2) if (pairs[at + 1] !== 0) this.enter(pairs[at], pairs[at + 1] - 1);
  }

  enter(hash: number, row: number): void {
    const { pairs, mask } = this;
    let at = hash & mask;
    while (pairs[2 * at + 1] !== 0) at = (at + 1) & mask;
    pairs[2 * at] = hash;
    pairs[2 * at + 1] = row + 1;
  }

  /** Deletes by shifting back, so that no probe ever walks over graves (Knuth, TAOCP 3, 6.4, algorithm R). */
  leave(hash: number, row: number): void {
    const { pairs, mask } = this;
    let hole = hash & mask;
    while (pairs[2 * hole + 1] !== row + 1) hole = (hole + 1) & mask;
    for (let at = (hole + 1) & mask; pairs[2 * at + 1] !== 0; at = (at + 1) & mask) {
      const home = pairs[2 * at] & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      pairs[2 * hole] = pairs[2 * at];
      pairs[2 * hole + 1] = pairs[2 * at + 1];
      hole = at;
    }
    pairs[2 * hole + 1] = 0;
  }
}
