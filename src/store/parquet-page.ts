/**
 * The values of one column of a row group as Parquet lays them out (Encodings.md of Apache Parquet): which rows have a
 * value as a run of bits, then the values one after another (PLAIN) or their places in a dictionary (RLE_DICTIONARY).
 */
export type NumberType = 'timestamp' | 'int64' | 'int32' | 'uint16' | 'uint8' | 'double';

/** A column to be written; rows are asked for one by one. */
export type ParquetColumn = { name: string } & (
  | { /** NaN where there is no value. */ type: NumberType; value: (row: number) => number }
  | { type: 'uint64'; high: (row: number) => number; low: (row: number) => number }
  | {
      /** The place in `texts`, -1 where there is no value. */ type: 'text';
      id: (row: number) => number;
      texts: string[];
    }
);

export interface Page {
  /** Uncompressed: levels, then values. */
  data: Uint8Array;
  /** Uncompressed dictionary with its entries; null for plain values. */
  dictionary: { data: Uint8Array; entries: number } | null;
  /** Least and greatest value, for columns of time. */
  bounds: [number, number] | null;
}

/** Encodes a column again and again, in buffers of its own. */
export class PageEncoder {
  readonly #present: Uint8Array;
  readonly #ids: Int32Array;
  readonly #values: ArrayBuffer;

  constructor(mostRows: number) {
    this.#present = new Uint8Array(mostRows);
    this.#ids = new Int32Array(mostRows);
    this.#values = new ArrayBuffer(8 * mostRows);
  }

  encode(column: ParquetColumn, order: Uint32Array): Page {
    if (column.type === 'text') return this.#texts(column.id, column.texts, order);
    if (column.type === 'uint64') return this.#halves(column.high, column.low, order);
    if (column.type === 'double') return this.#plain(column.value, order, new Float64Array(this.#values));
    if (column.type === 'timestamp' || column.type === 'int64') return this.#longs(column, order);
    return this.#plain(column.value, order, new Int32Array(this.#values));
  }

  /** Values that are written as they are. */
  #plain(value: (row: number) => number, order: Uint32Array, values: Int32Array | Float64Array): Page {
    let n = 0;
    for (let i = 0; i < order.length; i++) {
      const v = value(order[i]);
      const has = !Number.isNaN(v);
      this.#present[i] = has ? 1 : 0;
      if (has) values[n++] = v;
    }
    return this.#page(order.length, values.BYTES_PER_ELEMENT * n);
  }

  #longs({ type, value }: { type: NumberType; value: (row: number) => number }, order: Uint32Array): Page {
    const words = new Uint32Array(this.#values);
    let [n, least, most] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = 0; i < order.length; i++) {
      const v = value(order[i]);
      const has = !Number.isNaN(v);
      this.#present[i] = has ? 1 : 0;
      if (!has) continue;
      if (v < least) least = v;
      if (v > most) most = v;
      const high = Math.floor(v / 2 ** 32);
      words[2 * n] = v - high * 2 ** 32;
      words[2 * n + 1] = high;
      n++;
    }
    const page = this.#page(order.length, 8 * n);
    if (type === 'timestamp' && n > 0) page.bounds = [least, most];
    return page;
  }

  #halves(high: (row: number) => number, low: (row: number) => number, order: Uint32Array): Page {
    const words = new Uint32Array(this.#values);
    for (let i = 0; i < order.length; i++) {
      words[2 * i] = low(order[i]);
      words[2 * i + 1] = high(order[i]);
    }
    this.#present.fill(1, 0, order.length);
    return this.#page(order.length, 8 * order.length);
  }

  #texts(id: (row: number) => number, texts: string[], order: Uint32Array): Page {
    const ids = this.#ids;
    let n = 0;
    for (let i = 0; i < order.length; i++) {
      const at = id(order[i]);
      this.#present[i] = at < 0 ? 0 : 1;
      if (at >= 0) ids[n++] = at;
    }
    const levels = levelBytes(this.#present, order.length);
    if (texts.length === 0) return { data: levels, dictionary: null, bounds: null };
    const dictionary = { data: plainTexts(texts), entries: texts.length };
    return { data: Buffer.concat([levels, packed(ids, n, bitsFor(texts.length))]), dictionary, bounds: null };
  }

  #page(rows: number, valueBytes: number): Page {
    const levels = levelBytes(this.#present, rows);
    const data = new Uint8Array(levels.length + valueBytes);
    data.set(levels);
    data.set(new Uint8Array(this.#values, 0, valueBytes), levels.length);
    return { data, dictionary: null, bounds: null };
  }
}

/** `length 4 | run`: one run that repeats where all rows are alike, else one of bits. */
function levelBytes(present: Uint8Array, rows: number): Uint8Array {
  let count = 0;
  for (let i = 0; i < rows; i++) count += present[i];
  const run = count === rows || count === 0 ? [...varint(rows << 1), count === 0 ? 0 : 1] : bitRun(present, rows);
  const bytes = new Uint8Array(4 + run.length);
  new DataView(bytes.buffer).setUint32(0, run.length, true);
  bytes.set(run, 4);
  return bytes;
}

function bitRun(present: Uint8Array, rows: number): Uint8Array {
  const groups = Math.ceil(rows / 8);
  const header = varint((groups << 1) | 1);
  const run = new Uint8Array(header.length + groups);
  run.set(header);
  for (let i = 0; i < rows; i++) run[header.length + (i >> 3)] |= present[i] << (i & 7);
  return run;
}

/** `bits 1 | run of bit-packed numbers`, the least significant bits first. */
function packed(ids: Int32Array, length: number, bits: number): Uint8Array {
  const groups = Math.ceil(length / 8);
  const header = [bits, ...varint((groups << 1) | 1)];
  const out = new Uint8Array(header.length + groups * bits);
  out.set(header);
  let at = header.length;
  let pending = 0;
  let held = 0;
  for (let i = 0; i < length; i++) {
    pending |= ids[i] << held;
    held += bits;
    while (held >= 8) {
      out[at++] = pending;
      pending >>>= 8;
      held -= 8;
    }
  }
  if (held > 0) out[at] = pending;
  return out;
}

/** At most 24, so that what is pending fits into a word. */
function bitsFor(entries: number): number {
  return Math.max(1, 32 - Math.clz32(entries - 1));
}

/** `length 4 | bytes` for each. */
function plainTexts(texts: readonly string[]): Uint8Array {
  let size = 0;
  for (const text of texts) size += 4 + Buffer.byteLength(text);
  const out = Buffer.alloc(size);
  let at = 0;
  for (const text of texts) {
    const length = out.write(text, at + 4);
    out.writeUInt32LE(length, at);
    at += 4 + length;
  }
  return out;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest >>>= 7) bytes.push((rest & 127) | 128);
  bytes.push(rest);
  return bytes;
}
