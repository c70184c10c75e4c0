import type { InputError } from '../core/errors.ts';
import type { Intake } from '../model/intake.ts';
import { PacketBatch } from '../model/packet-batch.ts';
import { BLOCK_BYTES } from './block.ts';
import { compareMarks, type FileMark } from './file-mark.ts';
import { FollowInput, type Waiting } from './follow-input.ts';
import { MergedStream } from './merged-stream.ts';
import { openable, rank } from './ordered.ts';
import { OrderedSource, type SourceOptions } from './ordered-source.ts';
import type { Origin } from './origin.ts';
import type { PacketRun } from './packet-stream.ts';

const CAPACITY = 4096;
/** A file that nothing was added to for so long is read to its end and left; it is taken up again when it grows. */
export const FOLLOW_MS = 60_000;

/** A file or stream that is being read. */
interface Opened {
  source: OrderedSource;
  mark: FileMark;
  /** Packets still to be left out: they were given before a restart. */
  skip: number;
  /** Set while its writer goes on. */
  follow: Waiting | null;
}

export interface FileSetOptions {
  boundUs: number;
  notice: (message: string) => void;
  damaged: (path: string, error: InputError) => void;
  /** What was waited for is there. */
  wake: () => void;
}

/**
 * Captures of one writer (or all of a finite run) as one stream in the order of event time, to which files are added
 * while it is read. The last one may be followed: it then waits for its writer, and `peek` says that nothing is there.
 */
export class FileSet {
  readonly #options: FileSetOptions;
  #queue: FileMark[] = [];
  #sources: OrderedSource[] = [];
  #opened: Opened[] = [];
  #merged: MergedStream | null = null;
  #run: PacketRun | null = null;
  #pending: Promise<void> | null = null;

  constructor(options: FileSetOptions) {
    this.#options = options;
  }

  /** Nothing is open and nothing waits to be opened. */
  get empty(): boolean {
    return this.#queue.length === 0 && this.#opened.length === 0;
  }

  add(mark: FileMark): void {
    this.#queue.push(mark);
    this.#queue.sort(compareMarks);
  }

  /** Every file that is there, in the order that does not depend on their names: for a finite run. */
  async addAll(marks: readonly FileMark[]): Promise<void> {
    for (const mark of marks) await this.#prepare(mark, null);
    this.#sources.splice(0, this.#sources.length, ...rank(this.#sources));
    this.#merged = new MergedStream(this.#sources, CAPACITY);
  }

  /** A stream that comes as it is written, or the content of one that ended. */
  async addStream(mark: FileMark, origin: Origin, input: Waiting | null): Promise<void> {
    await this.#prepare(mark, input, origin);
    this.#merged ??= new MergedStream(this.#sources, CAPACITY);
  }

  /** The newest file, if it is being followed. */
  get followed(): FileMark | null {
    return this.#opened.find(({ follow }) => follow)?.mark ?? null;
  }

  /** The followed file may have grown. */
  check(): void {
    for (const { follow } of this.#opened) follow?.check?.();
  }

  /** The followed file will not grow any more: a newer one is there, or it left. */
  finish(): void {
    for (const opened of this.#opened) {
      opened.follow?.finish?.();
      opened.follow = null;
    }
  }

  /** Event time of the next packet, Infinity when none is there. */
  async peek(): Promise<number> {
    for (;;) {
      const run = this.#run;
      if (run !== null) {
        this.#leaveOut(run);
        if (run.from < run.to) return run.batch.timeUs[run.from];
        this.#run = null;
      }
      if (!(await this.#advance())) return Number.POSITIVE_INFINITY;
    }
  }

  /** Gives up to `budget` packets of the present run, none after `untilUs`. @returns how many */
  take(intake: Intake, budget: number, untilUs: number): number {
    const run = this.#run;
    if (run === null) return 0;
    const { batch, from } = run;
    let to = Math.min(run.to, from + budget);
    if (batch.timeUs[to - 1] > untilUs) {
      to = from;
      while (to < run.to && batch.timeUs[to] <= untilUs) to++;
    }
    if (to === from) return 0;
    intake.packets(batch, from, to);
    run.from = to;
    this.#fileOf(run).mark.records += to - from;
    return to - from;
  }

  close(): void {
    for (const { source, follow } of this.#opened) {
      follow?.close();
      source.close();
    }
  }

  /** Packets that were given before a restart are read again and left out. */
  #leaveOut(run: PacketRun): void {
    const file = this.#fileOf(run);
    const left = Math.min(file.skip, run.to - run.from);
    file.skip -= left;
    run.from += left;
  }

  #fileOf(run: PacketRun): Opened {
    const source = this.#sources[run.source];
    return this.#opened.find((opened) => opened.source === source)!;
  }

  /** Brings the next run; false when there is none now. */
  async #advance(): Promise<boolean> {
    await this.#openNext();
    if (this.#merged === null) return false;
    if (this.#pending === null) {
      const next = this.#merged.next();
      if (!(next instanceof Promise)) return this.#took(next);
      this.#pending = next.then((run) => {
        this.#pending = null;
        this.#took(run);
        this.#options.wake();
      });
    }
    const follow = this.#opened.find((opened) => opened.follow)?.follow;
    if (follow?.waiting) return false;
    await (follow ? Promise.race([this.#pending, follow.waits()]) : this.#pending);
    return true;
  }

  #took(run: PacketRun | null): boolean {
    this.#run = run;
    this.#sweep();
    if (run !== null) return true;
    this.#sources = [];
    this.#merged = null;
    return this.#queue.length > 0;
  }

  /** Files that were read to their end. */
  #sweep(): void {
    for (const opened of this.#opened) {
      if (!opened.source.ended) continue;
      opened.mark.done = true;
      const { error } = opened.source;
      if (error) this.#options.damaged(opened.mark.path, error);
    }
    this.#opened = this.#opened.filter(({ mark }) => !mark.done);
  }

  /** One file ahead of what is read, so that the stream knows when its time comes. */
  async #openNext(): Promise<void> {
    if (this.#pending !== null || (this.#merged?.unopened ?? 0) > 0) return;
    const mark = this.#queue[0];
    if (mark === undefined) return;
    const recent = Date.now() - mark.mtimeMs < FOLLOW_MS;
    const newest = this.#queue.length === 1 && !mark.compressed && recent;
    if (newest && mark.firstUs === null && this.#opened.length > 0) return;
    this.#queue.shift();
    await this.#prepare(mark, newest ? followOf(mark) : null);
    this.#merged ??= new MergedStream(this.#sources, CAPACITY);
  }

  async #prepare(mark: FileMark, follow: Waiting | null, given?: Origin): Promise<void> {
    const { boundUs, notice } = this.#options;
    const unsorted = mark.records > 0 && !mark.sorted;
    const options: SourceOptions = {
      boundUs: unsorted ? Number.POSITIVE_INFINITY : boundUs,
      reader: 'weir',
      notice,
      maxIndexPackets: 50_000_000,
      maxSpoolBytes: 8 * 2 ** 30,
      blockBytes: BLOCK_BYTES,
    };
    const origin = given ?? (follow ? { name: mark.path, again: false, open: () => follow } : openable(mark.path));
    const source = new OrderedSource(origin, options);
    await source.prepare(new PacketBatch(CAPACITY));
    mark.sorted = source.sorted;
    this.#sources.push(source);
    this.#opened.push({ source, mark, skip: mark.records, follow });
  }
}

function followOf(mark: FileMark): FollowInput | null {
  try {
    return new FollowInput(mark.path);
  } catch {
    return null;
  }
}
