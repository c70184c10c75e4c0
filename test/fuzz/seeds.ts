import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { PacketBatch } from '../../src/model/packet-batch.ts';
import { MemoryInput } from '../../src/source/byte-input.ts';
import { CaptureReader, looksLikeCapture } from '../../src/source/capture-reader.ts';
import { fileOrigin, openContent } from '../../src/source/origin.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Where captures are: our own, and the real ones where that folder is there. */
export const SEED_FOLDERS = [join(ROOT, 'fixtures'), join(ROOT, '../shared/data')];

/** Bounds of a case: what a capture is cut to before it is changed. */
const MAX_PACKETS = 64;
const MAX_BYTES = 64 << 10;
const TRAILER = 8;
const RECORD_BYTES = { pcap: 16, pcapng: 28 };

/** The beginning of a real capture, decompressed. */
export interface Seed {
  name: string;
  bytes: Uint8Array;
  /** Where each record begins, and where the last one ends; empty when nothing could be read. */
  records: number[];
}

/** All captures below the folders, in the order of their names. Files that are no captures are left out. */
export async function readSeeds(folders: readonly string[]): Promise<Seed[]> {
  const seeds: Seed[] = [];
  for (const path of folders.flatMap(filesBelow)) {
    const seed = await readSeed(path);
    if (seed !== null) seeds.push(seed);
  }
  return seeds;
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes('/sealed/'))
    .sort();
}

async function readSeed(path: string): Promise<Seed | null> {
  const content = openContent(fileOrigin(path));
  const buffer = new Uint8Array(2 * MAX_BYTES);
  let length = 0;
  for (let got = 1; got > 0 && length < MAX_BYTES; length += got) got = await content.read(buffer, length);
  content.close();
  const bytes = buffer.subarray(0, length);
  return looksLikeCapture(bytes) ? cut(basename(path), bytes) : null;
}

async function cut(name: string, bytes: Uint8Array): Promise<Seed> {
  const reader = new CaptureReader(name, new MemoryInput(bytes), { blockBytes: bytes.length });
  const batch = new PacketBatch(MAX_PACKETS);
  await reader.read(batch);
  const before = RECORD_BYTES[reader.info.format ?? 'pcap'];
  const records = Array.from({ length: batch.length }, (_, i) => batch.offset[i] - before);
  const last = batch.length - 1;
  const end = last < 0 ? MAX_BYTES : batch.offset[last] + batch.capturedLength[last] + TRAILER;
  if (last >= 0) records.push(Math.min(end, bytes.length));
  return { name, bytes: bytes.slice(0, Math.min(end, MAX_BYTES)), records: records.filter((at) => at <= MAX_BYTES) };
}
