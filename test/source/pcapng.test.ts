import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readBytes } from './read.ts';
import { type Interface, type Packet, Section } from './writer.ts';

/** Units a second of an if_tsresol. */
function unitsOf(resolution: number): bigint {
  return (resolution & 0x80 ? 2n : 10n) ** BigInt(resolution & 0x7f);
}

/** The exact time by whole numbers, as an independent model of the reader's arithmetic. */
function expectedTime(ticks: bigint, { resolution = 6, offsetSeconds = 0n }: Interface) {
  const nanos = (ticks * 1_000_000_000n) / unitsOf(resolution) + offsetSeconds * 1_000_000_000n;
  const rest = ((nanos % 1000n) + 1000n) % 1000n;
  return { timeUs: Number((nanos - rest) / 1000n), nanos: Number(rest) };
}

function expected(packet: Packet, source: Interface, number: number) {
  const { data, wire = data.length, ticks } = packet;
  const { linkType = 1 } = source;
  return {
    ...expectedTime(ticks, source),
    data: Buffer.from(data).toString('latin1'),
    wire,
    linkType,
    interface: number,
  };
}

const anInterface = fc.record(
  {
    linkType: fc.constantFrom(1, 101, 113, 105, 276, 65_000),
    snapLength: fc.constantFrom(0, 96, 262_144),
    resolution: fc.oneof(fc.integer({ min: 0, max: 19 }), fc.integer({ min: 128, max: 190 })),
    offsetSeconds: fc.bigInt({ min: -1_000_000n, max: 1_000_000n }),
  },
  { requiredKeys: [] },
);

const aSection = fc.record({
  little: fc.boolean(),
  shuffled: fc.boolean(),
  interfaces: fc.array(anInterface, { minLength: 1, maxLength: 4 }),
  packets: fc.array(
    fc.record({
      seconds: fc.bigInt({ min: 0n, max: 4_000_000_000n }),
      fraction: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      data: fc.uint8Array({ maxLength: 70 }),
      more: fc.nat(3000),
      id: fc.nat(3),
      kind: fc.constantFrom('enhanced', 'options', 'obsolete', 'custom', 'unknown', 'names'),
    }),
    { maxLength: 30 },
  ),
});

const one = (text = 'abcdefgh'): Packet => ({ ticks: 1_600_000_000_123_456n, data: Buffer.from(text) });
const begin = (little = true): Section => new Section(little).interface();

