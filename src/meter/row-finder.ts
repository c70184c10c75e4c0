import { WIDE } from '../model/packet-key.ts';
import { KEY_CANDIDATE, KEY_HASH, KEY_INFO, ROW } from '../model/packet-rows.ts';
import { HOT_SHIFT, SIX_SHIFT } from './flow-row.ts';
import type { FlowTable } from './flow-table.ts';

/**
 * Finds the rows of packets by the hashes of their keys, many at a time. A thread waits for memory once a pass, not once a
 * packet: each pass reads what the next one needs, without a branch that depends on it.
 */
export class RowFinder {
  readonly #table: FlowTable;
  /** Keeps the touching of rows from being optimised away. */
  touched = 0;

  constructor(table: FlowTable) {
    this.#table = table;
  }

  /** Writes the candidates of the packets from word `from` to (not including) word `to`, and reads their rows. */
  find(words: Int32Array, from: number, to: number): void {
    this.#touchIndex(words, from, to);
    this.#probe(words, from, to);
    this.#touch(words, from, to);
  }

  /** Reads each packet's first index entry without a branch, so that the cache misses overlap. */
  #touchIndex(words: Int32Array, from: number, to: number): void {
    const { pairs, mask } = this.#table.index;
    let sum = 0;
    for (let r = from; r < to; r += ROW) sum ^= pairs[2 * (words[r + KEY_HASH] & mask)];
    this.touched = sum;
  }

  /** Finds rows by hash alone. */
  #probe(words: Int32Array, from: number, to: number): void {
    const { pairs, mask } = this.#table.index;
    for (let r = from; r < to; r += ROW) {
      const wanted = words[r + KEY_HASH];
      let at = wanted & mask;
      while (pairs[2 * at + 1] !== 0 && pairs[2 * at] !== wanted) at = (at + 1) & mask;
      words[r + KEY_CANDIDATE] = pairs[2 * at + 1] - 1;
    }
  }

  /** Reads the rows of all candidates, so that their misses overlap; wide keys have a second row. */
  #touch(words: Int32Array, from: number, to: number): void {
    const { hot, six } = this.#table;
    let sum = 0;
    let fresh = 0;
    for (let r = from; r < to; r += ROW) {
      const candidate = words[r + KEY_CANDIDATE];
      const row = candidate & ~(candidate >> 31);
      fresh -= candidate >> 31;
      sum ^= hot[row << HOT_SHIFT];
      if ((words[r + KEY_INFO] & WIDE) !== 0) sum ^= six[row << SIX_SHIFT];
    }
    this.touched ^= sum ^ this.#table.touchFree(fresh);
  }
}
