import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { PacketBatch } from '../model/packet-batch.ts';
import { MemoryInput } from './byte-input.ts';
import { CaptureReader } from './capture-reader.ts';
import { compressionOf } from './compressed-input.ts';
import { fileOrigin, openContent } from './origin.ts';

/** Bytes of content by which a file is known again; a shorter file by as many as it has. */
const PRINT_BYTES = 4096;
const HEAD_BYTES = 64 << 10;

/**
 * What is remembered of a file: enough to know it again when it was renamed, moved or compressed, and how much of it
 * was given. Plain data: a checkpoint holds it as it is.
 */
export interface FileMark {
  path: string;
  dev: number;
  ino: number;
  size: number;
  mtimeMs: number;
  /** Content, decompressed: the first `length` bytes have this digest. */
  print: { length: number; sum: string };
  /** Time of its first packet; null when none is there yet. */
  firstUs: number | null;
  compressed: boolean;
  /** Packets given, in the order of the file or, with `sorted`, of time. */
  records: number;
  sorted: boolean;
  done: boolean;
}

export interface Head {
  /** As many as a print has. */
  bytes: Uint8Array;
  firstUs: number | null;
  compressed: boolean;
}

/** The beginning of a file's content. Throws what opening throws. */
export async function readHead(path: string): Promise<Head> {
  const content = openContent(fileOrigin(path));
  const buffer = new Uint8Array(HEAD_BYTES);
  let length = 0;
  try {
    for (let got = -1; got !== 0 && length < HEAD_BYTES; length += got) got = await content.read(buffer, length);
    const bytes = buffer.subarray(0, length);
    // Many files may be looked at before one of them is forgotten.
    return { bytes: bytes.slice(0, PRINT_BYTES), firstUs: firstTime(bytes), compressed: content.compressed };
  } finally {
    content.close();
  }
}

function firstTime(bytes: Uint8Array): number | null {
  if (compressionOf(bytes) !== null) return null;
  const reader = new CaptureReader('', new MemoryInput(bytes), { blockBytes: HEAD_BYTES });
  const batch = new PacketBatch(1);
  while (reader.read(batch) === true) if (!Number.isNaN(batch.timeUs[0])) return batch.timeUs[0];
  return null;
}

export function printOf(bytes: Uint8Array, most = PRINT_BYTES): FileMark['print'] {
  const length = Math.min(bytes.length, most);
  const sum = createHash('sha256').update(bytes.subarray(0, length)).digest('hex').slice(0, 32);
  return { length, sum };
}

/** The file begins as the remembered one did. An empty one says nothing. */
export function beginsAs(head: Head, { print }: FileMark): boolean {
  return print.length > 0 && head.bytes.length >= print.length && printOf(head.bytes, print.length).sum === print.sum;
}

export function markOf(path: string, stat: Stats, head: Head): FileMark {
  return {
    path,
    dev: stat.dev,
    ino: stat.ino,
    size: stat.size,
    mtimeMs: stat.mtimeMs,
    print: printOf(head.bytes),
    firstUs: head.firstUs,
    compressed: head.compressed,
    records: 0,
    sorted: false,
    done: false,
  };
}

/** The name a file has whether it is compressed or not. */
export function plainName(path: string): string {
  return path.replace(/\.(gz|zst)$/i, '');
}

/** Files of one rotating writer: their names differ in digits only. */
export function setName(path: string): string {
  return plainName(path).replace(/\d+/g, '#');
}

const names = new Intl.Collator('en', { numeric: true });

/** In the order in which they were written: by first packet, then by name; those without packets are the newest. */
export function compareMarks(a: FileMark, b: FileMark): number {
  const timeA = a.firstUs ?? Number.POSITIVE_INFINITY;
  const timeB = b.firstUs ?? Number.POSITIVE_INFINITY;
  if (timeA !== timeB) return timeA < timeB ? -1 : 1;
  return names.compare(plainName(a.path), plainName(b.path));
}