describe('next generation captures', () => {
  test('what was written is read back: sections, byte orders, resolutions, offsets, kinds of blocks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(aSection, { minLength: 1, maxLength: 3 }), async (sections) => {
        const want: unknown[] = [];
        const parts: Buffer[] = [];
        let before = 0;
        for (const { little, shuffled, interfaces, packets } of sections) {
          const section = new Section(little);
          for (const source of interfaces) section.interface(source, shuffled);
          for (const { seconds, fraction, data, more, id, kind } of packets) {
            const number = id % interfaces.length;
            const units = unitsOf(interfaces[number].resolution ?? 6);
            const ticks = (seconds * units + (fraction % units)) & ((1n << 64n) - 1n);
            const packet = { ticks, data, wire: data.length + more, interface: number };
            if (kind === 'custom') section.block(0xbad, Buffer.from('PEN.and something'));
            if (kind === 'unknown') section.block(0x12345678, data);
            if (kind === 'names')
              section.block(
                4,
                section.bytes().u16(1, 9).padded(Buffer.from('\x0a\0\0\x01host\0', 'latin1')).u32(0).buffer,
              );
            if (kind === 'obsolete') section.obsolete(packet, 3);
            else if (kind === 'options')
              section.enhanced(
                packet,
                Buffer.concat([section.option(1, Buffer.from('hello')), section.bytes().u32(0).buffer]),
              );
            else section.enhanced(packet);
            want.push(expected(packet, interfaces[number], before + number));
          }
          before += interfaces.length;
          parts.push(section.buffer);
        }
        const { packets: got, reader } = await readBytes(Buffer.concat(parts));
        expect(reader.error).toBeNull();
        expect(got).toEqual(want);
        expect(reader.info.interfaces).toBe(before);
      }),
      { numRuns: 150 },
    );
  });

  test('a resolution of nanoseconds or finer deserves nine digits', async () => {
    const digits = async (resolution?: number) =>
      (await readBytes(new Section().interface({ resolution }).enhanced(one()).buffer)).reader.info.timeDigits;
    expect([await digits(), await digits(6), await digits(9), await digits(3), await digits(0x80 | 30)]).toEqual([
      6, 6, 9, 6, 9,
    ]);
  });

  test('simple packets have no time and are cut at the snap length', async () => {
    const section = new Section().interface({ snapLength: 5 }).simple(Buffer.from('12345'), 900).enhanced(one());
    const { packets: got } = await readBytes(section.buffer);
    expect(got[0]).toEqual({ timeUs: Number.NaN, nanos: 0, data: '12345', wire: 900, linkType: 1, interface: 0 });
    expect(got).toHaveLength(2);
  });

  test('a time that no calendar shows is none', async () => {
    const { packets: got } = await readBytes(begin().enhanced({ ...one(), ticks: (1n << 64n) - 1n }).buffer);
    expect(got[0].timeUs).toBeNaN();
  });

  test('statistics say the losses: the last word of each interface, both causes', async () => {
    const section = begin()
      .interface()
      .statistics(0, 5n, 1n)
      .statistics(1, 10n, 0n)
      .enhanced(one())
      .statistics(0, 7n, 2n);
    expect((await readBytes(section.buffer)).reader.info.drops).toBe(19);
    expect((await readBytes(begin().enhanced(one()).buffer)).reader.info.drops).toBeNull();
  });

  test('packets say the losses when nothing else does', async () => {
    const drops = new Section().option(4, new Section().number64(40n));
    const section = begin().obsolete(one(), 2).obsolete(one()).enhanced(one(), drops);
    expect((await readBytes(section.buffer)).reader.info.drops).toBe(42);
  });

  test('statistics of an interface that is not there say nothing', async () => {
    const { reader } = await readBytes(begin().statistics(9, 5n, 5n).enhanced(one()).buffer);
    expect(reader.info.drops).toBeNull();
    expect(reader.error).toBeNull();
  });

  test('secrets, names and long blocks of no interest are stepped over', async () => {
    const long = new Uint8Array(5 << 20).fill(7);
    const secrets = new Section().bytes().u32(0x544c534b, 4).raw(Buffer.from('abcd')).buffer;
    const section = begin().block(10, secrets).block(0x40000bad, long).enhanced(one()).block(77, long).enhanced(one());
    const { packets: got, reader } = await readBytes(section.buffer);
    expect(got).toHaveLength(2);
    expect(reader.error).toBeNull();
  });

  test('a section length of any kind is not relied on', async () => {
    for (const length of [-1n, 0n, 4n, 1n << 40n]) {
      const section = new Section(false, { major: 1, minor: 0, length }).interface().enhanced(one());
      expect((await readBytes(section.buffer)).packets).toHaveLength(1);
    }
  });

  test('version 1.2 is read, others are refused', async () => {
    const read = (major: number, minor: number) =>
      readBytes(new Section(true, { major, minor, length: -1n }).interface().enhanced(one()).buffer);
    expect((await read(1, 2)).packets).toHaveLength(1);
    for (const [major, minor] of [
      [0, 1],
      [1, 1],
      [2, 0],
    ]) {
      expect((await read(major, minor)).reader.error).toMatchObject({ code: 'capture.unsupported', offset: 0 });
    }
  });
});

