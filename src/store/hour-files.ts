import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { flowColumns } from './flow-columns.ts';
import { writeParquet } from './parquet-file.ts';
import type { ParquetColumn } from './parquet-page.ts';
import type { StagedData } from './staged-rows.ts';
import type { TextRowsData } from './text-rows.ts';

export const KINDS = ['flows', 'series', 'windows'] as const;
const EPOCH = /-e(\d+)-\d+\.parquet$/;
const HOUR_US = 3600e6;

/** Staged rows that become files: one a kind and hour of event time. */
export interface HourBatch {
  /** Folder of the history. */
  path: string;
  /** Of every file, without its ending. */
  name: string;
  data: StagedData;
  /** Files of `writer` up to this epoch leave the hours that are written: what they hold was read again. */
  supersedes: { writer: string; epoch: number } | null;
}

/** The checkpoint that a file of the history carries; NaN without. */
export function epochOf(file: string): number {
  return Number(EPOCH.exec(file)?.[1] ?? Number.NaN);
}

/**
 * Writes all files of a batch; blocks. After a failure it can be done again: the same files come again.
 * @returns bytes written
 */
export function writeHours({ path, name, data, supersedes }: HourBatch): number {
  let bytes = 0;
  const write = (kind: (typeof KINDS)[number], hour: number, columns: ParquetColumn[], order: Uint32Array): void => {
    const file = join(path, kind, hourFolder(hour), `${name}.parquet`);
    bytes += writeParquet(file, columns, order);
    if (supersedes) removeOlder(dirname(file), supersedes);
  };
  writeFlows(data.flows, write);
  writeSeries(data.series, write);
  writeWindows(data.windows, write);
  return bytes;
}

type Write = (kind: (typeof KINDS)[number], hour: number, columns: ParquetColumn[], order: Uint32Array) => void;

function writeFlows(flows: StagedData['flows'], write: Write): void {
  if (flows.rows === 0) return;
  const { blocks, columns } = flowColumns(flows);
  const starts = new Float64Array(flows.rows);
  blocks.forEach((block, i) => {
    const { length } = block.startUs;
    starts.set(block.startUs.subarray(0, Math.min(length, flows.rows - i * length)), i * length);
  });
  for (const [hour, order] of byHour(starts)) {
    write(
      'flows',
      hour,
      columns,
      order.sort((a, b) => starts[a] - starts[b]),
    );
  }
}

function writeSeries(data: TextRowsData, write: Write): void {
  if (data.rows === 0) return;
  const rows = new Rows(data);
  const times = rows.numbers(0);
  const names = rows.texts(0);
  const columns: ParquetColumn[] = [
    rows.textColumn('series', 0),
    { name: 'time', type: 'timestamp', value: (row) => Math.round(times[row]) },
    rows.numberColumn('value', 1),
  ];
  for (const [hour, order] of byHour(times)) {
    write(
      'series',
      hour,
      columns,
      order.sort((a, b) => compare(names[a], names[b]) || times[a] - times[b]),
    );
  }
}

function writeWindows(data: TextRowsData, write: Write): void {
  if (data.rows === 0) return;
  const rows = new Rows(data);
  const [starts, ends] = [rows.numbers(0), rows.numbers(1)];
  const rules = rows.texts(0);
  const columns: ParquetColumn[] = [
    rows.textColumn('rule', 0),
    rows.textColumn('key', 1),
    { name: 'start', type: 'timestamp', value: (row) => Math.round(starts[row]) },
    { name: 'end', type: 'timestamp', value: (row) => Math.round(ends[row]) },
    rows.textColumn('severity', 2),
    rows.textColumn('values', 3),
  ];
  for (const [hour, order] of byHour(ends)) {
    write(
      'windows',
      hour,
      columns,
      order.sort((a, b) => ends[a] - ends[b] || compare(rules[a], rules[b])),
    );
  }
}

/** Rows of texts and numbers, looked at by column. */
class Rows {
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

  numberColumn(name: string, k: number): ParquetColumn {
    const values = this.numbers(k);
    return { name, type: 'double', value: (row) => values[row] };
  }

  /** '' is no text. */
  textColumn(name: string, k: number): ParquetColumn {
    const all = this.texts(k);
    const places = new Map<string, number>();
    for (const text of all) if (text !== '' && !places.has(text)) places.set(text, places.size);
    return { name, type: 'text', id: (row) => places.get(all[row]) ?? -1, texts: [...places.keys()] };
  }
}

/** Rows by the hour of their time, hours in order. */
function byHour(times: Float64Array): [number, Uint32Array][] {
  const hours = new Map<number, number[]>();
  let [hour, rows]: [number, number[]] = [Number.NaN, []];
  for (let row = 0; row < times.length; row++) {
    const own = Math.floor(times[row] / HOUR_US);
    if (own !== hour) {
      rows = hours.get(own) ?? [];
      hours.set(own, rows);
      hour = own;
    }
    rows.push(row);
  }
  return [...hours].sort(([a], [b]) => a - b).map(([own, all]) => [own, Uint32Array.from(all)]);
}

/** The folder of an hour of event time: `2026-11-24/03`. */
function hourFolder(hour: number): string {
  const iso = new Date(hour * 3600e3).toISOString();
  return join(iso.slice(0, 10), iso.slice(11, 13));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function removeOlder(folder: string, { writer, epoch }: { writer: string; epoch: number }): void {
  for (const name of readdirSync(folder)) {
    if (name.startsWith(`${writer}-`) && epochOf(name) <= epoch) rmSync(join(folder, name), { force: true });
  }
}
