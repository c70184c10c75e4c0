import { finish, mix } from '../core/hash.ts';
import { KeyIndex } from '../core/key-index.ts';
import { formatAddress } from '../model/address.ts';

/** Gives each address a small number and writes its text once, however many rows have it. */
export class AddressTexts {
  readonly texts: string[] = [];
  readonly #index = new KeyIndex(1024);
  #words = new Int32Array(4 * 1024);

  id(words: Int32Array, at: number): number {
    const hash = finish(mix(mix(mix(mix(0, words[at]), words[at + 1]), words[at + 2]), words[at + 3]));
    const { entries, mask } = this.#index;
    for (let place = hash & mask; entries[2 * place + 1] !== 0; place = (place + 1) & mask) {
      const row = entries[2 * place + 1] - 1;
      if (entries[2 * place] === hash && this.#is(row, words, at)) return row;
    }
    return this.#add(hash, words, at);
  }

  #is(row: number, words: Int32Array, at: number): boolean {
    const own = this.#words;
    const from = 4 * row;
    return (
      own[from + 3] === words[at + 3] &&
      own[from + 2] === words[at + 2] &&
      own[from + 1] === words[at + 1] &&
      own[from] === words[at]
    );
  }

  #add(hash: number, words: Int32Array, at: number): number {
    const row = this.texts.length;
    if (4 * row === this.#words.length) {
      const grown = new Int32Array(8 * row);
      grown.set(this.#words);
      this.#words = grown;
    }
    for (let word = 0; word < 4; word++) this.#words[4 * row + word] = words[at + word];
    this.texts.push(formatAddress(words, at));
    this.#index.reserve(row + 1);
    this.#index.enter(hash, row);
    return row;
  }
}
