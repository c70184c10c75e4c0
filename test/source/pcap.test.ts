import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openCapture } from '../../src/source/source.ts';
import { fileOf, readAll, readBytes } from './read.ts';
import { type Packet, writePcap } from './writer.ts';

const packet = fc.record({
  seconds: fc.nat(0xffffffff),
  fraction: fc.nat(999_999_999),
  data: fc.uint8Array({ maxLength: 90 }),
  more: fc.nat(5000),
});

function packets(
  values: { seconds: number; fraction: number; data: Uint8Array; more: number }[],
  units: bigint,
): Packet[] {
  return values.map(({ seconds, fraction, data, more }) => ({
    ticks: BigInt(seconds) * units + (BigInt(fraction) % units),
    data,
    wire: data.length + more,
  }));
}

function expected(list: Packet[], units: bigint, linkType = 1) {
  return list.map(({ ticks, data, wire = data.length }) => ({
    timeUs: Number((ticks * 1_000_000n) / units),
    nanos: Number(((ticks * 1_000_000_000n) / units) % 1000n),
    data: Buffer.from(data).toString('latin1'),
    wire,
    linkType,
    interface: 0,
  }));
}

const one = (data = 'abcdefgh'): Packet => ({ ticks: 1_600_000_000_123_456n, data: Buffer.from(data) });

