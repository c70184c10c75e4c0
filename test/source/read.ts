import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { PacketBatch } from '../../src/model/packet-batch.ts';
import type { PacketReader } from '../../src/model/packet-reader.ts';
import { openCapture, type PacketStream, type ReaderName } from '../../src/source/source.ts';

/** A packet as a reader gave it, apart from its batch. */
export interface Got {
  timeUs: number;
  nanos: number;
  data: string;
  wire: number;
  linkType: number;
  interface: number;
}

const folder = mkdtempSync(join(tmpdir(), 'weir-source-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

/** Puts bytes into a file that is gone after the tests. */
export function fileOf(bytes: Uint8Array, name = `${files++}.bin`): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

export function packetAt(batch: PacketBatch, i: number): Got {
  const end = batch.offset[i] + batch.capturedLength[i];
  if (batch.offset[i] < 0 || end > batch.data.length || batch.capturedLength[i] < 0) {
    throw new Error(`packet ${i} reaches beyond its data`);
  }
  return {
    timeUs: batch.timeUs[i],
    nanos: batch.nanos[i],
    data: Buffer.from(batch.data.subarray(batch.offset[i], end)).toString('latin1'),
    wire: batch.wireLength[i],
    linkType: batch.linkType[i],
    interface: batch.ingressInterface[i],
  };
}

export async function readAll(reader: PacketReader, capacity = 7): Promise<Got[]> {
  const batch = new PacketBatch(capacity);
  const got: Got[] = [];
  while (await reader.read(batch)) {
    if (batch.length === 0) throw new Error('a batch without packets');
    for (let i = 0; i < batch.length; i++) got.push(packetAt(batch, i));
  }
  reader.close();
  return got;
}

export async function readBytes(
  bytes: Uint8Array,
  reader?: ReaderName,
): Promise<{ packets: Got[]; reader: PacketReader }> {
  const capture = openCapture(fileOf(bytes), { reader });
  return { packets: await readAll(capture), reader: capture };
}

/** All packets of a stream, with the name of the input each came from. */
export async function drain(stream: PacketStream): Promise<(Got & { from: string })[]> {
  const got: (Got & { from: string })[] = [];
  for (let run = await stream.next(); run !== null; run = await stream.next()) {
    if (run.to <= run.from) throw new Error('an empty run');
    const { name } = stream.readers[run.source];
    for (let i = run.from; i < run.to; i++) got.push({ ...packetAt(run.batch, i), from: name });
  }
  stream.close();
  return got;
}

export const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'latin1');
