import type { InputError } from '../core/errors.ts';
import type { FlowBatch } from '../model/flow-batch.ts';
import type { Names } from '../model/names.ts';
import { BAD } from './dialect.ts';
import type { LogFormat } from './format.ts';
import { LogRow } from './log-row.ts';
import { linesIn, type Records, recordsOf, WAIT } from './records.ts';

/** Lines longer than this are no rows. */
export const MAX_LINE_BYTES = 1 << 20;
const LINE_END = 10;

export interface ParserOptions {
  names: Names;
  /** Exporter of rows that name none: the source's name. */
  exporter?: string;
}

/**
 * The bytes of one log, piece by piece, into flow rows. It keeps no bytes: what is not taken has to be given again with
 * more behind it. Damaged rows are counted, and the first is told with its line.
 */
export class LogParser {
  rows = 0;
  badRows = 0;
  /** The first damage. */
  error: InputError | null = null;
  /** Records that give no row, by cause. */
  readonly skipped = new Map<string, number>();
  /** Bytes taken so far, and the line (from 1) that comes next. */
  offset = 0;
  line = 1;
  readonly #row: LogRow;
  readonly #records: Records;
  #inLongLine = false;

  constructor(format: LogFormat, { names, exporter }: ParserOptions) {
    this.#row = new LogRow(names, exporter);
    this.#records = recordsOf(format);
  }

  /** What has to be given first to a new parser that is to go on in the middle of the log. */
  get header(): string {
    return this.#records.header;
  }

  /** Goes on in the middle of a log, where another parser was. */
  goOn(from: { offset: number; line: number; header: string }): void {
    this.offset = from.offset;
    this.line = from.line;
    this.#records.restoreHeader(from.header);
  }

  /**
   * Takes records from `from <= i < to` until the batch is full or no whole one is left. `last` says that nothing follows.
   * @returns the bytes that were taken
   */
  take(bytes: Uint8Array, from: number, to: number, batch: FlowBatch, last: boolean): number {
    const records = this.#records;
    let at = from;
    while (at < to && batch.length < batch.capacity) {
      if (this.#inLongLine) {
        at = this.#advance(bytes, at, this.#longLineEnd(bytes, at, to));
        continue;
      }
      this.#row.reset();
      const verdict = records.next(bytes, at, to, this.#row, last);
      if (verdict === WAIT) {
        if (to - at < MAX_LINE_BYTES) break;
        this.#bad('the line is longer than a megabyte', bytes, at);
        this.#inLongLine = true;
        at = this.#advance(bytes, at, records.start);
        continue;
      }
      if (verdict === null) {
        this.#row.commit(batch);
        this.rows++;
      } else if (verdict === BAD) this.#bad(records.reason, bytes, at);
      else if (verdict !== '') this.skipped.set(verdict, (this.skipped.get(verdict) ?? 0) + 1);
      this.line += records.lines;
      this.offset += records.end - at;
      at = records.end;
    }
    return at - from;
  }

  #longLineEnd(bytes: Uint8Array, at: number, to: number): number {
    const end = bytes.indexOf(LINE_END, at);
    if (end < 0 || end >= to) return to;
    this.#inLongLine = false;
    return end + 1;
  }

  #advance(bytes: Uint8Array, from: number, to: number): number {
    this.line += linesIn(bytes, from, to);
    this.offset += to - from;
    return to;
  }

  #bad(reason: string, bytes: Uint8Array, from: number): void {
    this.badRows++;
    if (this.error !== null) return;
    const line = this.line + linesIn(bytes, from, this.#records.start);
    this.error = { code: 'log.row', offset: this.offset, message: `line ${line}: ${reason}` };
  }
}
