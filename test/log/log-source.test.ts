import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { Metrics } from '../../src/core/metrics.ts';
import { StateReader, StateWriter } from '../../src/core/state.ts';
import { createLogSource } from '../../src/log/log.ts';
import type { Intake, Source } from '../../src/model/intake.ts';
import { Names } from '../../src/model/names.ts';

const HEADER = '#separator \\x09\n#unset_field\t-\n#fields\tts\tid.orig_h\tid.resp_h\torig_pkts\n';
const row = (n: number): string => `1400000000.000000\t192.0.2.1\t192.0.2.2\t${n}\n`;

let folder: string;
let path: string;
let given: number[];

const intake: Intake = {
  packets() {},
  rows() {},
  series() {},
  flows: (batch) => {
    for (let n = 0; n < batch.length; n++) given.push(batch.packetDeltaCount[n]);
  },
};

function open(state?: Uint8Array, pattern = path, poll = '1us'): Source {
  const deps = { names: new Names(), metrics: new Metrics(), logger: pino({ level: 'silent' }), finite: false };
  const source = createLogSource({ name: 'zeek', type: 'log', path: pattern, delay: '1m', poll }, deps);
  if (state) source.restore(new StateReader(state));
  return source;
}

async function drain(source: Source): Promise<void> {
  while (await source.poll(intake, 1000));
}

function saved(source: Source): Uint8Array {
  const out = new StateWriter();
  source.save(out);
  return out.concat();
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-test-'));
  path = join(folder, 'conn.log');
  given = [];
});

describe('a log that is followed', () => {
  it('gives rows as they are written, whole ones only', async () => {
    const source = open();
    await source.start(() => {});
    await drain(source);
    writeFileSync(path, HEADER + row(1) + row(2).slice(0, 9));
    await drain(source);
    expect(given).toEqual([1]);
    appendFileSync(path, row(2).slice(9));
    await drain(source);
    expect(given).toEqual([1, 2]);
    source.stop();
  });

  it('goes through rename and create, and through copy and truncate', async () => {
    writeFileSync(path, HEADER + row(1));
    const source = open();
    await source.start(() => {});
    await drain(source);
    appendFileSync(path, row(2));
    renameSync(path, `${path}.1`);
    writeFileSync(path, HEADER + row(3));
    await drain(source);
    expect(given).toEqual([1, 2, 3]);
    appendFileSync(path, row(4));
    copyFileSync(path, join(folder, 'conn.log.0'));
    truncateSync(path, 0);
    await drain(source);
    appendFileSync(path, HEADER + row(5));
    await drain(source);
    expect(given).toEqual([1, 2, 3, 4, 5]);
    source.stop();
  });

  it('goes on after a restart: same file, renamed, compressed, more than one behind', async () => {
    writeFileSync(path, HEADER + row(1) + row(2));
    const first = open();
    await first.start(() => {});
    await drain(first);
    appendFileSync(path, row(3));
    first.stop();
    const second = open(saved(first));
    await second.start(() => {});
    await drain(second);
    expect(given).toEqual([1, 2, 3]);
    const state = saved(second);
    second.stop();

    appendFileSync(path, row(4));
    writeFileSync(`${path}.2.gz`, gzipSync(readFileSync(path)));
    utimesSync(`${path}.2.gz`, 1_400_000_000, 1_400_000_000);
    rmSync(path);
    await new Promise((resolve) => setImmediate(resolve));
    writeFileSync(`${path}.1`, HEADER + row(5));
    writeFileSync(path, HEADER + row(6));
    const third = open(state);
    await third.start(() => {});
    await drain(third);
    expect(given).toEqual([1, 2, 3, 4, 5, 6]);
    third.stop();
  });

  it('says when the rest of a rotated log is not there', async () => {
    writeFileSync(path, HEADER + row(1));
    const first = open();
    await first.start(() => {});
    await drain(first);
    first.stop();
    rmSync(path);
    writeFileSync(join(folder, 'other'), 'keeps the inode from coming back');
    writeFileSync(path, HEADER.replace('#unset', '#set_separator\t,\n#unset') + row(2));
    const second = open(saved(first));
    await second.start(() => {});
    await drain(second);
    expect(given).toEqual([1, 2]);
    expect(second.error?.code).toBe('log.rotated');
    second.stop();
  });

  it('waits for the rest of a header that is not whole yet; a cut row of a rotated file is damage', async () => {
    writeFileSync(path, HEADER.slice(0, 20));
    const source = open();
    await source.start(() => {});
    await drain(source);
    appendFileSync(path, HEADER.slice(20) + row(1) + row(2).slice(0, 9));
    await drain(source);
    expect(given).toEqual([1]);
    renameSync(path, `${path}.1`);
    writeFileSync(path, HEADER + row(3));
    await drain(source);
    expect(given).toEqual([1, 3]);
    expect(source.status?.()).toMatchObject({ rows: 2, badRows: 1 });
    source.stop();
  });
});

