import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Packet, Section, writePcap } from '../source/writer.ts';
import { jsonLines, weir } from '../support/cli.ts';

const packet = (seconds: number, size: number, more = 0): Packet => ({
  ticks: BigInt(seconds) * 1_000_000n + 5n,
  data: new Uint8Array(size),
  wire: size + more,
});

const folder = mkdtempSync(join(tmpdir(), 'weir-stats-'));
const at = (name: string): string => join(folder, name);
const whole = writePcap([packet(1_600_000_001, 60), packet(1_600_000_000, 40, 100)]);

beforeAll(() => {
  mkdirSync(at('deep'));
  writeFileSync(at('a.pcap'), whole);
  writeFileSync(at('b.txt'), 'no capture, only words');
  writeFileSync(at('deep/cut.cap'), whole.subarray(0, -1));
  writeFileSync(at('deep/without-ending'), gzipSync(whole));
  const section = new Section(false).interface({ resolution: 9 }).interface({ linkType: 113 });
  section.enhanced({ ...packet(0, 10), ticks: 1_600_000_000_123_456_789n }).statistics(0, 3n, 4n);
  writeFileSync(at('c.pcapng'), section.buffer);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const aLine = {
  format: 'pcap',
  byteOrder: 'little',
  linkTypes: ['EN10MB'],
  interfaces: 1,
  packets: 2,
  capturedBytes: 100,
  wireBytes: 200,
  firstTime: '2020-09-13T12:26:40.000005Z',
  lastTime: '2020-09-13T12:26:41.000005Z',
  drops: null,
  error: null,
};

describe('weir stats', () => {
  test('prints one JSON object a file, the path as given', async () => {
    const { code, stdout, stderr } = await weir(['stats', at('a.pcap'), at('c.pcapng'), '--json']);
    expect([code, stderr]).toEqual([0, '']);
    expect(jsonLines(stdout)).toEqual([
      { file: at('a.pcap'), ...aLine },
      {
        file: at('c.pcapng'),
        format: 'pcapng',
        byteOrder: 'big',
        linkTypes: ['EN10MB', 'LINUX_SLL'],
        interfaces: 2,
        packets: 1,
        capturedBytes: 10,
        wireBytes: 10,
        firstTime: '2020-09-13T12:26:40.123456789Z',
        lastTime: '2020-09-13T12:26:40.123456789Z',
        drops: 7,
        error: null,
      },
    ]);
  });

  test('reads standard input, plain or compressed', async () => {
    for (const input of [whole, gzipSync(whole)]) {
      const { code, stdout } = await weir(['stats', '-', '--json'], { input });
      expect([code, jsonLines(stdout)]).toEqual([0, [{ file: '-', ...aLine }]]);
    }
  });

  test('takes folders, globs and lists', async () => {
    const files = async (args: string[], input?: Uint8Array) =>
      jsonLines((await weir(['stats', '--json', ...args], { input })).stdout).map(({ file }) => file);
    const deep = [at('deep/cut.cap'), at('deep/without-ending')];
    expect(await files([folder])).toEqual([at('a.pcap'), at('c.pcapng'), ...deep]);
    expect(await files([at('*.pcap*')])).toEqual([at('a.pcap'), at('c.pcapng')]);
    expect(await files(['--files-from', '-'], Buffer.from(`${at('c.pcapng')}\n\n${at('a.pcap')}`))).toEqual([
      at('c.pcapng'),
      at('a.pcap'),
    ]);
    expect(await files([at('a.pcap'), at('a.pcap')])).toHaveLength(2);
  });

  test('says 3 where some input is damaged, and counts what is whole', async () => {
    const { code, stdout, stderr } = await weir(['stats', at('a.pcap'), at('deep/cut.cap'), '--json']);
    expect(code).toBe(3);
    expect(stderr).toContain('deep/cut.cap');
    expect(jsonLines(stdout)[1]).toMatchObject({ packets: 1, error: { code: 'capture.truncated', offset: 100 } });
  });

  test('says 4 where nothing could be read', async () => {
    const { code, stdout } = await weir(['stats', at('b.txt'), at('nowhere.pcap'), '--json']);
    expect(code).toBe(4);
    expect(jsonLines(stdout)).toMatchObject([
      { packets: 0, format: null, firstTime: null, error: { code: 'capture.unknown' } },
      { packets: 0, format: null, firstTime: null, error: { code: 'capture.open' } },
    ]);
  });

  test('says 2 where nothing was named or a folder holds nothing', async () => {
    mkdirSync(at('empty'), { recursive: true });
    for (const args of [[], [at('empty')], [at('*.nothing')]]) {
      const { code, stdout, stderr } = await weir(['stats', ...args]);
      expect([code, stdout, stderr.length > 0]).toEqual([2, '', true]);
    }
  });

  test('prints a block a file for people', async () => {
    const { stdout } = await weir(['stats', at('c.pcapng'), at('deep/cut.cap')]);
    expect(stdout).toContain('link types      EN10MB, LINUX_SLL\n');
    expect(stdout).toContain('first packet    2020-09-13T12:26:40.123456789Z\n');
    expect(stdout).toMatch(/^damage {10}.*capture\.truncated, byte 100/m);
  });

  test('reads with the second reader', async () => {
    const { stdout } = await weir(['stats', at('a.pcap'), '--json', '--reader', 'pcap-parser']);
    expect(jsonLines(stdout)).toEqual([{ file: at('a.pcap'), ...aLine }]);
  });
});
