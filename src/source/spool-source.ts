import type { InputError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Counter, Metrics } from '../core/metrics.ts';
import type { StateReader, StateWriter } from '../core/state.ts';
import type { Intake, Source } from '../model/intake.ts';
import { compareMarks, type FileMark, setName } from './file-mark.ts';
import { FileSet, FOLLOW_MS } from './file-set.ts';
import { FolderList } from './folder-list.ts';
import { FolderWatch } from './folder-watch.ts';

/** Looks at a folder take at most one in so many of the time. */
const LOOK_SHARE = 20;

export interface SpoolOptions {
  name: string;
  /** Files: a path or glob. */
  pattern: string;
  /** Folder to watch; null: what is there at the start is all there is. */
  watch: string | null;
  /** Time between two looks at the folder. */
  pollMs: number;
  boundUs: number;
}

export interface SpoolDeps {
  metrics: Metrics;
  logger: Logger;
}

/**
 * Captures in a folder. Watched, it follows the newest of each set of rotated files, leaves it when a newer one is
 * there, and knows a file again when it was renamed or compressed. Its position is the number of packets given of each
 * file.
 */
export class SpoolSource implements Source {
  readonly name: string;
  error: InputError | null = null;
  done = false;
  readonly #options: SpoolOptions;
  readonly #logger: Logger;
  readonly #list: FolderList;
  readonly #sets = new Map<string, FileSet>();
  readonly #packets: Counter;
  readonly #files: Counter;
  readonly #damaged: Counter;
  #watch: FolderWatch | null = null;
  #changed = true;
  #lookAtMs = 0;
  #wake: () => void = () => {};

  constructor(options: SpoolOptions, { metrics, logger }: SpoolDeps) {
    this.name = options.name;
    this.#options = options;
    this.#logger = logger;
    this.#list = new FolderList(options.pattern, options.watch === null ? 0 : options.pollMs);
    const label = `{source="${options.name}"}`;
    this.#packets = metrics.counter(`weir_source_packets_total${label}`, 'Packets a source gave.');
    this.#files = metrics.counter(`weir_source_files_total${label}`, 'Files a source began to read.');
    this.#damaged = metrics.counter(`weir_source_damaged_files_total${label}`, 'Files that ended in damage.');
  }

  async start(wake: () => void): Promise<void> {
    const { watch, pollMs } = this.#options;
    this.#wake = wake;
    if (watch === null) {
      await this.#takeAll();
      return;
    }
    this.#watch = new FolderWatch(watch, pollMs, () => {
      this.#changed = true;
      wake();
    });
    this.#watch.start();
    const unread = this.#list.marks.filter(({ done }) => !done);
    await this.#look();
    for (const mark of unread) if (!mark.done) this.#add(mark);
  }

  async peek(): Promise<number> {
    const [, headUs] = await this.#first();
    return headUs;
  }

  async poll(intake: Intake, budget: number, untilUs = Number.POSITIVE_INFINITY): Promise<boolean> {
    if (this.#changed && this.#watch) await this.#lookOrCheck();
    for (let left = budget; left > 0; ) {
      const [set, headUs, rivalUs] = await this.#first();
      if (set === null || headUs > untilUs) break;
      const given = set.take(intake, left, Math.min(untilUs, rivalUs));
      this.#packets.value += given;
      left -= given;
    }
    const [set] = await this.#first();
    if (this.#watch === null) this.done = set === null;
    return set !== null;
  }

  /** The set whose packet comes first, its time, and that of the next set. */
  async #first(): Promise<[FileSet | null, number, number]> {
    let first: FileSet | null = null;
    let firstUs = Number.POSITIVE_INFINITY;
    let rivalUs = Number.POSITIVE_INFINITY;
    for (const [name, set] of this.#sets) {
      const headUs = await set.peek();
      if (set.empty) this.#sets.delete(name);
      if (headUs < firstUs) {
        rivalUs = firstUs;
        first = set;
        firstUs = headUs;
      } else if (headUs < rivalUs) rivalUs = headUs;
    }
    return [first, firstUs, rivalUs];
  }

  /** A finite run: everything that is there and was not given before. */
  async #takeAll(): Promise<void> {
    await this.#list.look();
    const unread = this.#list.marks.filter(({ done }) => !done);
    this.#files.value += unread.length;
    const set = this.#newSet();
    this.#sets.set('', set);
    await set.addAll(unread);
    this.done = unread.length === 0;
  }

  /** A file that is written to changes all the time: the whole folder is not looked at each time. */
  async #lookOrCheck(): Promise<void> {
    if (performance.now() >= this.#lookAtMs) return this.#look();
    for (const set of this.#sets.values()) set.check();
  }

  async #look(): Promise<void> {
    this.#changed = false;
    const startMs = performance.now();
    const { fresh, gone } = await this.#list.look();
    const endMs = performance.now();
    this.#lookAtMs = endMs + LOOK_SHARE * (endMs - startMs);
    for (const mark of fresh.sort(compareMarks)) {
      if (this.error?.message.startsWith(`${mark.path}:`)) this.error = null;
      this.#add(mark);
    }
    for (const set of this.#sets.values()) {
      const { followed } = set;
      if (followed && (gone.includes(followed) || Date.now() - followed.mtimeMs > FOLLOW_MS)) set.finish();
      set.check();
    }
  }

  #add(mark: FileMark): void {
    const name = setName(mark.path);
    const known = this.#sets.get(name);
    const set = known ?? this.#newSet();
    if (!known) this.#sets.set(name, set);
    set.finish();
    set.add(mark);
    this.#files.value++;
  }

  #newSet(): FileSet {
    return new FileSet({
      boundUs: this.#options.boundUs,
      notice: (message) => this.#logger.warn({ code: 'source.notice', source: this.name }, message),
      damaged: (path, error) => this.#noteDamage(path, error),
      wake: () => this.#wake(),
    });
  }

  #noteDamage(path: string, error: InputError): void {
    this.error = { ...error, message: `${path}: ${error.message}` };
    this.#damaged.value++;
    this.#logger.warn({ code: error.code, source: this.name, file: path, offset: error.offset }, error.message);
  }

  status(): Record<string, string | number | null> {
    const marks = this.#list.marks;
    const reading = marks.findLast(({ done, records }) => !done && records > 0);
    return {
      files: marks.length,
      filesDone: marks.filter(({ done }) => done).length,
      reading: reading?.path ?? null,
      records: reading?.records ?? null,
    };
  }

  save(out: StateWriter): void {
    out.json(this.#list.marks);
  }

  /** Only files that are being read and the last one that was: marks of thousands of files would be written each time. */
  place(out: StateWriter): void {
    const { marks } = this.#list;
    const last = marks.findLast(({ done }) => done);
    out.json(marks.filter((mark) => mark === last || (!mark.done && mark.records > 0)));
  }

  restore(state: StateReader): void {
    this.#list.marks = state.json<FileMark[]>();
  }

  stop(): void {
    this.#watch?.stop();
    for (const set of this.#sets.values()) set.close();
  }
}
