import { mostDeltaBytes, WIDEST_RANGE, writeDeltas } from './delta-packed.ts';
import { NumberDictionary } from './number-dictionary.ts';

/**
 * The values of one column of a row group as Parquet lays them out (Encodings.md of Apache Parquet): which rows have a
 * value as a run of bits, then the values one after another (PLAIN), as differences (DELTA_BINARY_PACKED) or as their
 * places in a dictionary (RLE_DICTIONARY).
 */
export type NumberType = 'timestamp' | 'int64' | 'int32' | 'uint16' | 'uint8' | 'double';
export type ColumnType = NumberType | 'uint64' | 'text';

/** Encodings of parquet.thrift. */
export const PLAIN = 0;
export const RLE = 3;
export const DELTA = 5;
export const DICTIONARY = 8;

/** What a column holds, row by row. */
export interface Values {
  /** Every row has what the first one has. */
  isSame: boolean;
  /** Writes what the rows of `order` have, whole numbers unless the column is a `double`; NaN where there is nothing. */
  take(order: Uint32Array, out: Float64Array): void;
}

/** A column to be written. */
export interface ParquetColumn extends Values {
  name: string;
  type: ColumnType;
  /** Of texts and of 64 bits: what these numbers stand for, as PLAIN has it. */
  entries?: (numbers: Float64Array) => Uint8Array;
}

/** Least and greatest value. */
type Bounds = [number, number];

/** Valid until the next one is encoded. */
export interface Page {
  /** Uncompressed: levels, then values. */
  data: Uint8Array;
  encoding: number;
  /** Uncompressed dictionary with its entries; null without. */
  dictionary: { data: Uint8Array; entries: number } | null;
  /** Null without any value. */
  bounds: Bounds | null;
}

/** A dictionary of numbers pays while each stands for at least so many rows; few are never too many. */
const ROWS_AN_ENTRY = 16;
const FEW_ENTRIES = 256;
const INT32_RANGE = 2 ** 31;

/** Encodes a column again and again, in buffers of its own, which stay as large as the most rows so far. */
export class PageEncoder {
  #taken = new Float64Array(0);
  #present = new Uint8Array(0);
  #entries = new Int32Array(0);
  #out = new Uint8Array(0);
  readonly #dictionary = new NumberDictionary();

  #reserve(rows: number): void {
    if (rows <= this.#taken.length) return;
    this.#taken = new Float64Array(rows);
    this.#present = new Uint8Array(rows);
    this.#entries = new Int32Array(rows);
    this.#out = new Uint8Array(mostLevelBytes(rows) + Math.max(64, 8 * rows, mostDeltaBytes(rows)));
  }

