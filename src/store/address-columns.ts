import { isMapped } from '../model/address.ts';
import { AddressIndex } from '../model/address-index.ts';
import { LineBuffer } from '../model/line-buffer.ts';
import type { ParquetColumn, Values } from './parquet-page.ts';
import type { StagedColumns } from './staged-columns.ts';

type Name = 'sourceAddress' | 'destinationAddress' | 'outerSourceAddress' | 'outerDestinationAddress';

/** A text with its length takes at most so much. */
const TEXT_BYTES = 64;

/** Addresses of staged records: each is looked up once a row, and goes by its number from there on. */
export class AddressColumns {
  readonly #columns: StagedColumns;
  readonly #index: AddressIndex;
  readonly #halves: AddressIndex;
  /** Numbers of the upper and the lower halves of the addresses. */
  readonly #upper: number[] = [];
  readonly #lower: number[] = [];
  readonly #numbers = new Map<Name, Int32Array>();

  constructor(columns: StagedColumns) {
    this.#columns = columns;
    this.#index = new AddressIndex(columns.rows);
    this.#halves = new AddressIndex(columns.rows);
  }

  /** As people and other tools read them; of rows that have one of these bits in `meta`. */
  text(name: Name, bits: number): ParquetColumn {
    const values = this.#columns.where(bits, this.#values(name, null));
    return { name, type: 'text', ...values, entries: (numbers) => plainAddresses(this.#index.words, numbers) };
  }

  /** The four words as two numbers of 64 bits. */
  halves(side: 'source' | 'destination'): ParquetColumn[] {
    const entries = (numbers: Float64Array): Uint8Array => plainHalves(this.#halves.words, numbers);
    const half = (name: string, of: number[]): ParquetColumn => {
      return { name: `${side}${name}`, type: 'uint64', ...this.#values(`${side}Address`, of), entries };
    };
    return [half('High', this.#upper), half('Low', this.#lower)];
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
    let n = 0;
    for (const block of this.#columns.blocks) {
      const words = block[name];
      for (let row = 0; row < block.length; row++) numbers[n++] = this.#index.row(words, 4 * row);
    }
    this.#cut();
    this.#numbers.set(name, numbers);
    return numbers;
  }

  /** Numbers the halves of addresses that are new. */
  #cut(): void {
    const { words, length } = this.#index;
    const half = new Int32Array(4);
    const numberOf = (upper: number, lower: number): number => {
      half[2] = upper;
      half[3] = lower;
      return this.#halves.row(half, 0);
    };
    for (let at = 4 * this.#upper.length; at < 4 * length; at += 4) {
      this.#upper.push(numberOf(words[at], words[at + 1]));
      this.#lower.push(numberOf(words[at + 2], words[at + 3]));
    }
  }
}

/** `length 4 | text` for each. */
function plainAddresses(words: Int32Array, numbers: Float64Array): Uint8Array {
  const out = new LineBuffer();
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

/** Little-endian, the lower word first. */
function plainHalves(words: Int32Array, numbers: Float64Array): Uint8Array {
  const out = new Int32Array(2 * numbers.length);
  for (let i = 0; i < numbers.length; i++) {
    out[2 * i] = words[4 * numbers[i] + 3];
    out[2 * i + 1] = words[4 * numbers[i] + 2];
  }
  return new Uint8Array(out.buffer);
}
