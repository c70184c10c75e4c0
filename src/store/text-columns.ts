import type { ParquetColumn, Values } from './parquet-page.ts';
import type { TextRowsData } from './text-rows.ts';

/** Rows of texts and numbers, looked at by column. */
export class TextColumns {
  readonly #data: TextRowsData;
  readonly #bytes: Buffer;
  readonly #ends: Int32Array;
  readonly #values: Float64Array;

  constructor(data: TextRowsData) {
    this.#data = data;
    this.#bytes = Buffer.from(data.bytes);
    this.#ends = new Int32Array(data.ends);
    this.#values = new Float64Array(data.values);
  }

  numbers(k: number): Float64Array {
    const { rows, numbers } = this.#data;
    return Float64Array.from({ length: rows }, (_, row) => this.#values[row * numbers + k]);
  }

  texts(k: number): string[] {
    const { rows, texts } = this.#data;
    return Array.from({ length: rows }, (_, row) => {
      const cell = row * texts + k;
      return this.#bytes.toString('utf8', cell === 0 ? 0 : this.#ends[cell - 1], this.#ends[cell]);
    });
  }

  timeColumn(name: string, k: number): ParquetColumn {
    return { name, type: 'timestamp', ...valuesOf(this.numbers(k).map(Math.round)) };
  }

  numberColumn(name: string, k: number): ParquetColumn {
    return { name, type: 'double', ...valuesOf(this.numbers(k)) };
  }

  /** '' is no text. */
  textColumn(name: string, k: number): ParquetColumn {
    const places = new Map<string, number>();
    const numbers = this.texts(k).map((text) => {
      if (text === '') return Number.NaN;
      const place = places.get(text) ?? places.size;
      if (place === places.size) places.set(text, place);
      return place;
    });
    const texts = [...places.keys()];
    return { name, type: 'text', ...valuesOf(numbers), entries: (used) => plainTexts(used, (place) => texts[place]) };
  }
}

function valuesOf(numbers: ArrayLike<number>): Values {
  const take = (order: Uint32Array, out: Float64Array): void => {
    for (let i = 0; i < order.length; i++) out[i] = numbers[order[i]];
  };
  return { isSame: false, take };
}

/** `length 4 | bytes` for each. */
export function plainTexts(numbers: Float64Array, textOf: (number: number) => string): Uint8Array {
  const texts = Array.from(numbers, textOf);
  const out = Buffer.alloc(texts.reduce((sum, text) => sum + 4 + Buffer.byteLength(text), 0));
  let at = 0;
  for (const text of texts) {
    const length = out.write(text, at + 4);
    out.writeUInt32LE(length, at);
    at += 4 + length;
  }
  return out;
}
