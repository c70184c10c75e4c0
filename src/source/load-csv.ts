import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { constants, gunzipSync } from 'node:zlib';
import { type InputError, messageOf } from '../core/errors.ts';
import { parseTimeUs } from '../core/time.ts';
import { createFlowBatch, type FlowBatch } from '../model/flow-batch.ts';
import type { Names } from '../model/names.ts';

const HEADER = 'timestamp,series,value';
const GZIP = 0x1f8b;
const MOST_BYTES = 1 << 28;
/** `core/3` is interface 3 of core; any other name is an exporter of its own. */
const NUMBERED = /^(.+)\/(\d{1,9})$/;

/** True when the file is a table of interface loads: CSV, plain or gzip, with the header `timestamp,series,value`. */
export function isLoadCsv(path: string): boolean {
  const head = Buffer.alloc(512);
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return false;
  }
  const length = readSync(fd, head, 0, head.length, 0);
  closeSync(fd);
  return textOf(head.subarray(0, length)).startsWith(HEADER);
}

function textOf(head: Buffer): string {
  if (head.length < 2 || head.readUInt16BE(0) !== GZIP) return head.toString('latin1');
  try {
    return gunzipSync(head, { finishFlush: 2, maxOutputLength: 1 << 20 }).toString('latin1');
  } catch {
    return '';
  }
}

/**
 * Interface loads as flow rows: a line `timestamp,series,value` (ISO time at which the step begins, `exporter/in_if` or
 * a plain name, bits per second) becomes one unidirectional record over its step, with the exporter's name and the
 * interface number. An empty value is a missing measurement and gives no row. Lines must be in order of time.
 */
export class LoadCsvReader {
  readonly name: string;
  error: InputError | null = null;
  rows = 0;
  readonly #names: Names;
  readonly #lastUs = new Map<string, number>();
  readonly #stepUs: number;

  constructor(path: string, options: { names: Names; stepUs?: number }) {
    this.name = path;
    this.#names = options.names;
    this.#stepUs = options.stepUs ?? 300e6;
  }

  /** Batches in order of time; the batch is the reader's again with the next one. Damage is kept in `error`. */
  *batches(): Generator<FlowBatch> {
    const batch = createFlowBatch(512);
    let offset = 0;
    for (const line of this.#text().split('\n')) {
      if (offset > 0 && line !== '' && !this.#put(batch, line.replace(/\r$/, ''))) {
        const message = `no timestamp,series,value: ${line.slice(0, 60)}`;
        this.error ??= { code: 'load.line', offset, message };
      }
      offset += line.length + 1;
      if (batch.length === batch.capacity) yield* this.#give(batch);
    }
    if (batch.length > 0) yield* this.#give(batch);
  }

  *#give(batch: FlowBatch): Generator<FlowBatch> {
    yield batch;
    batch.length = 0;
  }

  /** The whole table: years of interface loads are a few megabytes. Of a damaged gzip file, what came before the damage. */
  #text(): string {
    try {
      const bytes = readFileSync(this.name);
      if (bytes.length < 2 || bytes.readUInt16BE(0) !== GZIP) return bytes.toString('utf8');
      try {
        return gunzipSync(bytes, { maxOutputLength: MOST_BYTES }).toString('utf8');
      } catch (cause) {
        this.error = { code: 'load.damaged', offset: bytes.length, message: messageOf(cause) };
        const options = { maxOutputLength: MOST_BYTES, finishFlush: constants.Z_SYNC_FLUSH };
        const text = gunzipSync(bytes, options).toString('utf8');
        return text.slice(0, text.lastIndexOf('\n') + 1);
      }
    } catch (cause) {
      this.error ??= { code: 'load.open', offset: 0, message: messageOf(cause) };
      return '';
    }
  }

  #put(batch: FlowBatch, line: string): boolean {
    const [time, series, value, rest] = line.split(',');
    const startUs = parseTimeUs(time);
    if (Number.isNaN(startUs) || series === undefined || value === undefined || rest !== undefined) return false;
    if (value === '') return true;
    const bitsPerSecond = Number(value);
    if (!(bitsPerSecond >= 0)) return false;
    if (startUs < (this.#lastUs.get(series) ?? 0)) return false;
    const endUs = startUs + this.#stepUs;
    this.#lastUs.set(series, endUs);
    this.#row(batch, series, startUs, endUs, bitsPerSecond);
    return true;
  }

  #row(batch: FlowBatch, series: string, startUs: number, endUs: number, bitsPerSecond: number): void {
    const row = batch.length++;
    const [, exporter, port] = NUMBERED.exec(series) ?? ['', series, '0'];
    batch.clearRow(row);
    batch.startUs[row] = startUs;
    batch.endUs[row] = endUs;
    batch.octetDeltaCount[row] = (bitsPerSecond * (endUs - startUs)) / 8e6;
    batch.packetDeltaCount[row] = Math.ceil(batch.octetDeltaCount[row] / 1000);
    batch.exporter[row] = this.#names.exporters.intern(exporter);
    batch.ingressInterface[row] = Number(port);
    this.rows++;
  }
}
