import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import type { InputError } from '../core/errors.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { StateReader, StateWriter } from '../core/state.ts';
import { parseDurationUs } from '../core/units.ts';
import { createFlowBatch } from '../model/flow-batch.ts';
import type { Intake, Source } from '../model/intake.ts';
import type { Names } from '../model/names.ts';
import type { LogFormat } from './format.ts';
import { logKindOf, SNIFF_BYTES } from './kind.ts';
import { LogCounters } from './log-counters.ts';
import { LogParser } from './log-parser.ts';
import { type LogOptions, pollMsOf } from './options.ts';
import {
  contentOf,
  fingerprint,
  type LogPosition,
  PRINT_BYTES,
  printOf,
  type Rotated,
  rotatedSince,
} from './rotated.ts';
import { RowBuffer } from './row-buffer.ts';

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
  /** Hears where reading of a rotated file ended. */
  readonly #over: (position: LogPosition) => void;
  readonly #batch = createFlowBatch(1024);
  readonly #counters: LogCounters;
  readonly #buffer = new RowBuffer();
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
  /** All of the file is in the buffer, and another comes after it. */
  #isOver = false;

  constructor(options: LogOptions, deps: LogDeps, over: (position: LogPosition) => void = () => {}) {
    this.#over = over;
    this.name = options.name;
    this.boundUs = parseDurationUs(options.delay);
    this.#options = options;
    this.#deps = deps;
    this.#counters = new LogCounters(options.name, deps.metrics);
  }

  /** Without `wake` somebody else looks after the time. */
  async start(wake?: () => void): Promise<void> {
    if (this.#isPacked) this.#rotated = [{ path: this.#options.path, read: this.#restored }];
    else if (this.#restored !== null) await this.#resume(this.#restored);
    this.#restored = null;
    if (this.#deps.finite || wake === undefined) return;
    this.#timer = setInterval(wake, pollMsOf(this.#options));
  }

  /** A compressed log is whole: it is read to its end. */
  get #isPacked(): boolean {
    return /\.(gz|zst)$/.test(this.#options.path);
  }

  /** All of it was read, and nothing has its name any more. */
  get isGone(): boolean {
    return this.#buffer.length === 0 && this.#rotated.length === 0 && !existsSync(this.#options.path);
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

  #isSame({ print, printed }: LogPosition): boolean {
    this.#print = { print, printed };
    return printOf(this.#fd, printed).print === print;
  }

  #goOn(position: LogPosition): void {
    const head = Buffer.alloc(SNIFF_BYTES);
    this.#begin(head.subarray(0, readSync(this.#fd, head, 0, head.length, 0)));
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
    for (let given = 0; given < budget && !this.done; ) {
      const rows = this.#give(intake, this.#isOver);
      given += rows;
      if (rows === this.#batch.capacity) continue;
      if (this.#isOver) this.#endFile();
      else if (!(await this.#more())) {
        if (this.#deps.finite) this.#finish(intake);
        return false;
      }
    }
    return !this.done;
  }

  /** Rows from the buffer. */
  #give(intake: Intake, last: boolean): number {
    const batch = this.#batch;
    batch.length = 0;
    const parser = this.#parser;
    if (parser === null) return 0;
    const buffer = this.#buffer;
    buffer.from += parser.take(buffer.bytes, buffer.from, buffer.to, batch, last);
    if (batch.length > 0) intake.flows(batch);
    this.#counters.take(parser);
    if (parser.error !== null) this.error = parser.error;
    return batch.length;
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
      this.#isOver = true;
      return true;
    }
    const part = next.value;
    if (this.#read === 0) {
      this.#begin(part);
      if (rotated.read !== null) this.#parser?.goOn(rotated.read);
    }
    const skip = Math.min(part.length, Math.max(0, (rotated.read?.offset ?? 0) - this.#read));
    this.#read += part.length;
    if (this.#parser === null) this.#buffer.clear();
    this.#buffer.append(part.subarray(skip));
    return true;
  }

  /** A new file begins: nothing of the one before is left. */
  #endFile(): void {
    this.#isOver = false;
    if (this.#isPacked) {
      this.done = true;
      return;
    }
    if (this.#read > 0) this.#over(this.position);
    this.#parser = null;
    this.#buffer.clear();
    this.#read = 0;
    this.#print = { print: 0, printed: 0 };
  }

  async #moreLive(): Promise<boolean> {
    if (this.#fd < 0 && !this.#openLive()) return false;
    const size = fstatSync(this.#fd).size;
    if (size < this.#read) return await this.#truncated();
    if (size === this.#read) return this.#replaced();
    const buffer = this.#buffer;
    const room = buffer.room();
    const got = readSync(this.#fd, room, 0, room.length, this.#read);
    this.#read += got;
    buffer.to += got;
    // A file that was short when it was first read is known by more of it later.
    if (this.#print.printed < PRINT_BYTES) this.#print = printOf(this.#fd, this.#read);
    if (this.#parser === null) this.#begin(buffer.bytes.subarray(0, buffer.to));
    if (this.#parser === null && buffer.to >= SNIFF_BYTES) buffer.clear();
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
    const position = this.position;
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
    this.#isOver = true;
    return true;
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

  /** Where reading goes on; what knows the file again. */
  get position(): LogPosition {
    const left = this.#buffer.length;
    const header = this.#parser?.header ?? '';
    return { ino: this.#ino, offset: this.#read - left, line: this.#parser?.line ?? 1, header, ...this.#print };
  }

  /** Within rotated files the position is that of the file before: they are found and read again from where it ended. */
  save(out: StateWriter): void {
    out.json(this.#restored ?? this.position);
  }

  restore(state: StateReader): void {
    this.#restored = state.json<LogPosition>();
  }

  status(): Record<string, string | number | null> {
    const { rows, bad, rotations } = this.#counters;
    return {
      path: this.#options.path,
      offset: this.position.offset,
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
