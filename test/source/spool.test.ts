import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { Metrics } from '../../src/core/metrics.ts';
import { StateReader, StateWriter } from '../../src/core/state.ts';
import type { Intake, Source } from '../../src/model/intake.ts';
import { Names } from '../../src/model/names.ts';
import { type CaptureSourceOptions, createCaptureSource } from '../../src/source/source.ts';
import { writePcap } from './writer.ts';

let folder = '';
const open: Source[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-spool-'));
});
afterEach(async () => {
  for (const source of open.splice(0)) await source.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Packet `n` comes at second `n`. */
function capture(from: number, to: number): Buffer {
  const packets = Array.from({ length: to - from }, (_, i) => ({
    ticks: BigInt(from + i) * 1_000_000n,
    data: new Uint8Array(60).fill((from + i) & 0xff),
  }));
  return Buffer.from(writePcap(packets));
}

/** Seconds of the packets that a source gave, in order. */
class Taken implements Intake {
  readonly seconds: number[] = [];

  packets(batch: Parameters<Intake['packets']>[0], from: number, to: number): void {
    for (let i = from; i < to; i++) this.seconds.push(batch.timeUs[i] / 1e6);
  }

  rows(): void {}

  flows(): void {}

  series(): void {}
}

const at = (name: string): string => join(folder, name);
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

async function begin(more: Partial<CaptureSourceOptions> = {}, state?: Uint8Array, finite = false): Promise<Source> {
  const options = { name: 'spool', type: 'directory', path: folder, poll: '10ms', ...more } as CaptureSourceOptions;
  const deps = { names: new Names(), metrics: new Metrics(), logger: silentLogger(), finite };
  const source = createCaptureSource(options, deps);
  if (state) source.restore(new StateReader(state));
  await source.start(() => {});
  open.push(source);
  return source;
}

function saved(source: Source): Uint8Array {
  const out = new StateWriter();
  source.save(out);
  return out.concat();
}

async function takeUntil(source: Source, taken: Taken, count: number): Promise<void> {
  while (taken.seconds.length < count) {
    await source.poll(taken, 4096);
    await setImmediate();
  }
}

/** As long as a folder's changes take to be seen, and then some. */
async function settle(source: Source, taken: Taken, marker: () => void, count: number): Promise<void> {
  marker();
  await takeUntil(source, taken, count);
}

describe('a watched folder', () => {
  it('follows the newest file of a rotated set to its end, then the next, whatever pieces they are written in', async () => {
    const taken = new Taken();
    const source = await begin();
    const first = capture(0, 10);
    writeFileSync(at('t-1.pcap'), first.subarray(0, 7));
    for (let from = 7; from < first.length; from += 100) {
      await source.poll(taken, 4096);
      appendFileSync(at('t-1.pcap'), first.subarray(from, from + 100));
    }
    await takeUntil(source, taken, 10);
    writeFileSync(at('t-2.pcap'), capture(10, 20));
    writeFileSync(at('t-10.pcap'), capture(20, 30));
    await takeUntil(source, taken, 30);
    expect(taken.seconds).toEqual(range(0, 30));
  });

  it('reads a file once, though it is renamed, compressed or moved over', async () => {
    const taken = new Taken();
    const source = await begin();
    writeFileSync(at('t-1.pcap'), capture(0, 10));
    await takeUntil(source, taken, 10);
    renameSync(at('t-1.pcap'), at('t-1.pcap.old1'));
    writeFileSync(at('t-2.pcap'), capture(10, 20));
    await takeUntil(source, taken, 20);
    writeFileSync(at('t-2.pcap.gz'), gzipSync(capture(10, 20)));
    rmSync(at('t-2.pcap'));
    await settle(source, taken, () => writeFileSync(at('t-3.pcap'), capture(20, 30)), 30);
    expect(taken.seconds).toEqual(range(0, 30));
  });

  it('follows a chain of names: t is renamed to t.1, that to t.2, each time t begins anew', async () => {
    const taken = new Taken();
    const source = await begin();
    for (let turn = 0; turn < 4; turn++) {
      for (let n = turn; n > 0; n--) renameSync(at(n === 1 ? 't.pcap' : `t.pcap.${n - 1}`), at(`t.pcap.${n}`));
      writeFileSync(at('t.pcap'), capture(10 * turn, 10 * turn + 10));
      await takeUntil(source, taken, 10 * turn + 10);
    }
    expect(taken.seconds).toEqual(range(0, 40));
  });

  it('takes no file for one that had no packets yet, though all of a writer begin alike', async () => {
    const taken = new Taken();
    const source = await begin();
    writeFileSync(at('t-1.pcap'), capture(0, 5));
    await takeUntil(source, taken, 5);
    writeFileSync(at('t-2.pcap'), capture(5, 5));
    writeFileSync(at('t-3.pcap'), capture(5, 10));
    await takeUntil(source, taken, 10);
    rmSync(at('t-2.pcap'));
    writeFileSync(at('t-4.pcap'), capture(10, 15));
    await takeUntil(source, taken, 15);
    writeFileSync(at('t-5.pcap'), capture(15, 15));
    writeFileSync(at('t-6.pcap'), capture(15, 20));
    await takeUntil(source, taken, 20);
    rmSync(at('t-5.pcap'));
    writeFileSync(at('t-7.pcap.gz'), gzipSync(capture(20, 25)));
    await takeUntil(source, taken, 25);
    expect(taken.seconds).toEqual(range(0, 25));
  });

  it('reads a name again when a ring of files comes round', async () => {
    const taken = new Taken();
    const source = await begin();
    writeFileSync(at('ring0'), capture(0, 10));
    writeFileSync(at('ring1'), capture(10, 20));
    await takeUntil(source, taken, 20);
    truncateSync(at('ring0'));
    writeFileSync(at('ring0'), capture(20, 30));
    await takeUntil(source, taken, 30);
    expect(taken.seconds).toEqual(range(0, 30));
  });

  it('goes on from its position: in the middle of a file, though that was compressed meanwhile', async () => {
    const before = new Taken();
    const first = await begin();
    writeFileSync(at('t-1.pcap'), capture(0, 10));
    writeFileSync(at('t-2.pcap'), capture(10, 20));
    while (before.seconds.length < 14) {
      await first.poll(before, 14 - before.seconds.length);
      await setImmediate();
    }
    const state = saved(first);
    await first.stop();
    writeFileSync(at('t-2.pcap.gz'), gzipSync(readFileSync(at('t-2.pcap'))));
    rmSync(at('t-2.pcap'));
    writeFileSync(at('t-3.pcap'), capture(20, 30));
    const after = new Taken();
    await takeUntil(await begin({}, state), after, 16);
    expect([...before.seconds, ...after.seconds]).toEqual(range(0, 30));
  });

  it('says what is damaged and goes on', async () => {
    const taken = new Taken();
    const source = await begin();
    writeFileSync(at('t-1.pcap'), capture(0, 10).subarray(0, 500));
    writeFileSync(at('t-2.pcap'), capture(10, 20));
    await takeUntil(source, taken, 16);
    expect(source.error).toMatchObject({ code: 'capture.truncated' });
    expect(taken.seconds.slice(-10)).toEqual(range(10, 20));
  });
});

describe('a finite run', () => {
  it('reads what is there in the order of time, and is done', async () => {
    writeFileSync(at('b.pcap'), capture(0, 10));
    writeFileSync(at('a.pcap'), capture(5, 15));
    const source = await begin({}, undefined, true);
    const taken = new Taken();
    while (!source.done) await source.poll(taken, 3);
    expect(taken.seconds).toEqual([...range(0, 10), ...range(5, 15)].sort((a, b) => a - b));
  });

  it('interrupted anywhere, gives the rest in the same order', async () => {
    writeFileSync(at('b.pcap'), capture(0, 10));
    writeFileSync(at('a.pcap'), capture(5, 15));
    const all = [...range(0, 10), ...range(5, 15)].sort((a, b) => a - b);
    for (let cut = 1; cut < all.length; cut++) {
      const taken = new Taken();
      const first = await begin({}, undefined, true);
      while (taken.seconds.length < cut) await first.poll(taken, cut - taken.seconds.length);
      const second = await begin({}, saved(first), true);
      while (!second.done) await second.poll(taken, 4);
      expect(taken.seconds).toEqual(all);
    }
  });

  it('gives nothing later than it is asked for', async () => {
    writeFileSync(at('a.pcap'), capture(0, 10));
    const source = await begin({ type: 'capture', path: at('*.pcap') }, undefined, true);
    const taken = new Taken();
    await source.poll(taken, 100, 4e6);
    expect(taken.seconds).toEqual(range(0, 5));
    expect(await source.peek?.()).toBe(5e6);
  });
});

it('files with names of all kinds do not hold memory or handles once they are read', async () => {
  const taken = new Taken();
  const source = await begin();
  const hourAgo = Date.now() / 1000 - 3600;
  for (let i = 0; i < 300; i++) {
    const name = `${String.fromCharCode(97 + (i % 26))}${'x'.repeat(Math.floor(i / 26) + 1)}.pcap`;
    writeFileSync(at(name), capture(i, i + 1));
    utimesSync(at(name), hourAgo, hourAgo);
  }
  await takeUntil(source, taken, 300);
  expect(taken.seconds).toHaveLength(300);
  expect(readdirSync('/proc/self/fd').length).toBeLessThan(100);
  const place = new StateWriter();
  source.place?.(place);
  expect(saved(source).length).toBeGreaterThan(30_000);
  expect(place.byteLength).toBeLessThan(1000);
  appendFileSync(at('ax.pcap'), capture(900, 902).subarray(24));
  await takeUntil(source, taken, 302);
  expect(taken.seconds.slice(-2)).toEqual([900, 901]);
});
