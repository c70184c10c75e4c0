import { globSync, type Stats, statSync } from 'node:fs';
import { beginsAs, type FileMark, type Head, markOf, plainName, printOf, readHead } from './file-mark.ts';

/** Marks of files that are gone, kept to know them again when they come back under another name. */
const MOST_GONE = 4096;

/** What a look at the files found. */
export interface Look {
  /** Files to read from where their mark says: new ones, and done ones that grew. */
  fresh: FileMark[];
  /** Marks whose file is not there any more. */
  gone: FileMark[];
}

/** The files of a folder or glob, each known again by what it contains rather than by its name. */
export class FolderList {
  readonly #pattern: string;
  readonly #settleMs: number;
  #marks: FileMark[] = [];

  /**
   * @param pattern a path or glob
   * @param settleMs a compressed file is new once nothing was added to it for so long
   */
  constructor(pattern: string, settleMs: number) {
    this.#pattern = pattern;
    this.#settleMs = settleMs;
  }

  /** Files that are there or were read, for a checkpoint. */
  get marks(): readonly FileMark[] {
    return this.#marks;
  }

  set marks(marks: readonly FileMark[]) {
    this.#marks = [...marks];
  }

  /** Looks once; files that cannot be looked at are left for the next time. */
  async look(): Promise<Look> {
    const found: Look = { fresh: [], gone: [] };
    const files = new Map<string, Stats>();
    for (const path of globSync(this.#pattern).sort()) {
      const stat = statSync(path, { throwIfNoEntry: false });
      if (stat?.isFile()) files.set(path, stat);
    }
    const known = new Map(this.#marks.map((mark) => [mark.path, mark]));
    for (const [path, stat] of files) await this.#see(path, stat, known.get(path), files, found);
    found.gone = this.#marks.filter(({ path }) => !files.has(path));
    this.#forget(found.gone);
    return found;
  }

  async #see(
    path: string,
    stat: Stats,
    known: FileMark | undefined,
    files: ReadonlyMap<string, Stats>,
    found: Look,
  ): Promise<void> {
    if (known && same(known, stat)) return;
    const head = await readHead(path).catch(() => null);
    if (head === null) return;
    const mark =
      known && (beginsAs(head, known) || known.print.length === 0) ? known : this.#moved(path, stat, head, files);
    if (mark === undefined && head.compressed && Date.now() - stat.mtimeMs < this.#settleMs) return;
    if (mark === undefined) return this.#isNew(path, stat, head, found);
    const grew = mark.done && !head.compressed && mark === known && stat.size > mark.size;
    update(mark, path, stat, head);
    if (!grew) return;
    mark.done = false;
    found.fresh.push(mark);
  }

  #isNew(path: string, stat: Stats, head: Head, found: Look): void {
    this.#marks = this.#marks.filter((mark) => mark.path !== path || !mark.done);
    const mark = markOf(path, stat, head);
    this.#marks.push(mark);
    found.fresh.push(mark);
  }

  /** A file under a new name, or compressed beside itself: its content began in one that left or that has the same name otherwise. */
  #moved(path: string, stat: Stats, head: Head, files: ReadonlyMap<string, Stats>): FileMark | undefined {
    return this.#marks.find(
      (mark) =>
        (!files.has(mark.path) || plainName(mark.path) === plainName(path) || isInode(mark, stat)) &&
        mark.path !== path &&
        beginsAs(head, mark),
    );
  }

  /** Of files that are gone only the newest marks are kept. */
  #forget(gone: readonly FileMark[]): void {
    const over = new Set(gone.filter(({ done }) => done).slice(0, Math.max(0, gone.length - MOST_GONE)));
    if (over.size > 0) this.#marks = this.#marks.filter((mark) => !over.has(mark));
  }
}

function isInode(mark: FileMark, stat: Stats): boolean {
  return mark.ino === stat.ino && mark.dev === stat.dev;
}

function same(mark: FileMark, stat: Stats): boolean {
  return isInode(mark, stat) && mark.size === stat.size && mark.mtimeMs === stat.mtimeMs;
}

/** The same content under its present name and size. The plain file is the name as long as it is there. */
function update(mark: FileMark, path: string, stat: Stats, head: Head): void {
  const still = mark.path !== path && statSync(mark.path, { throwIfNoEntry: false }) !== undefined;
  if (still) return;
  mark.path = path;
  mark.dev = stat.dev;
  mark.ino = stat.ino;
  mark.size = stat.size;
  mark.mtimeMs = stat.mtimeMs;
  mark.firstUs ??= head.firstUs;
  mark.compressed = head.compressed;
  mark.print = printOf(head.bytes);
}
