import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type OrderedOptions, openOrdered } from '../../src/source/source.ts';
import { drain, fileOf } from './read.ts';
import { type Packet, Section, writePcap } from './writer.ts';

const SECOND = 1_000_000;
const packet = (seconds: number, text: string): Packet => ({
  ticks: BigInt(Math.round(seconds * SECOND)),
  data: Buffer.from(text),
});
const capture = (...packets: [number, string][]): string =>
  fileOf(writePcap(packets.map(([at, text]) => packet(at, text))));
const texts = async (paths: string[], options: OrderedOptions = {}): Promise<string> =>
  (await drain(openOrdered(paths, options))).map(({ data }) => data).join(' ');

function shuffled<T>(values: readonly T[], seed: number): T[] {
  const order = values.map((value, i) => ({ value, key: Math.imul(seed + 1, (i + 1) * 0x9e3779b1) >>> 0 }));
  return order.sort((a, b) => a.key - b.key).map(({ value }) => value);
}

describe('several files', () => {
  test('are merged by time, equal times in one order whatever the order of the paths', async () => {
    const timesOfFile = fc.array(fc.nat(40), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fc.array(timesOfFile, { minLength: 1, maxLength: 6 }), fc.nat(), async (files, seed) => {
        const paths = files.map((times, f) =>
          fileOf(writePcap([...times].sort((a, b) => a - b).map((at, i) => packet(at / 10, `${f}.${i}`)))),
        );
        const got = await drain(openOrdered(paths));
        const times = got.map(({ timeUs }) => timeUs);
        expect(times).toEqual([...times].sort((a, b) => a - b));
        expect(got.map(({ data }) => data).sort()).toEqual(
          files.flatMap((t, f) => t.map((_, i) => `${f}.${i}`)).sort(),
        );
        for (const f of files.keys()) {
          const own = got.filter(({ data }) => data.startsWith(`${f}.`)).map(({ data }) => data);
          expect(own).toEqual(own.map((_, i) => `${f}.${i}`));
        }
        expect(await drain(openOrdered(shuffled(paths, seed)))).toEqual(got);
      }),
      { numRuns: 60 },
    );
  });

  test('every packet comes from the file it is said to come from', async () => {
    const paths = [capture([3, 'b'], [5, 'd']), capture([1, 'a'], [4, 'c'])];
    const got = await drain(openOrdered(paths));
    expect(got.map(({ data, from }) => [data, paths.indexOf(from)])).toEqual([
      ['a', 1],
      ['b', 0],
      ['c', 1],
      ['d', 0],
    ]);
  });

  test('nanoseconds decide within a microsecond', async () => {
    const nano = (ns: number, text: string) =>
      fileOf(
        writePcap([{ ticks: 5_000_000_000n + BigInt(ns), data: Buffer.from(text) }], {
          magic: 0xa1b23c4d,
          units: 1_000_000_000n,
        }),
      );
    const paths = [nano(900, 'late'), nano(100, 'early')];
    expect(await texts(paths)).toBe('early late');
    expect(await texts(paths.reverse())).toBe('early late');
  });

  test('the same file twice gives each packet twice', async () => {
    const path = capture([1, 'a'], [2, 'b']);
    expect(await texts([path, path])).toBe('a a b b');
  });

  test('files one after the other are open one at a time', async () => {
    const paths = Array.from({ length: 60 }, (_, i) => capture([10 * i, `${i}`], [10 * i + 1, `${i}'`]));
    const stream = openOrdered(shuffled(paths, 3));
    expect(await drain(stream)).toHaveLength(120);
    expect(stream.bytesRead).toBe(stream.bytesTotal);
  });

  test('damage in one harms no other, and is told', async () => {
    const cut = fileOf(writePcap([packet(2, 'b'), packet(3, 'x')]).subarray(0, -1));
    const stream = openOrdered([cut, '/nowhere.pcap', capture([1, 'a'], [9, 'c'])]);
    expect((await drain(stream)).map(({ data }) => data).join(' ')).toBe('a b c');
    expect(Object.fromEntries(stream.readers.map(({ name, error }) => [name, error?.code]))).toMatchObject({
      [cut]: 'capture.truncated',
      '/nowhere.pcap': 'capture.open',
    });
  });
});

