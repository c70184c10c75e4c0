import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import type { InputError } from '../core/errors.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Counter, Metrics } from '../core/metrics.ts';
import type { StateReader, StateWriter } from '../core/state.ts';
import { parseDurationUs } from '../core/units.ts';
import { createFlowBatch } from '../model/flow-batch.ts';
import type { Intake, Source } from '../model/intake.ts';
import type { Names } from '../model/names.ts';
import type { LogFormat } from './format.ts';
import { logKindOf } from './kind.ts';
import { LogParser, MAX_LINE_BYTES } from './log-parser.ts';
import type { LogOptions } from './options.ts';
import { contentOf, fingerprint, type LogPosition, type Rotated, rotatedSince } from './rotated.ts';

const BUFFER_BYTES = 2 * MAX_LINE_BYTES;
const POLL_MS = 1000;

export interface LogDeps {
  names: Names;
  metrics: Metrics;
  logger: Logger;
  /** What is there now is all there is. */
  finite: boolean;
}

/**
 * A flow log that is still written, followed as `tail -F` does: through rename and create, through copy and truncate, and
 * after a restart through predecessors that were compressed meanwhile. Its position is inode, offset and what the header
 * said, so a restart goes on with the next row.
 */
export class LogSource implements Source {
  readonly name: string;
  readonly boundUs: number;
  error: InputError | null = null;
  done = false;
  readonly #options: LogOptions;
  readonly #deps: LogDeps;
  readonly #batch = createFlowBatch(1024);
  readonly #counters: { rows: Counter; bad: Counter; rotations: Counter; lost: Counter };
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #from = 0;
  #to = 0;
  #fd = -1;
  #ino = -1;
  /** Bytes of the open file that were read into the buffer. */
  #read = 0;
  #print = { print: 0, printed: 0 };
  #parser: LogParser | null = null;
  #rotated: Rotated[] = [];
  #content: AsyncIterator<Uint8Array> | null = null;
  #restored: LogPosition | null = null;
  #timer: NodeJS.Timeout | null = null;
  #counted = { rows: 0, bad: 0 };