  encode(column: ParquetColumn, order: Uint32Array): Page {
    const { length } = order;
    this.#reserve(length);
    if (column.isSame) return this.#same(column, order);
    column.take(order, this.#taken);
    const { count, bounds } = this.#keepPresent(length);
    const levels = writeLevels(this.#present, length, count, this.#out);
    return count === 0 ? this.#page(levels, PLAIN) : this.#values(column, count, bounds, levels);
  }

  /** One run, whatever the number of rows. */
  #same(column: ParquetColumn, order: Uint32Array): Page {
    column.take(order.subarray(0, 1), this.#taken);
    const isAbsent = Number.isNaN(this.#taken[0]);
    const end = writeRun(order.length, isAbsent ? 0 : 1, this.#out);
    if (isAbsent) return this.#page(end, PLAIN);
    const bounds: Bounds = [this.#taken[0], this.#taken[0]];
    const data = entriesOf(column, this.#taken.subarray(0, 1));
    this.#out[end] = 1;
    const at = varint(this.#out, end + 1, order.length << 1);
    this.#out[at] = 0;
    return { ...this.#page(at + 1, DICTIONARY), dictionary: { data, entries: 1 }, bounds };
  }

  /** Puts the values that are there one after another. @returns how many, the least and the greatest */
  #keepPresent(rows: number): { count: number; bounds: Bounds } {
    const [taken, present] = [this.#taken, this.#present];
    let count = 0;
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = 0; i < rows; i++) {
      const value = taken[i];
      const has = Number.isNaN(value) ? 0 : 1;
      present[i] = has;
      taken[count] = value;
      count += has;
      if (value < least) least = value;
      if (value > most) most = value;
    }
    return { count, bounds: [least, most] };
  }

  #values(column: ParquetColumn, count: number, bounds: Bounds, levels: number): Page {
    const { type } = column;
    if (this.#enter(type, count, bounds)) {
      const { values, length } = this.#dictionary;
      const end = writeEntries(this.#entries, count, length, this.#out, levels);
      const dictionary = { data: entriesOf(column, values.subarray(0, length)), entries: length };
      return { ...this.#page(end, DICTIONARY), dictionary, bounds };
    }
    const widest = isLong(type) ? WIDEST_RANGE : INT32_RANGE;
    if (type !== 'double' && bounds[1] - bounds[0] < widest && bounds[0] > -widest) {
      const end = writeDeltas(this.#taken, count, this.#out, levels);
      return { ...this.#page(end, DELTA), bounds };
    }
    const plain = plainNumbers(type, this.#taken.subarray(0, count));
    this.#out.set(plain, levels);
    return { ...this.#page(levels + plain.length, PLAIN), bounds };
  }

  /** Whether values go by a dictionary: times differ, the others show it in their first rows. */
  #enter(type: ColumnType, count: number, [least, most]: Bounds): boolean {
    if (type === 'timestamp') return false;
    const isText = type === 'text' || type === 'uint64';
    const mostEntries = isText ? count : Math.max(FEW_ENTRIES, Math.floor(count / ROWS_AN_ENTRY));
    const highest = type === 'double' || least < 0 ? Number.POSITIVE_INFINITY : most;
    return this.#dictionary.enter(this.#taken, count, this.#entries, mostEntries, highest);
  }

  #page(end: number, encoding: number): Page {
    return { data: this.#out.subarray(0, end), encoding, dictionary: null, bounds: null };
  }
}

function isLong(type: ColumnType): boolean {
  return type === 'timestamp' || type === 'int64';
}

function entriesOf(column: ParquetColumn, numbers: Float64Array): Uint8Array {
  return column.entries ? column.entries(numbers) : plainNumbers(column.type, numbers);
}

function plainNumbers(type: ColumnType, numbers: Float64Array): Uint8Array {
  if (type === 'double') return new Uint8Array(numbers.slice().buffer);
  if (!isLong(type)) return new Uint8Array(Int32Array.from(numbers).buffer);
  const words = new Uint32Array(2 * numbers.length);
  for (let i = 0; i < numbers.length; i++) {
    const high = Math.floor(numbers[i] / 2 ** 32);
    words[2 * i] = numbers[i] - high * 2 ** 32;
    words[2 * i + 1] = high;
  }
  return new Uint8Array(words.buffer);
}

function mostLevelBytes(rows: number): number {
  return 16 + Math.ceil(rows / 8);
}

/** `length 4 | run`: one run that repeats where all rows are alike, else one of bits. @returns where it ends */
function writeLevels(present: Uint8Array, rows: number, count: number, out: Uint8Array): number {
  if (count === rows || count === 0) return writeRun(rows, count === 0 ? 0 : 1, out);
  const groups = Math.ceil(rows / 8);
  const start = varint(out, 4, (groups << 1) | 1);
  out.fill(0, start, start + groups);
  for (let i = 0; i < rows; i++) out[start + (i >> 3)] |= present[i] << (i & 7);
  return writeLength(out, start + groups);
}

function writeRun(rows: number, level: number, out: Uint8Array): number {
  const at = varint(out, 4, rows << 1);
  out[at] = level;
  return writeLength(out, at + 1);
}

function writeLength(out: Uint8Array, end: number): number {
  new DataView(out.buffer).setUint32(0, end - 4, true);
  return end;
}

/** `bits 1 | run of places`, each of whole bytes: what is left over the compression takes. @returns where it ends */
function writeEntries(entries: Int32Array, count: number, different: number, out: Uint8Array, start: number): number {
  const bytes = different <= 1 << 8 ? 1 : different <= 1 << 16 ? 2 : 3;
  const groups = Math.ceil(count / 8);
  out[start] = 8 * bytes;
  const from = varint(out, start + 1, (groups << 1) | 1);
  const end = from + 8 * groups * bytes;
  out.fill(0, from + count * bytes, end);
  for (let byte = 0; byte < bytes; byte++) {
    const shift = 8 * byte;
    for (let i = 0, at = from + byte; i < count; i++, at += bytes) out[at] = entries[i] >>> shift;
  }
  return end;
}

function varint(out: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 128; rest >>>= 7) out[at++] = (rest & 127) | 128;
  out[at++] = rest;
  return at;
}
