import { finish, mix } from '../core/hash.ts';
import { KeyIndex } from '../core/key-index.ts';

/** Gives each address (four words) a row, from 0 on, in the order in which they come. */
export class AddressIndex {
  /** Four words of address a row. */
  words: Int32Array;
  length = 0;
  readonly #index: KeyIndex;

  constructor(rows = 1024) {
    this.words = new Int32Array(4 * rows);
    this.#index = new KeyIndex(rows);
  }

  /** The row of the address at `at`; a new one has the row that was `length`. */
  row(words: Int32Array, at: number): number {
    const hash = finish(mix(mix(mix(mix(0, words[at]), words[at + 1]), words[at + 2]), words[at + 3]));
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
