import { rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metrics } from '../core/metrics.ts';
import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import type { FlowBatch } from '../model/flow-batch.ts';
import type { Names } from '../model/names.ts';
import { HistoryThread } from './history-thread.ts';
import { epochOf } from './hour-files.ts';
import { BLOCK_ROWS, StagedRows } from './staged-rows.ts';

export interface HistoryOptions {
  /** Folder of the history; kinds are sub-folders (`flows`, `series`, `windows`), then day, hour, files. */
  path: string;
  /** First part of every file name: who writes. The same writer, run again, replaces its own files. */
  writer: string;
  /** Staged rows at which they leave as files; as many may be on their way. */
  flushRows?: number;
  /**
   * Files carry the number of the checkpoint that comes after them. At the start those behind this one go away: what
   * they hold is written again. Default: no checkpoints, all files of the writer go away.
   */
  epoch?: number;
  /** Files up to this epoch leave the hours that are written anew: the run began again and reads the same. Default 0. */
  supersedes?: number;
}

/** Rows that have left for files of this name and are not there yet. */
interface Batch {
  name: string;
  rows: StagedRows;
}

/** Of 220 bytes, and as much again while they are written; half as many as would make the smallest files. */
const FLUSH_ROWS = 32_768;

/**
 * History as Parquet files in hourly folders of event time. Rows are staged in memory, columns as they came, and leave in
 * files of one hour, which a thread of their own writes. What is staged is part of a checkpoint; a batch keeps the name of its
 * files until they are complete, so that writing them again replaces them.
 */
export class History implements Stateful {
  readonly #path: string;
  readonly #writer: string;
  readonly #flushRows: number;
  readonly #names: Names;
  readonly #rows;
  readonly #bytes;
  readonly #thread = new HistoryThread();
  readonly #free: SharedArrayBuffer[] = [];
  #live: StagedRows;
  #leaving: Batch[] = [];
  #writing: Promise<void> | null = null;
  /** The batch that is being written. */
  #current: Batch | null = null;
  /** What `settle` began in vain. */
  #failure: unknown = null;
  #sequence = 1;
  /** The checkpoint that comes next; null without checkpoints. */
  #epoch: number | null;
  #supersedes: number;

  constructor(options: HistoryOptions, { names, metrics }: { names: Names; metrics: Metrics }) {
    this.#path = options.path;
    this.#writer = options.writer;
    this.#flushRows = options.flushRows ?? FLUSH_ROWS;
    this.#names = names;
    this.#epoch = options.epoch === undefined ? null : options.epoch + 1;
    this.#supersedes = options.supersedes ?? 0;
    this.#rows = metrics.counter('weir_history_rows_total', 'Rows given to the history.');
    this.#bytes = metrics.counter('weir_history_written_bytes_total', 'Parquet bytes written.');
    this.#live = new StagedRows(names, this.#free);
  }

