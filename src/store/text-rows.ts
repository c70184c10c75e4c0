import type { Stateful, StateReader, StateWriter } from '../core/state.ts';

/** Rows of texts and numbers as another thread takes them. */
export interface TextRowsData {
  rows: number;
  texts: number;
  numbers: number;
  /** UTF-8, row by row; text `k` of row `r` ends at `ends[r * texts + k]`. */
  bytes: SharedArrayBuffer;
  ends: SharedArrayBuffer;
  /** 64-bit, row by row. */
  values: SharedArrayBuffer;
}

/** Rows of a few texts and a few numbers, kept as bytes: no object a row. Give a row's texts and numbers, then `endRow`. */
export class TextRows implements Stateful {
  rows = 0;
  readonly #texts: number;
  readonly #numbers: number;
  #bytes = Buffer.from(new SharedArrayBuffer(1 << 12));
  #ends = new Int32Array(new SharedArrayBuffer(4 << 6));
  #values = new Float64Array(new SharedArrayBuffer(8 << 6));
  #at = 0;
  #cell = 0;
  #number = 0;

  constructor(texts: number, numbers: number) {
    this.#texts = texts;
    this.#numbers = numbers;
  }

  text(value: string): void {
    const most = 3 * value.length;
    if (this.#at + most > this.#bytes.length) this.#growBytes(most);
    this.#at += this.#bytes.write(value, this.#at);
    if (this.#cell === this.#ends.length) this.#ends = grownInts(this.#ends);
    this.#ends[this.#cell++] = this.#at;
  }

  number(value: number): void {
    if (this.#number === this.#values.length) this.#values = grownDoubles(this.#values);
    this.#values[this.#number++] = value;
  }

  endRow(): void {
    this.rows++;
  }

  get data(): TextRowsData {
    return {
      rows: this.rows,
      texts: this.#texts,
      numbers: this.#numbers,
      bytes: this.#bytes.buffer as unknown as SharedArrayBuffer,
      ends: this.#ends.buffer,
      values: this.#values.buffer,
    };
  }

  save(out: StateWriter): void {
    out.array(this.#ends, 0, this.#cell);
    out.array(this.#values, 0, this.#number);
    out.bytes(this.#bytes.subarray(0, this.#at));
  }

  restore(state: StateReader): void {
    const ends = state.array(Int32Array);
    const values = state.array(Float64Array);
    const bytes = Buffer.from(state.bytes());
    let from = 0;
    for (const end of ends) {
      this.text(bytes.toString('utf8', from, end));
      from = end;
    }
    for (const value of values) this.number(value);
    this.rows = ends.length / this.#texts;
  }

  #growBytes(more: number): void {
    const grown = Buffer.from(new SharedArrayBuffer(2 * (this.#bytes.length + more)));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

function grownInts(old: Int32Array<SharedArrayBuffer>): Int32Array<SharedArrayBuffer> {
  const grown = new Int32Array(new SharedArrayBuffer(2 * old.byteLength));
  grown.set(old);
  return grown;
}

function grownDoubles(old: Float64Array<SharedArrayBuffer>): Float64Array<SharedArrayBuffer> {
  const grown = new Float64Array(new SharedArrayBuffer(2 * old.byteLength));
  grown.set(old);
  return grown;
}
