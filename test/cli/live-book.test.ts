import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { LiveBook } from '../../src/cli/live-book.ts';
import { StoredPoints } from '../../src/cli/stored-points.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { Metrics } from '../../src/core/metrics.ts';
import { Names } from '../../src/model/names.ts';
import { History } from '../../src/store/store.ts';

const folder = mkdtempSync(join(tmpdir(), 'weir-book-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const HOUR_US = 3600e6;
const START_US = 480_000 * HOUR_US;

it('a series goes back before what is in memory, to what is stored', async () => {
  const history = new History(
    { path: folder, writer: 'run', epoch: 0 },
    { names: new Names(), metrics: new Metrics() },
  );
  await history.start();
  for (let i = 0; i < 5; i++) history.series('total.bps', START_US + i * HOUR_US, i);
  await history.stop();
  const stored = new StoredPoints(folder, silentLogger());
  const ports = { status: () => ({}), forecast: () => null, allTalkers: false };
  const book = new LiveBook({ ...ports, stored: (...asked) => stored.read(...asked) });
  const values = async (from = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY) =>
    (await book.series('total.bps', from, until))?.map(({ value }) => value) ?? null;
  expect(await values()).toEqual([0, 1, 2, 3, 4]);
  book.point('total.bps', START_US + 4 * HOUR_US, 4);
  book.point('total.bps', START_US + 5 * HOUR_US, 5);
  expect(await values()).toEqual([0, 1, 2, 3, 4, 5]);
  expect(await values(START_US + 2 * HOUR_US, START_US + 5 * HOUR_US)).toEqual([2, 3, 4]);
  expect(await values(START_US + 5 * HOUR_US)).toEqual([5]);
  expect(await book.series('no.such', 0, 1e18)).toBeNull();
});
