import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { AutoInput } from '../../src/source/auto-input.ts';
import { MemoryInput } from '../../src/source/byte-input.ts';
import { readBytes } from './read.ts';
import { type Packet, writePcap } from './writer.ts';

/** Packets that do not compress well, by a small generator with a fixed seed. */
function packets(count: number): Packet[] {
  let state = 42;
  const next = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 16;
  };
  return Array.from({ length: count }, (_, i) => ({
    ticks: 1_600_000_000_000_000n + BigInt(i) * 1000n,
    data: Uint8Array.from({ length: 40 + (next() % 200) }, () => next() & 255),
  }));
}

const list = packets(2000);
const whole = writePcap(list);
const ends = list.map(
  (
    (at) =>
    ({ data }) =>
      (at += 16 + data.length)
  )(24),
);
const kinds = { gzip: gzipSync(whole), zstd: zstdCompressSync(whole) };
const wholeUpTo = (bytes: number): number => ends.filter((end) => end <= bytes).length;

async function contentOf(bytes: Uint8Array): Promise<{ content: Buffer; error: unknown }> {
  const open = () => new MemoryInput(bytes);
  const input = new AutoInput(open(), open);
  const parts: Buffer[] = [];
  for (;;) {
    const buffer = new Uint8Array(100_000);
    const got = await input.read(buffer, 0);
    if (got === 0) return { content: Buffer.concat(parts), error: input.error };
    parts.push(Buffer.from(buffer.subarray(0, got)));
  }
}

describe.each(Object.entries(kinds))('%s', (kind, compressed) => {
  test('is known by its content, not by its name, and read like a plain file', async () => {
    const { packets: got, reader } = await readBytes(compressed);
    expect(reader.error).toBeNull();
    expect(got).toEqual((await readBytes(whole)).packets);
    expect(reader.bytesRead).toBe(compressed.length);
  });

  test('several members or frames are one content', async () => {
    const half = ends[999];
    const pack = (bytes: Uint8Array) => (kind === 'gzip' ? gzipSync(bytes) : zstdCompressSync(bytes));
    const parts = Buffer.concat([pack(whole.subarray(0, half)), pack(whole.subarray(half))]);
    expect((await readBytes(parts)).packets).toHaveLength(list.length);
  });

  test('cut anywhere, it gives every whole packet that its bytes hold', async () => {
    for (const share of [0.01, 0.3, 0.7, 0.99]) {
      const cut = compressed.subarray(0, Math.floor(compressed.length * share));
      const { content } = await contentOf(cut);
      expect(whole.subarray(0, content.length).equals(content)).toBe(true);
      const { packets: got, reader } = await readBytes(cut);
      expect(got).toHaveLength(wholeUpTo(content.length));
      expect(reader.error).toMatchObject({ code: 'capture.compression' });
    }
  });

  test('padding behind it does no harm', async () => {
    for (const padding of [Buffer.alloc(600), Buffer.from('some words')]) {
      const { packets: got, reader } = await readBytes(Buffer.concat([compressed, padding]));
      expect(got).toHaveLength(list.length);
      expect(reader.error).toBeNull();
    }
  });

  test('something else inside is no capture', async () => {
    const text = Buffer.from('only a text '.repeat(100));
    const { reader } = await readBytes(kind === 'gzip' ? gzipSync(text) : zstdCompressSync(text));
    expect(reader.error!.code).toBe('capture.unknown');
  });

  test('bytes changed within: what comes out before the damage is right, and never a throw', async () => {
    for (let at = 100; at < compressed.length; at += Math.floor(compressed.length / 7)) {
      const bytes = Buffer.from(compressed);
      bytes.fill(0xff, at, at + 12);
      const { packets: got } = await readBytes(bytes);
      expect(got.length).toBeLessThanOrEqual(list.length);
    }
  });
});

test('a gzip file with a wrong checksum loses no packet and has an error', async () => {
  const bytes = Buffer.from(kinds.gzip);
  bytes[bytes.length - 6] ^= 255;
  const { packets: got, reader } = await readBytes(bytes);
  expect(got).toHaveLength(list.length);
  expect(reader.error).toMatchObject({ code: 'capture.compression', offset: whole.length });
});

test('gzip data that turn bad in the middle give all that came before', async () => {
  // Stored blocks hold their length twice: a wrong one is damage at a place that the test knows.
  const first = gzipSync(whole.subarray(0, ends[1499]), { level: 0, finishFlush: constants.Z_SYNC_FLUSH });
  const bytes = Buffer.concat([first.subarray(0, first.length), Buffer.from([0, 1, 2, 3, 4, 5])]);
  const { packets: got, reader } = await readBytes(bytes);
  expect(got).toHaveLength(1500);
  expect(reader.error).toMatchObject({ code: 'capture.compression' });
});

test('a skippable frame may come first', async () => {
  const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]);
  expect((await readBytes(Buffer.concat([skippable, kinds.zstd]))).packets).toHaveLength(list.length);
});