describe('classic captures', () => {
  test('what was written is read back, in both byte orders and resolutions', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(packet, { maxLength: 40 }),
        fc.boolean(),
        fc.boolean(),
        async (values, little, nano) => {
          const units = nano ? 1_000_000_000n : 1_000_000n;
          const list = packets(values, units);
          const magic = nano ? 0xa1b23c4d : 0xa1b2c3d4;
          const { packets: got, reader } = await readBytes(writePcap(list, { little, magic, units, linkType: 113 }));
          expect(got).toEqual(expected(list, units, 113));
          expect(reader.error).toBeNull();
          expect(reader.info).toEqual({
            format: 'pcap',
            byteOrder: little ? 'little' : 'big',
            linkTypes: ['LINUX_SLL'],
            interfaces: 1,
            timeDigits: nano ? 9 : 6,
            drops: null,
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  test('records beyond a block are whole, whatever the size of batches', async () => {
    const list = Array.from({ length: 60 }, (_, i) => ({
      ticks: BigInt(i),
      data: new Uint8Array(1 + ((i * 40_503) % 100_000)).fill(i),
    }));
    const path = fileOf(writePcap(list));
    for (const capacity of [1, 3, 4096]) {
      expect(await readAll(openCapture(path), capacity)).toEqual(expected(list, 1_000_000n));
    }
  });

  test('a fraction of a second or more counts on', async () => {
    const bytes = writePcap([one(), one()]);
    bytes.writeUInt32LE(2_500_000, 24 + 4);
    expect((await readBytes(bytes)).packets[0].timeUs).toBe(1_600_000_002_500_000);
  });

  test('frame check and other bits in the link type field are no part of the link type', async () => {
    const { packets: got, reader } = await readBytes(writePcap([one()], { linkType: 0x44000001 }));
    expect(got).toHaveLength(1);
    expect(reader.info.linkTypes).toEqual(['EN10MB']);
  });

  test('reserved bits and old major versions are refused', async () => {
    for (const shape of [{ linkType: 0x00300001 }, { version: [1, 4] as [number, number] }]) {
      const { packets: got, reader } = await readBytes(writePcap([one()], shape));
      expect(got).toEqual([]);
      expect(reader.error).toMatchObject({ code: 'capture.unsupported', offset: 0 });
    }
  });

  test('a wrong snap length harms nothing', async () => {
    for (const snapLength of [0, 4, 0xffffffff]) {
      expect((await readBytes(writePcap([one(), one()], { snapLength }))).packets).toHaveLength(2);
    }
  });

  test('an unknown link type is no error', async () => {
    const { reader, packets: got } = await readBytes(writePcap([one()], { linkType: 9999 }));
    expect(reader.error).toBeNull();
    expect(reader.info.linkTypes).toEqual(['UNKNOWN_9999']);
    expect(got[0].linkType).toBe(9999);
  });

  test('raw IP under its old numbers is raw IP', async () => {
    for (const linkType of [12, 14])
      expect((await readBytes(writePcap([one()], { linkType }))).packets[0].linkType).toBe(101);
  });

  test('versions before 2.3 have their lengths the other way round', async () => {
    const list = [{ ...one(), wire: 700 }];
    for (const version of [
      [2, 2],
      [2, 3],
      [543, 0],
    ] as [number, number][]) {
      const { packets: got } = await readBytes(writePcap(list, { version, swapLengths: true, linkType: 1 }));
      expect(got).toEqual(expected(list, 1_000_000n));
    }
    const { packets: straight } = await readBytes(writePcap(list, { version: [2, 3] }));
    expect(straight).toEqual(expected(list, 1_000_000n));
  });

  test('captures of AIX have interface types and nanoseconds', async () => {
    const list = [{ ticks: 1_600_000_000_000_000_789n, data: Buffer.from('abcdefgh') }];
    const shape = { version: [2, 2] as [number, number], units: 1_000_000_000n, swapLengths: true };
    const { packets: got } = await readBytes(writePcap(list, { ...shape, linkType: 6 }));
    expect(got).toMatchObject([{ linkType: 1, nanos: 789, data: 'abcdefgh' }]);
    const { packets: fddi } = await readBytes(writePcap(list, { ...shape, linkType: 15 }));
    expect(fddi).toMatchObject([{ linkType: 10, data: 'defgh', wire: 5 }]);
  });

  test('record headers of older writers are known by what follows', async () => {
    const list = Array.from({ length: 5 }, (_, i) => one(`packet ${i} ${'x'.repeat(40 + i)}`));
    const modified = { magic: 0xa1b2cd34 };
    const shapes = [
      { extra: Buffer.from([1, 0, 0, 0, 0, 8, 0, 0]) },
      { extra: Buffer.from([1, 0xb6, 0xbf, 0x9f]) },
      { ...modified, extra: Buffer.from([1, 0, 0, 0, 0, 8, 0, 0]) },
      { ...modified, extra: Buffer.from([1, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0]) },
    ];
    for (const shape of shapes)
      expect((await readBytes(writePcap(list, shape))).packets).toEqual(expected(list, 1_000_000n));
  });
});

describe('damage in classic captures', () => {
  test('a file cut at any byte gives every whole packet and an error', async () => {
    const list = [one('one'), one('two'), one('three')];
    const whole = writePcap(list);
    const ends = [24, 24 + 19, 24 + 38, whole.length];
    for (let length = 0; length <= whole.length; length++) {
      const { packets: got, reader } = await readBytes(whole.subarray(0, length));
      expect(got).toEqual(expected(list.slice(0, ends.filter((end) => end <= length && end > 24).length), 1_000_000n));
      if (ends.includes(length)) expect(reader.error).toBeNull();
      else expect(reader.error!.code).toMatch(length === 0 ? 'capture.empty' : /capture\.(truncated|unknown)/);
    }
  });

  test('a record that claims more than any packet has ends the file there', async () => {
    const bytes = writePcap([one(), one(), one(), one(), one()]);
    bytes.writeUInt32LE(0x40001, 24 + 4 * 24 + 8);
    const { packets: got, reader } = await readBytes(bytes);
    expect(got).toHaveLength(4);
    expect(reader.error).toMatchObject({ code: 'capture.damaged', offset: 24 + 4 * 24 });
  });

  test.each([
    ['snoop\0\0\0', 'it is a snoop capture'],
    ['btsnoop\0', 'it is a btsnoop capture'],
    ['BZh91AY', 'it is compressed with bzip2'],
    ['words', 'neither pcap nor pcapng'],
  ])('%j is told by its name where it has one', async (text, told) => {
    const { reader } = await readBytes(Buffer.from(text));
    expect(reader.error).toMatchObject({ code: 'capture.unknown', offset: 0 });
    expect(reader.error!.message).toMatch(new RegExp(`${told}$`));
  });

  test('other files are no captures', async () => {
    const { packets: got, reader } = await readBytes(Buffer.from('once upon a time, there was a text'));
    expect(got).toEqual([]);
    expect(reader.error).toMatchObject({ code: 'capture.unknown', offset: 0 });
    expect(reader.info.format).toBeNull();
  });

  test('a file that is not there is an error, not a throw', async () => {
    const reader = openCapture('/nowhere/at/all.pcap');
    expect(await readAll(reader)).toEqual([]);
    expect(reader.error!.code).toBe('capture.open');
  });

  test('a folder is an error, not a throw', async () => {
    const reader = openCapture('/');
    expect(await readAll(reader)).toEqual([]);
    expect(reader.error!.code).toBe('capture.read');
  });

  test('any bytes changed: no throw, no place beyond the data', async () => {
    const whole = writePcap(Array.from({ length: 12 }, (_, i) => one('x'.repeat(i * 5))));
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 8 }), async (changes) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        const { packets: got, reader } = await readBytes(bytes);
        expect(got.length).toBeLessThanOrEqual(whole.length / 16);
        if (reader.error !== null) expect(reader.error.offset).toBeLessThanOrEqual(whole.length);
      }),
      { numRuns: 300 },
    );
  });
});