describe('a capture out of time order', () => {
  const disordered: [number, string][] = [
    [10, 'c'],
    [11, 'd'],
    [1, 'a'],
    [20, 'e'],
    [2, 'b'],
    [20, 'f'],
  ];

  test('beyond the bound is read in the order of time, and says so', async () => {
    const notes: string[] = [];
    expect(await texts([capture(...disordered)], { notice: (note) => notes.push(note) })).toBe('a b c d e f');
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain('18.0 s out of time order');
  });

  test('within the bound stays in the order of the file', async () => {
    expect(await texts([capture(...disordered)], { boundUs: 18 * SECOND })).toBe('c d a e b f');
    expect(await texts([capture(...disordered)], { boundUs: Number.POSITIVE_INFINITY })).toBe('c d a e b f');
  });

  test('is the same compressed, from standard input, or read by the library', async () => {
    const bytes = writePcap(disordered.map(([at, text]) => packet(at, text)));
    const plain = await drain(openOrdered([fileOf(bytes)]));
    const without = (got: typeof plain) => got.map(({ from, ...rest }) => rest);
    expect(without(await drain(openOrdered([fileOf(gzipSync(bytes))])))).toEqual(without(plain));
    for (const part of [bytes, gzipSync(bytes)]) {
      const stdin = Readable.from([part.subarray(0, 3), part.subarray(3)]);
      expect(without(await drain(openOrdered(['-'], { stdin })))).toEqual(without(plain));
    }
    expect(without(await drain(openOrdered([fileOf(bytes)], { reader: 'pcap-parser' })))).toEqual(without(plain));
  });

  test('is read as it lies beyond the limits of memory and disk, and says so', async () => {
    const notes: string[] = [];
    const notice = (note: string): void => {
      notes.push(note);
    };
    expect(await texts([capture(...disordered)], { maxIndexPackets: 5, notice })).toBe('c d a e b f');
    const compressed = fileOf(gzipSync(writePcap(disordered.map(([at, text]) => packet(at, text)))));
    expect(await texts([compressed], { maxSpoolBytes: 50, notice })).toBe('c d a e b f');
    expect(notes.map((note) => note.includes('order of the file'))).toEqual([true, true]);
  });

  test('is sorted stably, by nanoseconds too, with all that its records say', async () => {
    const record = fc.record({
      at: fc.nat(30_000_000),
      ns: fc.nat(2),
      size: fc.nat(3000),
      id: fc.nat(2),
      more: fc.nat(99),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 80 }), async (records) => {
        const section = new Section(false);
        for (const linkType of [1, 113, 101]) section.interface({ linkType, resolution: 9 });
        const list = records.map(({ at, ns, size, id, more }, i) => ({
          ticks: BigInt(at - (at % 10_000)) * 1000n + BigInt(ns),
          data: Buffer.from(`${i} ${'x'.repeat(size)}`),
          wire: size + 10 + more,
          interface: id,
        }));
        for (const packet of list) section.enhanced(packet);
        // Disorder is told in microseconds; a bound below zero sends everything through the index.
        const got = await drain(openOrdered([fileOf(section.buffer)], { boundUs: -1 }));
        const want = list.map((packet, i) => ({ ...packet, i })).sort((a, b) => Number(a.ticks - b.ticks) || a.i - b.i);
        expect(got.map(({ timeUs, nanos }) => BigInt(timeUs) * 1000n + BigInt(nanos))).toEqual(
          want.map(({ ticks }) => ticks),
        );
        expect(got.map(({ data }) => data)).toEqual(want.map(({ data }) => data.toString()));
        expect(got.map((one) => [one.wire, one.interface, one.linkType])).toEqual(
          want.map((one) => [one.wire, one.interface, [1, 113, 101][one.interface]]),
        );
      }),
      { numRuns: 60 },
    );
  });
});

describe('packets without a time', () => {
  const mixed = () =>
    new Section()
      .interface()
      .simple(Buffer.from('a'))
      .enhanced(packet(5, 'b'))
      .simple(Buffer.from('c'))
      .enhanced(packet(6, 'd'));

  test('take the time of the packet before, the first ones that of the first known', async () => {
    const got = await drain(openOrdered([fileOf(mixed().buffer)]));
    expect(got.map(({ data, timeUs }) => [data, timeUs / SECOND])).toEqual([
      ['a', 5],
      ['b', 5],
      ['c', 5],
      ['d', 6],
    ]);
  });

  test('keep their place in a capture that is sorted', async () => {
    const section = mixed().enhanced(packet(1, 'e')).simple(Buffer.from('f'));
    expect(await texts([fileOf(section.buffer)])).toBe('e f a b c d');
  });

  test('come where other files begin when no packet of theirs has one', async () => {
    const none = fileOf(new Section().interface().simple(Buffer.from('x')).simple(Buffer.from('y')).buffer);
    const got = await drain(openOrdered([capture([7, 'a'], [8, 'b']), none]));
    expect(got.map(({ timeUs }) => timeUs / SECOND)).toEqual([7, 7, 7, 8]);
    expect((await drain(openOrdered([none]))).map(({ timeUs }) => timeUs)).toEqual([0, 0]);
  });
});

describe('standard input', () => {
  const bytes = writePcap([packet(10, 'b'), packet(1, 'a'), packet(11, 'c')]);

  test('that ends soon is merged and sorted like a file', async () => {
    const stdin = Readable.from([bytes.subarray(0, 30), bytes.subarray(30)]);
    expect(await texts(['-', capture([5, 'm'])], { stdin })).toBe('a m b c');
  });

  test('that is too long goes through in the order of arrival, and says so', async () => {
    const notes: string[] = [];
    const stdin = Readable.from([bytes.subarray(0, 30), bytes.subarray(30)]);
    const options = { stdin, standardInput: { maxBytes: 20 }, notice: (note: string) => notes.push(note) };
    expect(await texts(['-'], options)).toBe('b a c');
    expect(notes).toHaveLength(1);
  });

  test('whose writer takes its time goes through packet by packet', async () => {
    const stdin = new Readable({ read() {} });
    stdin.push(bytes.subarray(0, 24 + 17));
    const stream = openOrdered(['-'], { stdin, standardInput: { stallMs: 1 } });
    const first = await stream.next();
    expect(first && first.to - first.from).toBe(1);
    stdin.push(bytes.subarray(24 + 17));
    stdin.push(null);
    expect((await drain(stream)).map(({ data }) => data)).toEqual(['a', 'c']);
  });

  test('that is empty is an error', async () => {
    const stream = openOrdered(['-'], { stdin: Readable.from([]) });
    expect(await drain(stream)).toEqual([]);
    expect(stream.readers[0].error!.code).toBe('capture.empty');
  });

  test('that fails gives what came before, and an error', async () => {
    async function* failing() {
      yield bytes.subarray(0, 24 + 17);
      throw new Error('the pipe broke');
    }
    const stream = openOrdered(['-'], { stdin: Readable.from(failing()) });
    expect((await drain(stream)).map(({ data }) => data)).toEqual(['b']);
    expect(stream.readers[0].error).toMatchObject({ code: 'capture.read', message: 'the pipe broke' });
  });
});
