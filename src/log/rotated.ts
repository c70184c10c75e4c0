import { createReadStream, readdirSync, readSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { crc32, createGunzip, createZstdDecompress } from 'node:zlib';

/** Bytes at the start of a log by which a compressed or copied one is known again. */
export const PRINT_BYTES = 1024;

/** Where a log was read up to. */
export interface LogPosition {
  ino: number;
  /** Bytes of whole records given. */
  offset: number;
  line: number;
  header: string;
  /** CRC-32 of the first `printed` bytes. */
  print: number;
  printed: number;
}

export interface Rotated {
  path: string;
  /** Content that was read before; null: none. */
  read: LogPosition | null;
}

export function fingerprint(head: Uint8Array): { print: number; printed: number } {
  const part = head.subarray(0, PRINT_BYTES);
  return { print: crc32(part), printed: part.length };
}

/** The fingerprint of the first bytes of an open file. */
export function printOf(fd: number, bytes: number): { print: number; printed: number } {
  const head = Buffer.alloc(Math.min(bytes, PRINT_BYTES));
  return fingerprint(head.subarray(0, readSync(fd, head, 0, head.length, 0)));
}

/** The content of a rotated log, decompressed by its ending. */
export function contentOf(path: string): Readable {
  const raw = createReadStream(path);
  const unpack = path.endsWith('.gz') ? createGunzip() : path.endsWith('.zst') ? createZstdDecompress() : null;
  if (unpack === null) return raw;
  raw.on('error', (error) => unpack.destroy(error));
  return raw.pipe(unpack);
}

/**
 * What came between a position and the file that has the name now: the rest of the log that was read, known by its inode,
 * or by its first bytes where it was copied or compressed, and all that were rotated after it, oldest first.
 */
export async function rotatedSince(path: string, position: LogPosition): Promise<Rotated[]> {
  const siblings = siblingsOf(path);
  // An inode that was freed (the log was compressed) may be that of another log by now.
  const own = siblings.filter(({ stat }) => stat.ino === position.ino && stat.size >= position.offset);
  const isEmpty = position.printed === 0;
  const found = isEmpty ? own[0] : ((await sameContent(own, position)) ?? (await sameContent(siblings, position)));
  if (found === undefined) return [];
  const later = siblings
    .filter(({ stat }) => stat.mtimeMs > found.stat.mtimeMs)
    .sort((a, b) => a.stat.mtimeMs - b.stat.mtimeMs);
  return [{ path: found.path, read: position }, ...later.map((item) => ({ path: item.path, read: null }))];
}

/** Files beside the log that begin with its name, or with its name without the ending (`conn.2024-01-01.log.gz`). */
function siblingsOf(path: string): { path: string; stat: Stats }[] {
  const name = basename(path);
  const stem = name.replace(/\.[^.]+$/, '');
  const found: { path: string; stat: Stats }[] = [];
  for (const other of readdirSync(dirname(path))) {
    if (other === name || !(other.startsWith(name) || other.startsWith(`${stem}.`) || other.startsWith(`${stem}-`)))
      continue;
    const stat = statSync(join(dirname(path), other), { throwIfNoEntry: false });
    if (stat?.isFile()) found.push({ path: join(dirname(path), other), stat });
  }
  return found;
}

async function sameContent<T extends { path: string }>(siblings: T[], position: LogPosition): Promise<T | undefined> {
  if (position.printed === 0) return undefined;
  for (const sibling of siblings) {
    if (fingerprint((await headOf(sibling.path)).subarray(0, position.printed)).print === position.print)
      return sibling;
  }
  return undefined;
}

/** The first bytes of a log, decompressed; nothing when it cannot be read. */
export async function headOf(path: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  const content = contentOf(path);
  try {
    for await (const part of content as AsyncIterable<Buffer>) {
      parts.push(part);
      bytes += part.length;
      if (bytes >= PRINT_BYTES) break;
    }
  } catch {
    return Buffer.alloc(0);
  } finally {
    content.destroy();
  }
  return Buffer.concat(parts);
}