  async start(): Promise<void> {
    await removeFiles(this.#path, (name) => this.#isOver(name));
  }

  flows(batch: FlowBatch): void {
    this.#live.flows(batch);
    this.#rows.value += batch.length;
  }

  series(series: string, timeUs: number, value: number): void {
    const { series: rows } = this.#live;
    rows.text(series);
    rows.number(timeUs);
    rows.number(value);
    rows.endRow();
    this.#rows.value++;
  }

  window(rule: string, key: string, startUs: number, endUs: number, severity: string | null, values: string): void {
    const { windows } = this.#live;
    windows.text(rule);
    windows.text(key);
    windows.text(severity ?? '');
    windows.text(values);
    windows.number(startUs);
    windows.number(endUs);
    windows.endRow();
    this.#rows.value++;
  }

  /** Rows that wait in memory, also those on their way. */
  get staged(): number {
    return this.#leaving.reduce((sum, { rows }) => sum + rows.rows, this.#live.rows);
  }

  /** As many as may be staged beside those on their way. */
  get isFull(): boolean {
    return this.#live.rows >= this.#flushRows;
  }

  /** Back-pressure, between batches: begins to write when enough is staged, and waits when as much is on its way. */
  async settle(): Promise<void> {
    if (!this.isFull) return;
    await this.#writing;
    if (this.#failure !== null) throw this.#failure;
    void this.flush().catch((error) => {
      this.#failure = error;
    });
  }

  /** Writes everything that is staged now. After a failure all of it is still there, and leaves under the same names. */
  async flush(): Promise<void> {
    this.#seal();
    const before = this.#writing;
    const writing = this.#writeAll(before).finally(() => {
      if (this.#writing === settled) this.#writing = null;
    });
    const settled = writing.catch(() => {});
    this.#writing = settled;
    return writing;
  }

  #seal(): void {
    if (this.#live.rows === 0) return;
    const epoch = this.#epoch === null ? '' : `e${this.#epoch}-`;
    this.#leaving.push({ name: `${this.#writer}-${epoch}${this.#sequence++}`, rows: this.#live });
    this.#live = new StagedRows(this.#names, this.#free);
  }

  async #writeAll(before: Promise<void> | null): Promise<void> {
    await before;
    for (const batch of [...this.#leaving]) {
      if (!this.#leaving.includes(batch)) continue;
      this.#current = batch;
      try {
        this.#bytes.value += await this.#thread.write(this.#filesOf(batch));
      } finally {
        this.#current = null;
      }
      this.#leaving = this.#leaving.filter((each) => each !== batch);
      this.#recycle(batch.rows);
    }
  }

  #filesOf({ name, rows }: Batch): Parameters<HistoryThread['write']>[0] {
    const supersedes = this.#supersedes > 0 ? { writer: this.#writer, epoch: this.#supersedes } : null;
    return { path: this.#path, name, data: rows.data, supersedes };
  }

  #recycle(rows: StagedRows): void {
    const most = Math.ceil(this.#flushRows / BLOCK_ROWS);
    this.#free.push(...rows.release().slice(0, Math.max(0, most - this.#free.length)));
  }

  /** Gives up what is staged and not on its way at present. @returns the rows lost */
  discard(): number {
    const before = this.staged;
    this.#leaving = this.#leaving.filter((batch) => batch === this.#current);
    const lost = before - this.#leaving.reduce((sum, { rows }) => sum + rows.rows, 0);
    this.#live = new StagedRows(this.#names, this.#free);
    return lost;
  }

  /** What is staged from now on belongs to the checkpoint after `epoch`. */
  next(epoch: number): void {
    this.#epoch = epoch + 1;
  }

  /** Everything that is not certainly in files: batches on their way keep their names. */
  save(out: StateWriter): void {
    out.number(this.#supersedes);
    out.json(this.#leaving.map(({ name }) => name));
    for (const { rows } of this.#leaving) rows.save(out);
    this.#live.save(out);
  }

  restore(state: StateReader): void {
    this.#supersedes = state.number();
    this.#leaving = state.json<string[]>().map((name) => {
      const rows = new StagedRows(this.#names, this.#free);
      rows.restore(state);
      return { name, rows };
    });
    this.#live.restore(state);
  }

  async stop(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#thread.stop();
    }
  }

  #isOver(name: string): boolean {
    if (!name.startsWith(`${this.#writer}-`)) return false;
    return this.#epoch === null || !(epochOf(name) < this.#epoch);
  }
}

/** The newest checkpoint that files of a history carry; 0 without any. */
export async function newestEpoch(path: string): Promise<number> {
  const names = await readdir(path, { recursive: true }).catch(() => [] as string[]);
  return names.reduce((most, name) => Math.max(most, epochOf(name) || 0), 0);
}

/** Removes the files below `folder` whose name satisfies the test; a missing folder is an empty one. */
async function removeFiles(folder: string, test: (name: string) => boolean): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isFile() && test(entry.name)) rmSync(join(entry.parentPath, entry.name));
}
