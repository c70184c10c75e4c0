import { existsSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type DuckDBAppender, type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { Metrics } from '../core/metrics.ts';
import type { FlowBatch } from '../model/flow-batch.ts';
import type { Names } from '../model/names.ts';
import { publishFlows } from './flow-columns.ts';
import { FlowTable } from './flow-table.ts';
import { hourFolder, hourOf, sqlText, writeParquet } from './parquet-writer.ts';

export interface HistoryOptions {
  /** Folder of the history; kinds are sub-folders (`flows`, `series`, `windows`), then day, hour, files. */
  path: string;
  /** First part of every file name: who writes. The same writer, run again, replaces its own files. */
  writer: string;
  /** Staged rows at which flow records leave as files. */
  flushRows?: number;
  /**
   * Files carry the number of the checkpoint that comes after them. At the start those behind this one go away: what
   * they hold is written again. Default: no checkpoints, all files of the writer go away.
   */
  epoch?: number;
}

const KINDS = ['flows', 'series', 'windows'] as const;
type Kind = (typeof KINDS)[number];
const TABLES: Record<Kind, { name: string; timeUs: string }> = {
  flows: { name: 'flow_rows', timeUs: 'startUs' },
  series: { name: 'series_rows', timeUs: 'timeUs' },
  windows: { name: 'window_rows', timeUs: 'endUs' },
};

const STAGED = /^(\d+)-\w+\.parquet$/;
const EPOCH = /-e(\d+)-\d+\.parquet/;
const SERIES = 'CREATE OR REPLACE TABLE series_rows (series VARCHAR, timeUs DOUBLE, value DOUBLE)';
const WINDOWS =
  'CREATE OR REPLACE TABLE window_rows (rule VARCHAR, "key" VARCHAR, startUs DOUBLE, endUs DOUBLE, severity VARCHAR, "values" VARCHAR)';
const SERIES_SELECT = 'SELECT series, make_timestamp(CAST(timeUs AS BIGINT)) AS time, value FROM series_rows';
const WINDOWS_SELECT =
  'SELECT rule, "key", make_timestamp(CAST(startUs AS BIGINT)) AS "start", make_timestamp(CAST(endUs AS BIGINT)) AS "end", severity, "values" FROM window_rows';

/**
 * History as Parquet files in hourly folders of event time. Rows are staged in memory and leave in files of one hour;
 * `settle` is the back-pressure: it resolves when no more than `flushRows` are staged.
 */
export class History {
  readonly #path: string;
  readonly #writer: string;
  readonly #flushRows: number;
  readonly #names: Names;
  readonly #rows;
  readonly #bytes;
  #connection!: DuckDBConnection;
  #flows!: FlowTable;
  #series!: DuckDBAppender;
  #windows!: DuckDBAppender;
  #small = 0;
  #sequence = 1;
  /** The checkpoint that comes next; null without checkpoints. */
  #epoch: number | null;
  /** Hours that the staged rows touch, by kind. */
  readonly #hours = { flows: new Set<number>(), series: new Set<number>(), windows: new Set<number>() };

  constructor(options: HistoryOptions, { names, metrics }: { names: Names; metrics: Metrics }) {
    this.#path = options.path;
    this.#writer = options.writer;
    this.#flushRows = options.flushRows ?? 262_144;
    this.#names = names;
    this.#epoch = options.epoch === undefined ? null : options.epoch + 1;
    this.#rows = metrics.counter('weir_history_rows_total', 'Rows given to the history.');
    this.#bytes = metrics.counter('weir_history_written_bytes_total', 'Parquet bytes written.');
  }

  async start(): Promise<void> {
    await removeFiles(this.#path, (name) => this.#isOver(name));
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    this.#connection = await instance.connect();
    this.#flows = new FlowTable('flow_rows', this.#connection, this.#names);
    await this.#open();
  }

  flows(batch: FlowBatch): void {
    this.#flows.append(batch);
    this.#rows.value += batch.length;
    for (let row = 0; row < batch.length; row++) this.#hours.flows.add(hourOf(batch.startUs[row]));
  }

  series(series: string, timeUs: number, value: number): void {
    this.#series.appendVarchar(series);
    this.#series.appendDouble(timeUs);
    this.#series.appendDouble(value);
    this.#series.endRow();
    this.#count('series', timeUs);
  }

  window(rule: string, key: string, startUs: number, endUs: number, severity: string | null, values: string): void {
    this.#windows.appendVarchar(rule);
    this.#windows.appendVarchar(key);
    this.#windows.appendDouble(startUs);
    this.#windows.appendDouble(endUs);
    if (severity === null) this.#windows.appendNull();
    else this.#windows.appendVarchar(severity);
    this.#windows.appendVarchar(values);
    this.#windows.endRow();
    this.#count('windows', endUs);
  }

  /** Writes files when enough is staged; call it between batches. */
  async settle(): Promise<void> {
    if (this.#flows.rows + this.#small >= this.#flushRows) await this.flush();
  }

  /** Rows that wait in memory. */
  get staged(): number {
    return this.#flows.rows + this.#small;
  }

  /** Writes everything that is staged. After a failure all of it is still staged, and written again under the same names. */
  async flush(): Promise<void> {
    if (this.staged === 0) return;
    this.#sync();
    for (const hour of this.#hours.flows) await this.#write('flows', hour, publishFlows('flow_rows', hour));
    for (const hour of this.#hours.series) {
      await this.#write(
        'series',
        hour,
        `${SERIES_SELECT} WHERE floor(timeUs / 3600e6) = ${hour} ORDER BY series, time`,
      );
    }
    for (const hour of this.#hours.windows) {
      await this.#write(
        'windows',
        hour,
        `${WINDOWS_SELECT} WHERE floor(endUs / 3600e6) = ${hour} ORDER BY endUs, rule`,
      );
    }
    this.#sequence++;
    await this.#reopen();
  }

  /** Gives up what is staged. @returns the rows lost */
  async discard(): Promise<number> {
    const lost = this.staged;
    this.#sync();
    await this.#reopen();
    return lost;
  }

  /** Copies what is staged beside a checkpoint; what is written from now on belongs to the next one. */
  async stage(folder: string, epoch: number): Promise<void> {
    this.#sync();
    for (const kind of KINDS) {
      const select = `SELECT * FROM ${TABLES[kind].name}`;
      await writeParquet(this.#connection, select, stagedFile(folder, epoch, kind), 'snappy');
    }
    this.#epoch = epoch + 1;
    this.#sequence = 1;
  }

  /** Takes up what was staged beside a checkpoint, and writes it. */
  async recover(folder: string, epoch: number): Promise<void> {
    for (const kind of KINDS) {
      const file = stagedFile(folder, epoch, kind);
      if (!existsSync(file)) continue;
      const { name, timeUs } = TABLES[kind];
      await this.#connection.run(`INSERT INTO ${name} SELECT * FROM read_parquet(${sqlText(file)})`);
      const hours = await this.#connection.runAndReadAll(
        `SELECT floor(${timeUs} / 3600e6) AS hour, count(*) AS rows FROM ${name} GROUP BY hour`,
      );
      for (const [hour, rows] of hours.getRows()) {
        this.#hours[kind].add(Number(hour));
        this.#small += Number(rows);
      }
    }
    await this.flush();
  }

  #sync(): void {
    this.#flows.sync();
    this.#series.flushSync();
    this.#windows.flushSync();
  }

  async #reopen(): Promise<void> {
    this.#flows.seal();
    this.#series.closeSync();
    this.#windows.closeSync();
    await this.#open();
  }

  #isOver(name: string): boolean {
    if (!name.startsWith(`${this.#writer}-`)) return false;
    if (this.#epoch === null) return true;
    return Number(EPOCH.exec(name)?.[1] ?? Number.POSITIVE_INFINITY) >= this.#epoch;
  }

  async stop(): Promise<void> {
    await this.flush();
    this.#connection.closeSync();
  }

  #count(kind: 'series' | 'windows', timeUs: number): void {
    this.#small++;
    this.#rows.value++;
    this.#hours[kind].add(hourOf(timeUs));
  }

  async #write(kind: string, hour: number, select: string): Promise<void> {
    const epoch = this.#epoch === null ? '' : `e${this.#epoch}-`;
    const file = join(this.#path, kind, hourFolder(hour), `${this.#writer}-${epoch}${this.#sequence}.parquet`);
    this.#bytes.value += await writeParquet(this.#connection, select, file);
  }

  async #open(): Promise<void> {
    for (const kind of KINDS) this.#hours[kind].clear();
    this.#small = 0;
    await this.#flows.open();
    await this.#connection.run(SERIES);
    await this.#connection.run(WINDOWS);
    this.#series = await this.#connection.createAppender('series_rows');
    this.#windows = await this.#connection.createAppender('window_rows');
  }
}

/** Where a checkpoint's staged rows lie. */
function stagedFile(folder: string, epoch: number, kind: Kind): string {
  return join(folder, `${epoch}-${kind}.parquet`);
}

/** Removes the files that were staged for checkpoints before `oldest`. */
export async function removeStaged(folder: string, oldest: number): Promise<void> {
  await removeFiles(folder, (name) => Number(STAGED.exec(name)?.[1] ?? oldest) < oldest);
}

/** The newest checkpoint that files of a history carry; 0 without any. */
export async function newestEpoch(path: string): Promise<number> {
  const names = await readdir(path, { recursive: true }).catch(() => [] as string[]);
  return names.reduce((most, name) => Math.max(most, Number(EPOCH.exec(name)?.[1] ?? 0)), 0);
}

/** Removes the files below `folder` whose name satisfies the test; a missing folder is an empty one. */
async function removeFiles(folder: string, test: (name: string) => boolean): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isFile() && test(entry.name)) rmSync(join(entry.parentPath, entry.name));
}
