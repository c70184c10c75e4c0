import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GROUP_ROWS, writeParquet } from '../../src/store/parquet-file.ts';
import type { NumberType, ParquetColumn } from '../../src/store/parquet-page.ts';

let folder = '';
let connection: DuckDBConnection;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weir-parquet-'));
  connection = await (await DuckDBInstance.create(':memory:')).connect();
});
afterAll(() => {
  connection.closeSync();
  rmSync(folder, { recursive: true, force: true });
});

const order = (rows: number): Uint32Array => Uint32Array.from({ length: rows }, (_, row) => row);

async function read(path: string): Promise<unknown[][]> {
  const rows = (await connection.runAndReadAll(`SELECT * FROM '${path}'`)).getRows();
  return rows.map((row) => row.map((value) => (value === null ? null : plain(value))));
}

function plain(value: unknown): unknown {
  if (typeof value === 'object' && value !== null && 'micros' in value) return String(value.micros);
  return typeof value === 'number' ? value : String(value);
}

const numbers = (name: string, type: NumberType, values: (number | null)[]): ParquetColumn => ({
  name,
  type,
  value: (row) => values[row] ?? Number.NaN,
});

function texts(name: string, values: (string | null)[]): ParquetColumn {
  const all = [...new Set(values.filter((value) => value !== null))];
  const id = (row: number) => (values[row] === null ? -1 : all.indexOf(values[row] as string));
  return { name, type: 'text', id, texts: all };
}

const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value, { freq: 3 });
const row = fc.record({
  time: maybe(fc.integer({ min: -1e15, max: 4e15 })),
  long: maybe(fc.maxSafeNat()),
  int: maybe(fc.integer()),
  short: maybe(fc.integer({ min: 0, max: 65_535 })),
  byte: maybe(fc.integer({ min: 0, max: 255 })),
  double: maybe(fc.double({ noNaN: true })),
  text: maybe(fc.string({ unit: 'binary', maxLength: 12 }).filter((text) => text.isWellFormed())),
  few: maybe(fc.constantFrom('tcp', 'udp')),
  high: fc.integer(),
  low: fc.integer(),
});

describe('Parquet files', () => {
  it('give another reader back what was written, whatever is absent', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 60 }), async (rows) => {
        const path = join(folder, 'any.parquet');
        const columns: ParquetColumn[] = [
          ...(['time', 'long', 'int', 'short', 'byte', 'double'] as const).map((name, i) => {
            const type = (['timestamp', 'int64', 'int32', 'uint16', 'uint8', 'double'] as const)[i];
            const values = rows.map((each) => each[name]);
            return numbers(name, type, values);
          }),
          ...(['text', 'few'] as const).map((name) => {
            const values = rows.map((each) => each[name]);
            return texts(name, values);
          }),
          { name: 'wide', type: 'uint64', high: (i) => rows[i].high, low: (i) => rows[i].low },
        ];
        writeParquet(path, columns, order(rows.length));
        const wide = (high: number, low: number) => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
        const text = (value: number | null) => (value === null ? null : String(value));
        expect(await read(path)).toEqual(
          rows.map((r) => [
            ...[text(r.time), text(r.long), r.int, r.short, r.byte, r.double, r.text, r.few],
            String(wide(r.high, r.low)),
          ]),
        );
      }),
      { numRuns: 100 },
    );
  });

  it('of many rows have several groups, and bounds of time that leave none out', async () => {
    const rows = 2 * GROUP_ROWS + 7;
    const path = join(folder, 'many.parquet');
    const columns: ParquetColumn[] = [
      { name: 'time', type: 'timestamp', value: (n) => 1e15 + n },
      { name: 'all', type: 'text', id: () => -1, texts: [] },
      { name: 'name', type: 'text', id: (n) => n % 3, texts: ['a', 'b', 'c'] },
    ];
    writeParquet(path, columns, order(rows));
    const count = async (where: string) =>
      Number((await connection.runAndReadAll(`SELECT count(*) FROM '${path}' WHERE ${where}`)).getRows()[0][0]);
    expect(await count('"all" IS NULL')).toBe(rows);
    expect(await count("name = 'a'")).toBe(Math.ceil(rows / 3));
    expect(await count(`time >= make_timestamp(${1e15 + GROUP_ROWS})`)).toBe(GROUP_ROWS + 7);
    const groups = await connection.runAndReadAll(
      `SELECT count(DISTINCT row_group_id) FROM parquet_metadata('${path}')`,
    );
    expect(Number(groups.getRows()[0][0])).toBe(3);
  });

  it('that cannot be written leave nothing behind', () => {
    const broken: ParquetColumn = {
      name: 'x',
      type: 'int32',
      value: () => {
        throw new Error('no');
      },
    };
    expect(() => writeParquet(join(folder, 'sub', 'x.parquet'), [broken], order(1))).toThrow('no');
    expect(readdirSync(join(folder, 'sub'))).toEqual([]);
  });
});
