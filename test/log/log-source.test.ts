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
import { LogSource } from '../../src/log/log.ts';
import type { Intake } from '../../src/model/intake.ts';
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

function open(state?: Uint8Array): LogSource {
  const deps = { names: new Names(), metrics: new Metrics(), logger: pino({ level: 'silent' }), finite: false };
  const source = new LogSource({ name: 'zeek', type: 'log', path, delay: '1m' }, deps);
  if (state) source.restore(new StateReader(state));
  return source;
}

async function drain(source: LogSource): Promise<void> {
  while (await source.poll(intake, 1000));
}

function saved(source: LogSource): Uint8Array {
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
});
