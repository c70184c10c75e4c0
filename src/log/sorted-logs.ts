import { closeSync, mkdtempSync, openSync, readSync, rmdirSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFlowBatch, type FlowBatch } from '../model/flow-batch.ts';
import type { LogReader } from './log-reader.ts';

/** Rows that are sorted in memory at a time: 32 MB. */
const RUN_ROWS = 1 << 17;
/** Rows of a run that are in memory while runs are merged. */
const BLOCK_ROWS = 512;

/** A part of the rows in order of their starts. */
interface Run {
  readonly batch: FlowBatch;
  at: number;
  nextUs: number;
  /** Brings the next rows; false at the end. */
  more(): boolean;
}

export interface SortedLogsOptions {
  /** Rows that are sorted in memory; tests make it small. */
  runRows?: number;
}

/**
 * Rows of finite logs, merged in the order of their starts, whatever order the logs have (Zeek writes a connection when it
 * has forgotten it): a flow counts where it starts, so in this order no row is late. Memory is bounded: of many rows sorted parts go to a temporary file and are merged from there.
 */
export class SortedLogs {
  /** Rows without a time while none is known yet: they cannot be placed. */
  untimed = 0;
  readonly #readers: readonly LogReader[];
  readonly #runRows: number;
  #runs: Run[] = [];
  #file = -1;
  #fileBytes = 0;

  constructor(readers: readonly LogReader[], options: SortedLogsOptions = {}) {
    this.#readers = readers;
    this.#runRows = options.runRows ?? RUN_ROWS;
  }

  get readers(): readonly LogReader[] {
    return this.#readers;
  }