describe('damage in next generation captures', () => {
  const offset = begin().enhanced(one()).buffer.length;
  const length = (total: number) => new Section().bytes().u32(6, total, 0, 0, 0, 0, 0, total).buffer;
  const cases: [string, Buffer][] = [
    ['two lengths that differ', new Section().bytes().u32(77, 16, 0, 12).buffer],
    ['a length that is too short', new Section().bytes().u32(77, 8, 0, 12).buffer],
    ['a length beyond any packet', length(0x40000000)],
    ['an enhanced packet that is too short', new Section().bytes().u32(6, 16, 0, 16).buffer],
    [
      'a packet longer than its block',
      new Section()
        .block(6, new Section().bytes().u32(0, 0, 0, 100, 100).raw(new Uint8Array(64)).buffer)
        .buffer.subarray(28),
    ],
    [
      'a packet of an interface that is not there',
      new Section().enhanced({ ...one(), interface: 1 }).buffer.subarray(28),
    ],
    [
      'a packet option with a wrong length',
      new Section().enhanced(one(), new Section().option(2, Uint8Array.of(1))).buffer.subarray(28),
    ],
    [
      'an option longer than its block',
      new Section().enhanced(one(), new Section().bytes().u16(1, 4000).buffer).buffer.subarray(28),
    ],
    [
      'a custom option without its enterprise',
      new Section().enhanced(one(), new Section().option(2988, Uint8Array.of(1))).buffer.subarray(28),
    ],
    [
      'a name without end',
      new Section().block(4, new Section().bytes().u16(1, 8).raw(Buffer.from('abcdname')).buffer).buffer.subarray(28),
    ],
    [
      'secrets longer than their block',
      new Section().block(10, new Section().bytes().u32(1, 5000).buffer).buffer.subarray(28),
    ],
    ['a second section without byte order', new Section().block(0x0a0d0d0a, new Uint8Array(16)).buffer.subarray(28)],
  ];

  test.each(cases)('%s', async (_, block) => {
    const { packets: got, reader } = await readBytes(begin().enhanced(one()).raw(block).enhanced(one()).buffer);
    expect(got).toHaveLength(1);
    expect(reader.error).toMatchObject({ code: 'capture.damaged', offset });
  });

  test('a simple packet before any interface', async () => {
    const { reader } = await readBytes(new Section().simple(Buffer.from('abcd')).buffer);
    expect(reader.error).toMatchObject({ code: 'capture.damaged', offset: 28 });
  });

  test('more interfaces than can be kept', async () => {
    const section = new Section();
    const block = new Section().interface().buffer.subarray(28);
    section.raw(Buffer.concat(new Array(65_537).fill(block))).enhanced(one());
    expect((await readBytes(section.buffer)).reader.error!.message).toContain('interfaces');
  });

  test('a file cut at any byte gives every whole packet', async () => {
    const section = begin();
    const ends = [section.buffer.length];
    for (const text of ['one', 'two!', 'three']) ends.push(section.enhanced(one(text)).buffer.length);
    const whole = section.block(77, new Uint8Array(40)).buffer;
    for (let cut = 12; cut <= whole.length; cut++) {
      const { packets: got, reader } = await readBytes(whole.subarray(0, cut));
      expect(got).toHaveLength(ends.filter((end) => end <= cut).length - (cut < ends[0] ? 0 : 1));
      if (cut === 28 || cut === whole.length || ends.includes(cut)) expect(reader.error).toBeNull();
      else expect(reader.error!.code).toBe('capture.truncated');
    }
  });

  test('a long block that the file does not hold is a cut', async () => {
    const section = begin().enhanced(one());
    const at = section.buffer.length;
    const { packets: got, reader } = await readBytes(
      section.raw(new Section().bytes().u32(77, 50 << 20, 1, 2, 3).buffer).buffer,
    );
    expect(got).toHaveLength(1);
    expect(reader.error).toMatchObject({ code: 'capture.truncated', offset: at });
  });

  test('any bytes changed: no throw, no place beyond the data', async () => {
    const section = begin().interface({ resolution: 0x8a }).simple(Buffer.from('abc')).statistics(0, 1n, 2n);
    for (let i = 0; i < 8; i++) section.enhanced(one('x'.repeat(i * 3)));
    const whole = section.obsolete(one(), 1).buffer;
    const change = fc.tuple(fc.nat(whole.length - 1), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 127, 128, 255)));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        const { packets: got, reader } = await readBytes(bytes);
        expect(got.length).toBeLessThanOrEqual(whole.length / 12);
        if (reader.error !== null) expect(reader.error.offset).toBeLessThanOrEqual(whole.length);
      }),
      { numRuns: 300 },
    );
  });
});
