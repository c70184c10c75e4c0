import { globSync, type Stats, statSync } from 'node:fs';
import { beginsAs, type FileMark, type Head, markOf, plainName, printOf, readHead } from './file-mark.ts';
import { MarkIndex } from './mark-index.ts';

/** Marks of files that are gone, kept to know them again when they come back under another name. */
const MOST_GONE = 4096;

/** What a look at the files found. */
export interface Look {
  /** Files to read from where their mark says: new ones, and done ones that grew. */
  fresh: FileMark[];
  /** Marks whose file is not there any more. */
  gone: FileMark[];
}

interface Seen {
  path: string;
  stat: Stats;
  head: Head;
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

  /**
   * Looks once; files that cannot be looked at are left for the next time. Names are believed only where the content
   * agrees, so that a chain of renamed files (`t`, `t.1`, `t.2`) is followed.
   */
  async look(): Promise<Look> {
    const found: Look = { fresh: [], gone: [] };
    const files = this.#files();
    const known = new Map(this.#marks.map((mark) => [mark.path, mark]));
    const claimed = new Set<FileMark>();
    const others: Seen[] = [];
    for (const [path, stat] of files) {
      const mark = known.get(path);
      if (mark && same(mark, stat)) claimed.add(mark);
      else {
        const head = await readHead(path).catch(() => null);
        if (head === null) continue;
        const seen = { path, stat, head };
        if (mark && (beginsAs(head, mark) || mark.print.length === 0)) claimed.add(this.#grew(mark, seen, found));
        else others.push(seen);
      }
    }
    if (others.length > 0) {
      const index = new MarkIndex(this.#marks);
      for (const seen of others) this.#place(seen, index, claimed, found);
    }
    this.#marks = this.#marks.filter((mark) => claimed.has(mark) || !files.has(mark.path));
    found.gone = this.#marks.filter(({ path }) => !files.has(path));
    this.#forget(found.gone);
    return found;
  }

  #files(): Map<string, Stats> {
    const files = new Map<string, Stats>();
    for (const path of globSync(this.#pattern).sort()) {
      const stat = statSync(path, { throwIfNoEntry: false });
      if (stat?.isFile()) files.set(path, stat);
    }
    return files;
  }

  /** A known file, under its own name or another, written on. */
  #grew(mark: FileMark, seen: Seen, found: Look): FileMark {
    const grew = mark.done && !seen.head.compressed && seen.stat.size > mark.size;
    update(mark, seen);
    if (!grew) return mark;
    mark.done = false;
    found.fresh.push(mark);
    return mark;
  }

  /** A name whose content nobody knows under it: a file that was renamed or compressed, or a new one. */
  #place(seen: Seen, index: MarkIndex, claimed: Set<FileMark>, found: Look): void {
    const { path, stat, head } = seen;
    const alike = index.beginningAs(head);
    const moved = alike.find((mark) => !claimed.has(mark) && tells(mark, seen));
    if (moved) {
      claimed.add(this.#grew(moved, seen, found));
      index.add(moved);
      return;
    }
    const beside = alike.some((mark) => plainName(mark.path) === plainName(path));
    if (beside || (head.compressed && Date.now() - stat.mtimeMs < this.#settleMs)) return;
    const mark = markOf(path, stat, head);
    this.#marks.push(mark);
    index.add(mark);
    claimed.add(mark);
    found.fresh.push(mark);
  }

  /** Of files that are gone only the newest marks are kept. */
  #forget(gone: readonly FileMark[]): void {
    const over = new Set(gone.filter(({ done }) => done).slice(0, Math.max(0, gone.length - MOST_GONE)));
    if (over.size > 0) this.#marks = this.#marks.filter((mark) => !over.has(mark));
  }
}

function same(mark: FileMark, stat: Stats): boolean {
  const { dev, ino, size, mtimeMs } = stat;
  return mark.dev === dev && mark.ino === ino && mark.size === size && mark.mtimeMs === mtimeMs;
}

/** Before its first packet a capture begins as every other of its writer: only the inode tells them apart. */
function tells(mark: FileMark, { stat, head }: Seen): boolean {
  return mark.firstUs !== null || (!head.compressed && mark.dev === stat.dev && mark.ino === stat.ino);
}

/** The same content under its present name and size. */
function update(mark: FileMark, { path, stat, head }: Seen): void {
  mark.path = path;
  mark.dev = stat.dev;
  mark.ino = stat.ino;
  mark.size = stat.size;
  mark.mtimeMs = stat.mtimeMs;
  mark.firstUs ??= head.firstUs;
  mark.compressed = head.compressed;
  mark.print = printOf(head.bytes);
}
