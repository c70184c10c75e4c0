import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { giveBack } from '../core/buffer-pool.ts';
import { momentOrder } from '../core/moment-order.ts';
import { viewFlowBatch } from '../model/flow-batch.ts';
import { flowColumns } from './flow-columns.ts';
import { writeParquet } from './parquet-file.ts';
import type { ParquetColumn } from './parquet-page.ts';
import { BLOCK_ROWS, type StagedData } from './staged-rows.ts';
import { TextColumns } from './text-columns.ts';
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
  const columns = flowColumns(flows);
  const starts = new Float64Array(flows.rows);
  flows.buffers.forEach((buffer, i) => {
    const { startUs } = viewFlowBatch(buffer, BLOCK_ROWS);
    starts.set(startUs.subarray(0, flows.rows - i * BLOCK_ROWS), i * BLOCK_ROWS);
  });
  for (const [hour, rows] of byHour(starts)) write('flows', hour, columns, byTime(starts, rows));
}

function writeSeries(data: TextRowsData, write: Write): void {
  if (data.rows === 0) return;
  const rows = new TextColumns(data);
  const times = rows.numbers(0);
  const names = rows.texts(0);
  const columns = [rows.textColumn('series', 0), rows.timeColumn('time', 0), rows.numberColumn('value', 1)];
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
  const rows = new TextColumns(data);
  const ends = rows.numbers(1);
  const rules = rows.texts(0);
  const columns = [
    rows.textColumn('rule', 0),
    rows.textColumn('key', 1),
    rows.timeColumn('start', 0),
    rows.timeColumn('end', 1),
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

/** The same rows in order of time. */
function byTime(times: Float64Array, rows: Uint32Array): Uint32Array {
  const own = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) own[i] = times[rows[i]];
  const positions = momentOrder(own, rows.length);
  const ordered = new Uint32Array(rows.length);
  for (let i = 0; i < rows.length; i++) ordered[i] = rows[positions[i]];
  giveBack(positions);
  return ordered;
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
