import {
  DOUBLE,
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBType,
  type DuckDBVector,
  INTEGER,
  USMALLINT,
  UTINYINT,
  VARCHAR,
} from '@duckdb/node-api';
import { formatAddress, isMapped } from '../model/address.ts';
import type { FlowBatch } from '../model/flow-batch.ts';
import type { Names } from '../model/names.ts';
import { STAGED_ADDRESSES, STAGED_NAMES, STAGED_NUMBERS, stagingTable } from './flow-columns.ts';

/** DuckDB's vector size: a chunk holds no more rows. */
const CHUNK = 2048;
const TYPES: Record<string, DuckDBType> = { DOUBLE, INTEGER, USMALLINT, UTINYINT };

type Items = { items: { set(values: ArrayLike<number>): void } };

/** Flow records in DuckDB's memory, copied column by column, until they leave as a file. */
export class FlowTable {
  readonly name: string;
  rows = 0;
  readonly #connection: DuckDBConnection;
  readonly #names: Names;
  readonly #types: DuckDBType[];
  readonly #word = new Int32Array(CHUNK);
  #appender: DuckDBAppender | null = null;

  constructor(name: string, connection: DuckDBConnection, names: Names) {
    this.name = name;
    this.#connection = connection;
    this.#names = names;
    this.#types = [
      ...STAGED_NUMBERS.map(([, type]) => TYPES[type]),
      ...new Array<DuckDBType>(4 * STAGED_ADDRESSES.length).fill(INTEGER),
      ...new Array<DuckDBType>(STAGED_ADDRESSES.length + STAGED_NAMES.length).fill(VARCHAR),
    ];
  }

  /** Empties the table and makes it ready for rows. */
  async open(): Promise<void> {
    await this.#connection.run(stagingTable(this.name));
    this.#appender = await this.#connection.createAppender(this.name);
    this.rows = 0;
  }

  append(batch: FlowBatch): void {
    for (let from = 0; from < batch.length; from += CHUNK) {
      const to = Math.min(batch.length, from + CHUNK);
      const chunk = DuckDBDataChunk.create(this.#types, to - from);
      const next = this.#numbers(chunk, batch, from, to);
      this.#texts(chunk, this.#addressWords(chunk, batch, from, to, next), batch, from, to);
      this.#appender?.appendDataChunk(chunk);
    }
    this.rows += batch.length;
  }

  /** Makes appended rows visible to queries. */
  sync(): void {
    this.#appender?.flushSync();
  }

  /** Makes appended rows visible to queries; `open` starts anew. */
  seal(): void {
    this.#appender?.flushSync();
    this.#appender?.closeSync();
    this.#appender = null;
  }

  #numbers(chunk: DuckDBDataChunk, batch: FlowBatch, from: number, to: number): number {
    for (let k = 0; k < STAGED_NUMBERS.length; k++) {
      const vector = chunk.getColumnVector(k);
      (vector as unknown as Items).items.set((batch[STAGED_NUMBERS[k][0]] as Float64Array).subarray(from, to));
      vector.flush();
    }
    return STAGED_NUMBERS.length;
  }

  #addressWords(chunk: DuckDBDataChunk, batch: FlowBatch, from: number, to: number, first: number): number {
    let k = first;
    for (const column of STAGED_ADDRESSES) {
      for (let word = 0; word < 4; word++) {
        for (let row = from; row < to; row++) this.#word[row - from] = batch[column][4 * row + word];
        const vector = chunk.getColumnVector(k++);
        (vector as unknown as Items).items.set(this.#word.subarray(0, to - from));
        vector.flush();
      }
    }
    return k;
  }

  #texts(chunk: DuckDBDataChunk, first: number, batch: FlowBatch, from: number, to: number): void {
    let k = first;
    for (const column of STAGED_ADDRESSES) {
      const words = batch[column];
      fillText(chunk.getColumnVector(k++), from, to, (row) =>
        isMapped(words, 4 * row) ? null : formatAddress(words, 4 * row),
      );
    }
    for (const [column, table] of STAGED_NAMES) {
      const ids = batch[column];
      const names = this.#names[table];
      fillText(chunk.getColumnVector(k++), from, to, (row) => (ids[row] === 0 ? null : names.text(ids[row])));
    }
  }
}

function fillText(vector: DuckDBVector, from: number, to: number, text: (row: number) => string | null): void {
  for (let row = from; row < to; row++) vector.setItem(row - from, text(row));
  vector.flush();
}