  constructor(options: LogOptions, deps: LogDeps) {
    this.name = options.name;
    this.boundUs = parseDurationUs(options.delay);
    this.#options = options;
    this.#deps = deps;
    const counter = (what: string, help: string): Counter =>
      deps.metrics.counter(`weir_log_${what}_total{source="${options.name}"}`, help);
    this.#counters = {
      rows: counter('rows', 'Rows of a log that became flow rows.'),
      bad: counter('bad_rows', 'Damaged rows of a log.'),
      rotations: counter('rotations', 'Times a log was rotated.'),
      lost: counter('lost_predecessors', 'Rotated logs whose unread rest was not found.'),
    };
  }

  async start(wake: () => void): Promise<void> {
    if (this.#restored !== null) await this.#resume(this.#restored);
    this.#restored = null;
    if (this.#deps.finite) return;
    const { poll } = this.#options;
    this.#timer = setInterval(wake, poll === undefined ? POLL_MS : parseDurationUs(poll) / 1000);
  }

  async #resume(position: LogPosition): Promise<void> {
    const stat = statSync(this.#options.path, { throwIfNoEntry: false });
    if (stat?.ino === position.ino && stat.size >= position.offset && this.#openLive()) {
      this.#read = position.offset;
      if (this.#isSame(position)) return this.#goOn(position);
      this.#closeLive();
    }
    await this.#findRotated(position);
  }

  #isSame(position: LogPosition): boolean {
    const head = Buffer.alloc(position.printed);
    const got = readSync(this.#fd, head, 0, head.length, 0);
    this.#print = { print: position.print, printed: position.printed };
    return fingerprint(head.subarray(0, got)).print === position.print;
  }

  #goOn(position: LogPosition): void {
    const head = Buffer.alloc(1 << 16);
    const got = readSync(this.#fd, head, 0, head.length, 0);
    this.#begin(head.subarray(0, got));
    this.#parser?.goOn(position);
  }

  async #findRotated(position: LogPosition): Promise<void> {
    this.#rotated = await rotatedSince(this.#options.path, position);
    this.#counters.rotations.value++;
    if (this.#rotated.length > 0) return;
    this.#counters.lost.value++;
    this.error = {
      code: 'log.rotated',
      offset: position.offset,
      message: 'the log was rotated and its rest is not found',
    };
    this.#deps.logger.warn({ code: this.error.code, source: this.name }, this.error.message);
  }

  async poll(intake: Intake, budget: number): Promise<boolean> {
    for (let given = 0; given < budget; ) {
      const rows = this.#give(intake, false);
      given += rows;
      if (rows === this.#batch.capacity) continue;
      if (!(await this.#more())) {
        if (this.#deps.finite) this.#finish(intake);
        return false;
      }
    }
    return true;
  }

  /** Rows from the buffer. */
  #give(intake: Intake, last: boolean): number {
    const batch = this.#batch;
    batch.length = 0;
    const parser = this.#parser;
    if (parser === null) return 0;
    this.#from += parser.take(this.#buffer, this.#from, this.#to, batch, last);
    if (batch.length > 0) intake.flows(batch);
    this.#count(parser);
    return batch.length;
  }

  #count(parser: LogParser): void {
    this.#counters.rows.value += parser.rows - this.#counted.rows;
    this.#counters.bad.value += parser.badRows - this.#counted.bad;
    this.#counted = { rows: parser.rows, bad: parser.badRows };
    if (parser.error !== null) this.error = parser.error;
    for (const [cause, count] of parser.skipped) {
      const name = `weir_log_skipped_total{source="${this.name}",cause="${cause}"}`;
      this.#deps.metrics.counter(name, 'Records of a log that give no row.').value += count;
    }
    parser.skipped.clear();
  }

  #finish(intake: Intake): void {
    while (this.#give(intake, true) > 0);
    this.done = true;
  }

  /** Brings more bytes; false when there are none now. */
  async #more(): Promise<boolean> {
    try {
      if (this.#rotated.length > 0) return await this.#moreRotated(this.#rotated[0]);
      return await this.#moreLive();
    } catch (cause) {
      this.error = { code: 'log.read', offset: this.#read, message: messageOf(cause) };
      this.#deps.logger.warn({ code: 'log.read', source: this.name }, this.error.message);
      return false;
    }
  }

  async #moreRotated(rotated: Rotated): Promise<boolean> {
    this.#content ??= (contentOf(rotated.path) as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    const next = await this.#content.next();
    if (next.done === true) {
      this.#content = null;
      this.#rotated.shift();
      this.#endFile();
      return true;
    }
    const part = next.value;
    if (this.#read === 0) {
      this.#begin(part);
      if (rotated.read !== null) this.#parser?.goOn(rotated.read);
    }
    const skip = Math.min(part.length, Math.max(0, (rotated.read?.offset ?? 0) - this.#read));
    this.#read += part.length;
    this.#append(part.subarray(skip));
    return true;
  }

  /** A new file begins: nothing of the one before is left. */
  #endFile(): void {
    this.#parser = null;
    this.#counted = { rows: 0, bad: 0 };
    this.#from = 0;
    this.#to = 0;
    this.#read = 0;
    this.#print = { print: 0, printed: 0 };
  }

  async #moreLive(): Promise<boolean> {
    if (this.#fd < 0 && !this.#openLive()) return false;
    const size = fstatSync(this.#fd).size;
    if (size < this.#read) return await this.#truncated();
    if (size === this.#read) return this.#replaced();
    this.#makeRoom();
    const got = readSync(this.#fd, this.#buffer, this.#to, this.#buffer.length - this.#to, this.#read);
    if (this.#read === 0 || this.#parser === null) this.#begin(this.#buffer.subarray(this.#to, this.#to + got));
    this.#read += got;
    this.#to += got;
    return got > 0;
  }

  #openLive(): boolean {
    try {
      this.#fd = openSync(this.#options.path, 'r');
    } catch {
      return false;
    }
    this.#ino = fstatSync(this.#fd).ino;
    this.#endFile();
    return true;
  }

  /** Copied and truncated: what was not read before stands in the copy. */
  async #truncated(): Promise<boolean> {
    const position = this.#position();
    this.#endFile();
    await this.#findRotated({ ...position, ino: -1 });
    return true;
  }

  /** All was read: when another file has the name now, it is its turn. */
  #replaced(): boolean {
    const stat = statSync(this.#options.path, { throwIfNoEntry: false });
    if (stat === undefined || stat.ino === this.#ino) return false;
    this.#closeLive();
    this.#counters.rotations.value++;
    return this.#openLive();
  }

  #closeLive(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  /** Makes the parser once the first bytes tell what the log is. */
  #begin(head: Uint8Array): void {
    this.#print = this.#print.printed === 0 ? fingerprint(head) : this.#print;
    const { mapping, format } = this.#options;
    const kind: LogFormat | null = mapping ?? format ?? logKindOf(head);
    if (kind !== null) this.#parser = new LogParser(kind, { names: this.#deps.names, exporter: this.name });
    else this.error = { code: 'log.unknown', offset: 0, message: `${this.#options.path} is no log that is known` };
  }

  #append(part: Uint8Array): void {
    this.#makeRoom();
    const room = this.#buffer.subarray(this.#to);
    room.set(part.subarray(0, room.length));
    this.#to += Math.min(part.length, room.length);
  }

  #makeRoom(): void {
    this.#buffer.copyWithin(0, this.#from, this.#to);
    this.#to -= this.#from;
    this.#from = 0;
    if (this.#parser === null) this.#to = 0;
  }

  #position(): LogPosition {
    const left = this.#to - this.#from;
    const header = this.#parser?.header ?? '';
    return { ino: this.#ino, offset: this.#read - left, line: this.#parser?.line ?? 1, header, ...this.#print };
  }

  /** Within rotated files the position is that of the file before: they are found and read again from where it ended. */
  save(out: StateWriter): void {
    out.json(this.#restored ?? this.#position());
  }

  restore(state: StateReader): void {
    this.#restored = state.json<LogPosition>();
  }

  status(): Record<string, string | number | null> {
    const { rows, bad, rotations } = this.#counters;
    return {
      path: this.#options.path,
      offset: this.#position().offset,
      rows: rows.value,
      badRows: bad.value,
      rotations: rotations.value,
    };
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#closeLive();
  }
}
