import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GROUP_ROWS, writeParquet } from '../../src/store/parquet-file.ts';
import type { ColumnType, NumberType, ParquetColumn } from '../../src/store/parquet-page.ts';
import { plainTexts } from '../../src/store/text-columns.ts';

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

/** A column of which row `n` has this; NaN for nothing. */
const column = (name: string, type: ColumnType, value: (n: number) => number, isSame = false): ParquetColumn => ({
  name,
  type,
  isSame,
  take: (rows, out) => {
    for (let i = 0; i < rows.length; i++) out[i] = value(rows[i]);
  },
});

const numbers = (name: string, type: NumberType, values: (number | null)[]): ParquetColumn =>
  column(name, type, (n) => values[n] ?? Number.NaN);

function texts(name: string, values: (string | null)[]): ParquetColumn {
  const all = [...new Set(values.filter((value) => value !== null))];
  const id = (n: number) => (values[n] === null ? Number.NaN : all.indexOf(values[n] as string));
  return { ...column(name, 'text', id), entries: (used) => plainTexts(used, (place) => all[place]) };
}

/** Row `n` stands for itself. */
const wideColumn = (high: (n: number) => number, low: (n: number) => number): ParquetColumn => ({
  ...column('wide', 'uint64', (n) => n),
  entries: (used) => new Uint8Array(Int32Array.from([...used].flatMap((n) => [low(n), high(n)])).buffer),
});

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
          wideColumn(
            (n) => rows[n].high,
            (n) => rows[n].low,
          ),
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
      column('time', 'timestamp', (n) => 1e15 + n),
      { ...column('all', 'text', () => Number.NaN), entries: () => new Uint8Array() },
      {
        ...column('name', 'text', (n) => n % 3),
        entries: (used) => plainTexts(used, (place) => ['a', 'b', 'c'][place]),
      },
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

  it('give back numbers of which there are many different ones, few, or one, near and far apart', async () => {
    const path = join(folder, 'numbers.parquet');
    const value = fc.constantFrom(2, 300, 2 ** 17, 2 ** 33, 2 ** 41, Number.MAX_SAFE_INTEGER).chain((most) => {
      return fc.oneof(fc.integer({ min: 0, max: most }), fc.integer({ min: -most, max: most }));
    });
    const long = fc.array(fc.tuple(value, fc.nat(500)), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(long, fc.nat(5), async (parts, absent) => {
        const values = parts.flatMap(([from, count]) =>
          Array.from({ length: count + 1 }, (_, n) =>
            absent > 0 && n % 7 === absent ? null : from - n * Math.sign(from),
          ),
        );
        writeParquet(
          path,
          [numbers('long', 'int64', values), numbers('time', 'timestamp', values)],
          order(values.length),
        );
        const expected = values.map((each) => (each === null ? null : String(each)));
        expect(await read(path)).toEqual(expected.map((each) => [each, each]));
      }),
      { numRuns: 100 },
    );
  });

  it('hold a column of one value, or of none, without a look at its rows', async () => {
    const path = join(folder, 'same.parquet');
    const once = (n: number) => {
      if (n > 0) throw new Error('looked at');
      return n;
    };
    const columns: ParquetColumn[] = [
      column('n', 'int32', (n) => n),
      column('nothing', 'int64', () => Number.NaN, true),
      column('zero', 'uint16', once, true),
      { ...column('name', 'text', once, true), entries: (used) => plainTexts(used, () => 'a') },
    ];
    writeParquet(path, columns, order(70_000));
    const same = `"nothing" IS NULL AND zero = 0 AND name = 'a'`;
    const rows = await connection.runAndReadAll(`SELECT count(*), sum(n) FROM '${path}' WHERE ${same}`);
    expect(rows.getRows()[0].map(Number)).toEqual([70_000, (70_000 * 69_999) / 2]);
  });

  it('that cannot be written leave nothing behind', () => {
    const broken = column('x', 'int32', () => {
      throw new Error('no');
    });
    expect(() => writeParquet(join(folder, 'sub', 'x.parquet'), [broken], order(1))).toThrow('no');
    expect(readdirSync(join(folder, 'sub'))).toEqual([]);
  });
});
