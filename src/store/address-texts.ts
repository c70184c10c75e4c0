import { formatAddress } from '../model/address.ts';
import { AddressIndex } from '../model/address-index.ts';

/** Gives each address a small number and writes its text once, however many rows have it. */
export class AddressTexts {
  readonly texts: string[] = [];
  readonly #index = new AddressIndex();

  id(words: Int32Array, at: number): number {
    const row = this.#index.row(words, at);
    if (row === this.texts.length) this.texts.push(formatAddress(words, at));
    return row;
  }
}