  /** Reads all logs. `look` sees each batch as it is read. */
  async prepare(look: (batch: FlowBatch) => void = () => {}): Promise<void> {
    let pending = createFlowBatch(Math.min(this.#runRows, 4096));
    const batch = createFlowBatch(Math.min(this.#runRows, 2048));
    for (const reader of this.#readers) {
      let lastUs = Number.NaN;
      while (await reader.read(batch)) {
        lastUs = this.#giveTimes(batch, lastUs);
        look(batch);
        pending = this.#append(pending, batch);
      }
      reader.close();
    }
    if (pending.length > 0) this.#runs.push(new MemoryRun(pending, orderOf(pending)));
  }

  /** A row without a time has that of the row before. */
  #giveTimes(batch: FlowBatch, lastUs: number): number {
    let last = lastUs;
    for (let n = 0; n < batch.length; n++) {
      if (batch.endUs[n] !== 0) last = batch.endUs[n];
      else if (!Number.isNaN(last)) {
        batch.startUs[n] = last;
        batch.endUs[n] = last;
      }
    }
    return last;
  }

  #append(pending: FlowBatch, batch: FlowBatch): FlowBatch {
    let into = pending;
    for (let n = 0; n < batch.length; n++) {
      if (batch.endUs[n] === 0) {
        this.untimed++;
        continue;
      }
      if (into.length === into.capacity) into = this.#roomier(into);
      into.copyRow(into.length++, batch, n);
    }
    return into;
  }

  /** Twice the room, up to the size of a run; a full run is put away. */
  #roomier(full: FlowBatch): FlowBatch {
    if (full.capacity >= this.#runRows) {
      this.#putAway(full);
      full.length = 0;
      return full;
    }
    const larger = createFlowBatch(Math.min(this.#runRows, 4 * full.capacity));
    for (let n = 0; n < full.length; n++) larger.copyRow(n, full, n);
    larger.length = full.length;
    return larger;
  }

  #putAway(batch: FlowBatch): void {
    if (this.#file < 0) this.#file = openTemporary();
    const order = orderOf(batch);
    const block = createFlowBatch(BLOCK_ROWS);
    const bytes = new Uint8Array(block.buffer as ArrayBuffer);
    const start = this.#fileBytes;
    for (let n = 0; n < order.length; n++) {
      block.copyRow(block.length++, batch, order[n]);
      if (block.length < BLOCK_ROWS && n + 1 < order.length) continue;
      writeSync(this.#file, bytes, 0, bytes.length, this.#fileBytes);
      this.#fileBytes += bytes.length;
      block.length = 0;
    }
    this.#runs.push(new FileRun(this.#file, start, order.length));
  }

  /** Start of the row that comes next, microseconds; Infinity when there is none. */
  get nextUs(): number {
    return this.#runs.reduce((least, run) => Math.min(least, run.nextUs), Number.POSITIVE_INFINITY);
  }

  /** Fills the batch with the next rows that start at `untilUs` or before; false when there are none. */
  take(untilUs: number, batch: FlowBatch): boolean {
    batch.length = 0;
    while (batch.length < batch.capacity) {
      const run = this.#first();
      if (run === null || run.nextUs > untilUs) break;
      const limit = Math.min(untilUs, this.#nextBeside(run));
      do {
        batch.copyRow(batch.length++, run.batch, run.at++);
        if (run.at < run.batch.length) run.nextUs = run.batch.startUs[run.at];
        else if (!run.more()) {
          this.#runs = this.#runs.filter((other) => other !== run);
          break;
        }
      } while (batch.length < batch.capacity && run.nextUs <= limit);
    }
    return batch.length > 0;
  }

  #first(): Run | null {
    let first: Run | null = null;
    for (const run of this.#runs) if (first === null || run.nextUs < first.nextUs) first = run;
    return first;
  }

  /** Rows of equal starts come in the order of their runs, so the rows of later runs wait. */
  #nextBeside(run: Run): number {
    let least = Number.POSITIVE_INFINITY;
    let earlier = true;
    for (const other of this.#runs) {
      if (other === run) earlier = false;
      else least = Math.min(least, earlier ? other.nextUs - 1 : other.nextUs);
    }
    return least;
  }

  close(): void {
    if (this.#file >= 0) closeSync(this.#file);
    this.#file = -1;
    this.#runs = [];
    for (const reader of this.#readers) reader.close();
  }
}

/** Rows by their starts; those of equal starts stay in the order of the log. */
function orderOf(batch: FlowBatch): Uint32Array {
  const order = new Uint32Array(batch.length);
  const { startUs } = batch;
  let sorted = true;
  for (let n = 0; n < order.length; n++) {
    order[n] = n;
    if (n > 0 && startUs[n] < startUs[n - 1]) sorted = false;
  }
  return sorted ? order : order.sort((a, b) => startUs[a] - startUs[b] || a - b);
}

class MemoryRun implements Run {
  readonly batch: FlowBatch;
  at = 0;
  nextUs = 0;

  constructor(rows: FlowBatch, order: Uint32Array) {
    this.batch = createFlowBatch(rows.length);
    for (let n = 0; n < order.length; n++) this.batch.copyRow(n, rows, order[n]);
    this.batch.length = rows.length;
    this.nextUs = this.batch.startUs[0];
  }

  more(): boolean {
    this.nextUs = Number.POSITIVE_INFINITY;
    return false;
  }
}

class FileRun implements Run {
  readonly batch = createFlowBatch(BLOCK_ROWS);
  at = 0;
  nextUs = 0;
  readonly #bytes = new Uint8Array(this.batch.buffer as ArrayBuffer);
  readonly #file: number;
  #position: number;
  #left: number;

  constructor(file: number, position: number, rows: number) {
    this.#file = file;
    this.#position = position;
    this.#left = rows;
    this.more();
  }

  more(): boolean {
    if (this.#left === 0 || readSync(this.#file, this.#bytes, 0, this.#bytes.length, this.#position) === 0) {
      this.nextUs = Number.POSITIVE_INFINITY;
      return false;
    }
    this.#position += this.#bytes.length;
    this.batch.length = Math.min(BLOCK_ROWS, this.#left);
    this.#left -= this.batch.length;
    this.at = 0;
    this.nextUs = this.batch.startUs[0];
    return true;
  }
}

/** A file that has no name any more: it goes with the process. */
function openTemporary(): number {
  const folder = mkdtempSync(join(tmpdir(), 'weir-log-'));
  const path = join(folder, 'rows');
  const file = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  rmdirSync(folder);
  return file;
}
