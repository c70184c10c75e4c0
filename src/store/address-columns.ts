import { isMapped } from '../model/address.ts';
import { AddressIndex } from '../model/address-index.ts';
import { LineBuffer } from '../model/line-buffer.ts';
import type { ParquetColumn, Values } from './parquet-page.ts';
import type { StagedColumns } from './staged-columns.ts';
import { BLOCK_ROWS } from './staged-rows.ts';

type Name = 'sourceAddress' | 'destinationAddress' | 'outerSourceAddress' | 'outerDestinationAddress';

/** A text with its length takes at most so much. */
const TEXT_BYTES = 64;
/** Addresses that there is room for at first. */
const FIRST_ROOM = 16_384;
/** Used again, a batch at a time: fresh ones would leave tens of megabytes to a collector that seldom comes to this thread. */
const ADDRESSES = new AddressIndex(FIRST_ROOM);
const UPPERS = new AddressIndex();
const TEXTS = new LineBuffer();

/** Addresses of staged records: each is looked up once a row, and goes by its number from there on. One batch at a time. */
export class AddressColumns {
  readonly #columns: StagedColumns;
  readonly #index = ADDRESSES;
  /** Upper halves, as addresses whose lower half is 0. */
  readonly #uppers = UPPERS;
  /** Number of each address' upper half. */
  readonly #upperOf: number[] = [];
  readonly #numbers = new Map<Name, Int32Array>();

  constructor(columns: StagedColumns) {
    this.#columns = columns;
    this.#index.clear();
    this.#uppers.clear();
  }

  /** As people and other tools read them; of rows that have one of these bits in `meta`. */
  text(name: Name, bits: number): ParquetColumn {
    const values = this.#columns.where(bits, this.#values(name, null));
    return { name, type: 'text', ...values, entries: (numbers) => plainAddresses(this.#index.words, numbers) };
  }

  /**
   * The four words as two numbers of 64 bits. Lower halves go by the numbers of their addresses: few addresses have the same.
   */
  halves(side: 'source' | 'destination'): ParquetColumn[] {
    const half = (name: string, of: number[] | null, words: () => Int32Array): ParquetColumn => {
      const entries = (numbers: Float64Array): Uint8Array => plainHalves(words(), of === null ? 2 : 0, numbers);
      return { name: `${side}${name}`, type: 'uint64', ...this.#values(`${side}Address`, of), entries };
    };
    return [half('High', this.#upperOf, () => this.#uppers.words), half('Low', null, () => this.#index.words)];
  }

  #values(name: Name, of: number[] | null): Values {
    const take = (order: Uint32Array, out: Float64Array): void => {
      const numbers = this.#numbersOf(name);
      if (of === null) for (let i = 0; i < order.length; i++) out[i] = numbers[order[i]];
      else for (let i = 0; i < order.length; i++) out[i] = of[numbers[order[i]]];
    };
    return { isSame: false, take };
  }

  #numbersOf(name: Name): Int32Array {
    const known = this.#numbers.get(name);
    if (known) return known;
    const numbers = new Int32Array(this.#columns.rows);
    this.#columns.blocks.forEach((block, i) => {
      this.#index.rows(block[name], block.length, numbers, i * BLOCK_ROWS);
    });
    this.#cut();
    this.#numbers.set(name, numbers);
    return numbers;
  }

  /** Numbers the upper halves of addresses that are new. */
  #cut(): void {
    const { words, length } = this.#index;
    const upper = new Int32Array(4);
    const ofIPv4 = this.#uppers.row(upper, 0);
    for (let at = 4 * this.#upperOf.length; at < 4 * length; at += 4) {
      upper[0] = words[at];
      upper[1] = words[at + 1];
      this.#upperOf.push(isMapped(words, at) ? ofIPv4 : this.#uppers.row(upper, 0));
    }
  }
}

/** `length 4 | text` for each. */
function plainAddresses(words: Int32Array, numbers: Float64Array): Uint8Array {
  const out = TEXTS;
  out.clear();
  for (let i = 0; i < numbers.length; i++) {
    const at = 4 * numbers[i];
    out.reserve(TEXT_BYTES);
    const start = out.length;
    out.length += 4;
    if (isMapped(words, at)) out.ipv4(words[at + 3]);
    else out.ipv6(words, at);
    out.view.setUint32(start, out.length - start - 4, true);
  }
  return out.written;
}

/** The two words from `word` on, little-endian. */
function plainHalves(words: Int32Array, word: number, numbers: Float64Array): Uint8Array {
  const out = new Int32Array(2 * numbers.length);
  for (let i = 0; i < numbers.length; i++) {
    const at = 4 * numbers[i] + word;
    out[2 * i] = words[at + 1];
    out[2 * i + 1] = words[at];
  }
  return new Uint8Array(out.buffer);
}