describe('logs that a pattern names', () => {
  const at = (name: string): string => join(folder, name);
  const filled = (...rows: number[]): string => HEADER + rows.map(row).join('');

  it('are read oldest first, followed all at once, and new ones are taken up', async () => {
    writeFileSync(at('conn.2.log'), filled(1, 2));
    utimesSync(at('conn.2.log'), 1_400_000_000, 1_400_000_000);
    writeFileSync(at('conn.1.log'), filled(3));
    utimesSync(at('conn.1.log'), 1_500_000_000, 1_500_000_000);
    writeFileSync(at('conn.0.log.gz'), gzipSync(filled(4)));
    writeFileSync(at('http.log'), filled(99));
    const source = open(undefined, at('conn*'));
    await source.start(() => {});
    await drain(source);
    expect(given).toEqual([1, 2, 3, 4]);
    appendFileSync(at('conn.2.log'), row(5));
    appendFileSync(at('conn.1.log'), row(6));
    writeFileSync(at('conn.3.log'), filled(7));
    await drain(source);
    expect([...given].sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(source.status?.()).toMatchObject({ files: 3 });
    source.stop();
  });

  it('are known again when they are renamed or compressed, also over a restart', async () => {
    const many = Array.from({ length: 40 }, (_, n) => n);
    writeFileSync(at('conn.log'), filled(...many));
    const first = open(undefined, at('conn.log*'));
    await first.start(() => {});
    await drain(first);
    expect(given).toEqual(many);
    renameSync(at('conn.log'), at('conn.log.1'));
    appendFileSync(at('conn.log.1'), row(40));
    writeFileSync(at('conn.log'), filled(41, ...many));
    await drain(first);
    expect(given).toEqual([...many, 40, 41, ...many]);
    writeFileSync(at('conn.log.2.gz'), gzipSync(readFileSync(at('conn.log.1'))));
    rmSync(at('conn.log.1'));
    await drain(first);
    first.stop();
    const second = open(saved(first), at('conn.log*'));
    given = [];
    appendFileSync(at('conn.log'), row(42));
    writeFileSync(at('conn.log.new'), filled(43, ...many));
    await second.start(() => {});
    await drain(second);
    expect([...given].sort((a, b) => a - b).slice(-2)).toEqual([42, 43]);
    expect(given.length).toBe(2 + many.length);
    second.stop();
  });

  it('are read once by whoever sees the rotation first', async () => {
    const many = Array.from({ length: 40 }, (_, n) => n);
    const last = (n: number): number[] => given.slice(-n);
    writeFileSync(at('conn.log'), filled(...many));
    const first = open(undefined, at('conn*'), '1h');
    await first.start(() => {});
    await drain(first);
    // Within the hour only the file's own source looks: copied and truncated, renamed and made again.
    copyFileSync(at('conn.log'), at('conn.log.2'));
    truncateSync(at('conn.log'), 0);
    await drain(first);
    appendFileSync(at('conn.log'), filled(41, ...many));
    await drain(first);
    renameSync(at('conn.log'), at('conn.log.1'));
    writeFileSync(at('conn.log'), filled(42, ...many));
    await drain(first);
    expect(given).toEqual([...many, 41, ...many, 42, ...many]);
    first.stop();
    appendFileSync(at('conn.log'), row(43));
    writeFileSync(at('conn.log.0.gz'), gzipSync(readFileSync(at('conn.log'))));
    rmSync(at('conn.log'));
    const second = open(saved(first), at('conn*'));
    await second.start(() => {});
    await drain(second);
    expect(last(2)).toEqual([many.length - 1, 43]);
    expect(given.length).toBe(3 * many.length + 3);
    second.stop();
  });
});
