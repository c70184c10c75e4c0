import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readBytes } from './read.ts';
import { Section, writePcap } from './writer.ts';

const packet = fc.record({
  ticks: fc.bigInt({ min: 0n, max: 4_000_000_000_000_000n }),
  data: fc.uint8Array({ maxLength: 300 }),
});

test('reads what the other reader reads', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(packet, { maxLength: 60 }), fc.boolean(), fc.nat(4), async (list, little, cut) => {
      const whole = writePcap(list, { little, linkType: 113 });
      const bytes = whole.subarray(0, Math.max(24, whole.length - cut));
      const own = await readBytes(bytes);
      const library = await readBytes(bytes, 'pcap-parser');
      expect(library.packets).toEqual(own.packets);
      expect(library.reader.info).toEqual(own.reader.info);
      expect(library.reader.error?.code).toBe(own.reader.error?.code);
    }),
    { numRuns: 60 },
  );
});

test('reads records across pieces and batches', async () => {
  const list = Array.from({ length: 3000 }, (_, i) => ({ ticks: BigInt(i), data: new Uint8Array(i % 200).fill(i) }));
  const bytes = writePcap(list);
  expect((await readBytes(bytes, 'pcap-parser')).packets).toEqual((await readBytes(bytes)).packets);
});

test('a length that no packet has ends the input before it is believed', async () => {
  const list = Array.from({ length: 6 }, () => ({ ticks: 1n, data: Buffer.from('abcdefgh') }));
  const bytes = writePcap(list);
  bytes.writeUInt32LE(0xfffffff0, 24 + 4 * 24 + 8);
  const { packets, reader } = await readBytes(bytes, 'pcap-parser');
  expect(packets).toHaveLength(4);
  expect(reader.error).toMatchObject({ code: 'capture.damaged', offset: 24 + 4 * 24 });
});

test('anything but a classic capture in microseconds is a clear error', async () => {
  for (const bytes of [
    new Section().interface().buffer,
    writePcap([], { magic: 0xa1b23c4d }),
    Buffer.from('no capture at all'),
  ]) {
    const { packets, reader } = await readBytes(bytes, 'pcap-parser');
    expect(packets).toEqual([]);
    expect(reader.error).toMatchObject({ code: 'capture.unknown' });
  }
  expect((await readBytes(new Uint8Array(0), 'pcap-parser')).reader.error!.code).toBe('capture.empty');
});
