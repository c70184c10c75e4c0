import { globSync, type Stats, statSync } from 'node:fs';
import type { InputError } from '../core/errors.ts';
import { type StateReader as Reader, StateReader, StateWriter } from '../core/state.ts';
import { parseDurationUs } from '../core/units.ts';
import type { Intake, Source } from '../model/intake.ts';
import { type LogDeps, LogSource } from './log-source.ts';
import { type LogOptions, pollMsOf } from './options.ts';
import { fingerprint, headOf, type LogPosition, PRINT_BYTES } from './rotated.ts';

/** Files that are followed at once; what is older waits. */
const MOST_FILES = 1024;
/** Finished files that are known again. */
const MOST_MARKS = 4096;

interface Tail {
  source: LogSource;
  /** What the files of this content are called. */
  paths: Set<string>;
}

interface Saved {
  tails: [string, LogPosition][];
  marks: [string, LogPosition][];
}

/** The source of an entry `type: log`: one file, or all that a pattern names. */
export function createLogSource(options: LogOptions, deps: LogDeps): Source {
  return /[*?[{]/.test(options.path) ? new LogSetSource(options, deps) : new LogSource(options, deps);
}

/**
 * All flow logs that a pattern names, also those that come later, each followed by itself, oldest first. A file that was
 * renamed or compressed is known again by its inode or its first bytes, and goes on where it was.
 */
class LogSetSource implements Source {
  readonly name: string;
  readonly boundUs: number;
  error: InputError | null = null;
  readonly #options: LogOptions;
  readonly #deps: LogDeps;
  readonly #tails = new Map<string, Tail>();
  /** Read as far as they go under one name: compressed, rotated or gone. */
  #marks = new Map<string, LogPosition>();
  #restored = new Map<string, LogPosition>();
  /** Where reading began after a restart. */
  readonly #resumed: LogPosition[] = [];
  #timer: NodeJS.Timeout | null = null;
  #lookedMs = Number.NEGATIVE_INFINITY;
  readonly #pollMs: number;

  constructor(options: LogOptions, deps: LogDeps) {
    this.name = options.name;
    this.boundUs = parseDurationUs(options.delay);
    this.#options = options;
    this.#deps = deps;
    this.#pollMs = pollMsOf(options);
  }

  start(wake: () => void): void {
    wake();
    if (!this.#deps.finite) this.#timer = setInterval(wake, this.#pollMs);
  }

  get done(): boolean {
    return this.#deps.finite && Number.isFinite(this.#lookedMs) && this.#each().every(({ source }) => source.done);
  }

  #each(): Tail[] {
    return [...this.#tails.values()];
  }

  async poll(intake: Intake, budget: number): Promise<boolean> {
    if (performance.now() - this.#lookedMs >= this.#pollMs) await this.#look();
    for (const { source } of this.#each()) {
      const more = await source.poll(intake, budget);
      if (source.error !== null) this.error = source.error;
      if (more) return true;
    }
    return false;
  }

  /** Takes up new files; lets go of those that are over. */
  async #look(): Promise<void> {
    this.#lookedMs = performance.now();
    for (const [path, tail] of this.#tails) if (tail.source.done || tail.source.isGone) this.#finish(path, tail);
    for (const [path, position] of this.#restored) await this.#begin(path, position);
    this.#restored.clear();
    for (const path of this.#found()) {
      if (this.#tails.size >= MOST_FILES) break;
      if (!(await this.#isKnown(path))) await this.#begin(path, null);
    }
  }

  #finish(path: string, { source }: Tail): void {
    if (this.#deps.finite) return;
    this.#mark(source.position);
    source.stop();
    this.#tails.delete(path);
  }

  #mark(position: LogPosition): void {
    if (position.printed === 0) return;
    this.#marks.set(`${position.ino}:${position.print}`, position);
    if (this.#marks.size > MOST_MARKS) this.#marks.delete(this.#marks.keys().next().value!);
  }

  /** New names, oldest file first. */
  #found(): string[] {
    const found: { path: string; stat: Stats }[] = [];
    for (const path of globSync(this.#options.path)) {
      if (this.#tails.has(path)) continue;
      const stat = statSync(path, { throwIfNoEntry: false });
      if (stat?.isFile() && stat.size > 0) found.push({ path, stat });
    }
    found.sort((a, b) => a.stat.mtimeMs - b.stat.mtimeMs || (a.path < b.path ? -1 : 1));
    return found.map(({ path }) => path);
  }

  /** Whether it is a file that is read under another name, or was: the same inode, or the same first bytes. */
  async #isKnown(path: string): Promise<boolean> {
    if (this.#each().some(({ paths }) => paths.has(path))) return true;
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return true;
    const head = await headOf(path);
    const begins = ({ print, printed }: LogPosition): boolean =>
      printed > 0 && fingerprint(head.subarray(0, printed)).print === print;
    const isWhole = ({ printed }: LogPosition): boolean => printed === PRINT_BYTES || printed === head.length;
    const isSame = (at: LogPosition): boolean => (at.ino === stat.ino || isWhole(at)) && begins(at);
    for (const { source, paths } of this.#tails.values()) {
      if (!isSame(source.position)) continue;
      if (source.position.printed === PRINT_BYTES) paths.add(path);
      return true;
    }
    // The inode of a file that is over may be another's by now.
    return this.#resumed.some(isSame) || [...this.#marks.values()].some((mark) => isWhole(mark) && begins(mark));
  }

  async #begin(path: string, position: LogPosition | null): Promise<void> {
    const source = new LogSource({ ...this.#options, path }, this.#deps, (over) => this.#mark(over));
    if (position !== null) {
      // Rotated meanwhile, the source itself finds the file again.
      this.#resumed.push(position);
      source.restore(stateOf(position));
    }
    this.#tails.set(path, { source, paths: new Set([path]) });
    await source.start();
  }

  save(out: StateWriter): void {
    const tails = [...this.#tails].map(([path, { source }]): [string, LogPosition] => [path, source.position]);
    const saved: Saved = { tails: [...tails, ...this.#restored], marks: [...this.#marks] };
    out.json(saved);
  }

  restore(state: Reader): void {
    const { tails, marks } = state.json<Saved>();
    this.#restored = new Map(tails);
    this.#marks = new Map(marks);
  }

  status(): Record<string, string | number | null> {
    const sum = (key: string): number =>
      this.#each().reduce((total, { source }) => total + Number(source.status()[key]), 0);
    const [first] = this.#each();
    const rows = first === undefined ? 0 : Number(first.source.status()['rows']);
    return { path: this.#options.path, files: this.#tails.size, offset: sum('offset'), rows };
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    for (const { source } of this.#each()) source.stop();
  }
}

function stateOf(position: LogPosition): Reader {
  const out = new StateWriter();
  out.json(position);
  return new StateReader(out.concat());
}
