import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseTimeUs } from '../../src/core/time.ts';
import { AnomalyDetector } from '../../src/forecast/forecast.ts';
import { type LabelledSeries, nabScore } from './nab.ts';

const DATA = new URL('../../../shared/data/nab/', import.meta.url).pathname;
const there = existsSync(DATA);

test('rules: nothing found is 0, all found at once is 100, a detection outside costs', () => {
  const windows: [number, number][] = [[500, 599]];
  const at = (...rows: number[]): LabelledSeries => {
    const scores = new Float64Array(1000);
    for (const row of rows) scores[row] = 1;
    return { name: 'x', windows, scores };
  };
  expect(nabScore([at()], 0.5).score).toBe(0);
  expect(nabScore([at(500)], 0.5).score).toBeGreaterThan(99.9);
  expect(nabScore([at(500, 510, 520)], 0.5).score).toBe(nabScore([at(500)], 0.5).score);
  expect(nabScore([at(550)], 0.5).score).toBeLessThan(nabScore([at(500)], 0.5).score);
  expect(nabScore([at(500, 200)], 0.5).score).toBeCloseTo(100 - (100 * 0.11) / 2, 0);
  expect(nabScore([at(500, 10)], 0.5).score).toBeGreaterThan(99.9);
  // The middle of a window earns 0.848 (published table of the sigmoid), relative to 0.987 at its left edge.
  expect(nabScore([at(551)], 0.5).score).toBeCloseTo(50 + (50 * 0.84) / 0.98661, 0);
});

test.skipIf(!there)('NAB, standard profile, three public series: at least 60 (skips without ../shared/data)', () => {
  const labels = JSON.parse(readFileSync(`${DATA}labels.json`, 'utf8')) as Record<string, { windows: string[][] }>;
  const corpus = Object.entries(labels).map(([name, { windows }]) => seriesOf(name, windows));
  const result = nabScore(corpus);
  console.log('NAB', result);
  expect(result.score).toBeGreaterThan(60);
});

function seriesOf(name: string, windows: string[][]): LabelledSeries {
  const rows = readFileSync(DATA + name, 'utf8')
    .trim()
    .split('\n')
    .slice(1);
  const times = rows.map((row) => parseTimeUs(row.split(',')[0]));
  const detector = new AnomalyDetector(times[1] - times[0]);
  const scores = rows.map((row, i) => detector.update(times[i], Number(row.split(',')[1])).score);
  const place = (text: string) => times.indexOf(parseTimeUs(text));
  return { name, scores, windows: windows.map(([from, to]) => [place(from), place(to)]) };
}
