import { finish, mix } from '../core/hash.ts';
import { KeyIndex } from '../core/key-index.ts';

/** Addresses looked up together: memory that is waited for at once is waited for once. */
const TOGETHER = 256;
const hashes = new Int32Array(TOGETHER);

/** Gives each address (four words) a row, from 0 on, in the order in which they come. */
export class AddressIndex {
  /** Four words of address a row. */
  words: Int32Array;
  length = 0;
  /** What was read ahead; only so that it is. */
  touched = 0;
  readonly #index: KeyIndex;

  constructor(rows = 1024) {
    this.words = new Int32Array(4 * rows);
    this.#index = new KeyIndex(rows);
  }

  /** Forgets every address; memory stays. */
  clear(): void {
    this.length = 0;
    this.#index.clear(this.words.length >> 2);
  }

  /** The row of the address at `at`; a new one has the row that was `length`. */
  row(words: Int32Array, at: number): number {
    return this.#row(hashOf(words, at), words, at);
  }

  /** Writes the rows of the first `count` addresses of `words` to `rows`, from `to` on. */
  rows(words: Int32Array, count: number, rows: Int32Array, to: number): void {
    for (let from = 0; from < count; from += TOGETHER) {
      const some = Math.min(TOGETHER, count - from);
      for (let i = 0; i < some; i++) hashes[i] = hashOf(words, 4 * (from + i));
      this.#touch(some);
      for (let i = 0; i < some; i++) rows[to + from + i] = this.#row(hashes[i], words, 4 * (from + i));
    }
  }

  #touch(count: number): void {
    const { entries, mask } = this.#index;
    let touched = 0;
    for (let i = 0; i < count; i++) touched ^= entries[2 * (hashes[i] & mask) + 1];
    this.touched = touched;
  }

  #row(hash: number, words: Int32Array, at: number): number {
    const { entries, mask } = this.#index;
    const own = this.words;
    for (let place = hash & mask; entries[2 * place + 1] !== 0; place = (place + 1) & mask) {
      if (entries[2 * place] !== hash) continue;
      const row = entries[2 * place + 1] - 1;
      const from = 4 * row;
      if (own[from + 3] !== words[at + 3] || own[from + 2] !== words[at + 2]) continue;
      if (own[from + 1] === words[at + 1] && own[from] === words[at]) return row;
    }
    return this.#enter(hash, words, at);
  }

  #enter(hash: number, words: Int32Array, at: number): number {
    const row = this.length++;
    if (4 * row === this.words.length) {
      const grown = new Int32Array(8 * row);
      grown.set(this.words);
      this.words = grown;
    }
    for (let word = 0; word < 4; word++) this.words[4 * row + word] = words[at + word];
    this.#index.reserve(this.length);
    this.#index.enter(hash, row);
    return row;
  }
}

function hashOf(words: Int32Array, at: number): number {
  return finish(mix(mix(mix(mix(0, words[at]), words[at + 1]), words[at + 2]), words[at + 3]));
}
