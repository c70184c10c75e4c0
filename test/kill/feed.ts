import { appendFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { flowLog } from './flow-log.ts';
import { rotatedSet } from './rotated-set.ts';

const PACKETS_A_FILE = 1500;
const ROWS_A_LOG = 1500;

/** Input that is written while a run reads it, piece by piece, and rotated as its writers do. */
export interface Feed {
  /** Its entry of `sources:`. */
  readonly source: string;
  readonly bytes: number;
  /** Packets or rows. */
  readonly count: number;
  writer(folder: string, random: () => number): Writer;
  /** Everything at once, for the run that nobody interrupts. */
  whole(folder: string): void;
}

/** Writes up to `bytes` more, cut anywhere. */
export interface Writer {
  write(bytes: number): void;
}

interface Part {
  name: string;
  bytes: Buffer;
}

/** Rotated captures in a watched folder: file after file, the older ones sometimes compressed. */
export async function captureFeed(): Promise<Feed> {
  const files = await rotatedSet(PACKETS_A_FILE);
  return {
    source: '{name: spool, type: directory, path: input, pattern: "trace-*", poll: 200ms}',
    bytes: sizeOf(files),
    count: files.reduce((sum, { packets }) => sum + packets, 0),
    writer: (folder, random) => new Pieces(files, (file) => join(folder, file.name), compressing(folder, random)),
    whole: (folder) => {
      for (const { name, bytes } of files) writeFileSync(join(folder, name), bytes);
    },
  };
}

/** A log that is renamed when it is long and begun anew under its name, as logrotate does. */
export async function logFeed(): Promise<Feed> {
  const rows = await flowLog();
  const parts: Part[] = [];
  for (let from = 0; from < rows.length; from += ROWS_A_LOG) {
    const text = `${rows.slice(from, from + ROWS_A_LOG).join('\n')}\n`;
    parts.push({ name: `conn-${String(parts.length + 1).padStart(5, '0')}.log`, bytes: Buffer.from(text) });
  }
  return {
    source: '{name: zeek, type: log, path: input/conn.log, poll: 100ms, idle: 1h}',
    bytes: sizeOf(parts),
    count: rows.length,
    writer: (folder, random) => {
      const live = join(folder, 'conn.log');
      const compress = compressing(folder, random);
      return new Pieces(
        parts,
        () => live,
        (file, last) => {
          if (file === parts[parts.length - 1]) return;
          renameSync(live, join(folder, file.name));
          compress(file, last);
        },
      );
    },
    whole: (folder) => writeFileSync(join(folder, 'conn.log'), Buffer.concat(parts.map(({ bytes }) => bytes))),
  };
}

function sizeOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

class Pieces implements Writer {
  readonly #parts: readonly Part[];
  readonly #path: (part: Part) => string;
  readonly #over: (part: Part, before: Part | null) => void;
  #part = 0;
  #at = 0;

  constructor(parts: readonly Part[], path: (part: Part) => string, over: (part: Part, before: Part | null) => void) {
    this.#parts = parts;
    this.#path = path;
    this.#over = over;
  }

  write(bytes: number): void {
    for (let left = Math.ceil(bytes); left > 0 && this.#part < this.#parts.length; ) {
      const part = this.#parts[this.#part];
      const piece = part.bytes.subarray(this.#at, this.#at + left);
      appendFileSync(this.#path(part), piece);
      this.#at += piece.length;
      left -= piece.length;
      if (this.#at < part.bytes.length) continue;
      this.#over(part, this.#parts[this.#part - 1] ?? null);
      this.#part++;
      this.#at = 0;
    }
  }
}

/** Now and then the file before the last one is compressed; its times stay. */
function compressing(folder: string, random: () => number): (part: Part, before: Part | null) => void {
  return (_, before) => {
    if (before === null || random() >= 0.3) return;
    const path = join(folder, before.name);
    const { atime, mtime } = statSync(path);
    const beside = join(folder, '..', 'half.gz');
    writeFileSync(beside, gzipSync(before.bytes));
    utimesSync(beside, atime, mtime);
    renameSync(beside, `${path}.gz`);
    rmSync(path, { force: true });
  };
}
