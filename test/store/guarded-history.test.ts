import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { Metrics } from '../../src/core/metrics.ts';
import { Names } from '../../src/model/names.ts';
import { GuardedHistory, History, HistoryReader } from '../../src/store/store.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-guard-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const START_US = 1_700_000_000e6;

async function guarded(mostRows: number) {
  const path = join(folder, 'history');
  const metrics = new Metrics();
  let nowMs = 0;
  const history = new History({ path, writer: 'run', epoch: 0 }, { names: new Names(), metrics });
  const options = { mostRows, flushEveryMs: 60_000, retryMs: 5000, nowMs: () => nowMs };
  const guard = new GuardedHistory(history, options, { metrics, logger: silentLogger() });
  await history.start();
  const put = (from: number, to: number) => {
    for (let i = from; i < to; i++) guard.series('total.bps', START_US + i * 1e6, i);
  };
  const wait = (ms: number) => {
    nowMs += ms;
  };
  return { path, guard, put, wait };
}

/** A file where the folder should be: nothing can be written below it. */
const block = (): void => writeFileSync(join(folder, 'history'), '');
const unblock = (): void => rmSync(join(folder, 'history'));

async function values(path: string): Promise<number[]> {
  const reader = new HistoryReader(path);
  const points = await reader.series('total.bps');
  reader.close();
  return points.map(({ value }) => value);
}

it('rows leave when it is time', async () => {
  const { path, guard, put, wait } = await guarded(1000);
  put(0, 5);
  await guard.settle();
  wait(60_000);
  await guard.settle();
  await guard.idle();
  expect(await values(path)).toEqual([0, 1, 2, 3, 4]);
  await guard.stop();
});

it('what cannot be written waits, and is written once it can', async () => {
  const { path, guard, put, wait } = await guarded(1000);
  block();
  put(0, 5);
  await guard.flush();
  expect(guard.problem).not.toBeNull();
  unblock();
  put(5, 8);
  await guard.settle();
  expect(guard.problem).not.toBeNull();
  wait(5000);
  await guard.settle();
  await guard.idle();
  expect(guard.problem).toBeNull();
  expect(guard.gapRows).toBe(0);
  await guard.stop();
  expect(await values(path)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

it('what is too much for memory is given up, and counted', async () => {
  const { path, guard, put, wait } = await guarded(10);
  block();
  put(0, 20);
  await guard.flush();
  expect(guard.gapRows).toBe(20);
  put(20, 25);
  unblock();
  wait(5000);
  await guard.settle();
  await guard.idle();
  await guard.stop();
  expect(await values(path)).toEqual([20, 21, 22, 23, 24]);
});
