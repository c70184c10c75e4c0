import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { backtest, type HorizonRecord } from '../../src/forecast/forecast.ts';
import { daily, HOUR_US, random } from './series.ts';

const DATA = new URL('../../../shared/data/series/', import.meta.url).pathname;
const there = existsSync(DATA);
const load = (name: string) =>
  readFileSync(DATA + name, 'utf8')
    .trim()
    .split('\n')
    .map(Number);

function sound(record: HorizonRecord, dayAhead: boolean): void {
  expect(record.mape).toBeLessThan(Math.min(record.mapeNaive, record.mapeSeasonalNaive, record.mapeHoltWinters));
  expect(record.coverage95).toBeGreaterThan(dayAhead ? 93 : 93.5);
  expect(record.coverage95).toBeLessThan(dayAhead ? 97 : 96.5);
  expect(record.worstWeek95).toBeGreaterThan(dayAhead ? 85 : 91);
}

describe.skipIf(!there)('an ISP link of the public record (skips without ../shared/data)', () => {
  test('five minutes', () => {
    const [next, hour, day] = backtest(load('A5M.txt'), { stepUs: 300e6, horizons: [1, 12, 288] });
    expect(next.mape).toBeLessThan(3.05);
    expect(hour.mape).toBeLessThan(8.6);
    expect(day.mape).toBeLessThan(17.5);
    expect(next.mapeNaive).toBeCloseTo(3.07, 1);
    sound(next, false);
    sound(day, true);
  });

  test('hourly', () => {
    const [next, day] = backtest(load('A1H.txt'), { stepUs: HOUR_US, horizons: [1, 24] });
    expect(next.mape).toBeLessThan(6.5);
    expect(day.mape).toBeLessThan(16);
    expect(day.mapeSeasonalNaive).toBeCloseTo(22.1, 1);
    sound(next, false);
    sound(day, true);
  });

  test.each([1, 2, 3, 4])('injected anomalies and gaps do not spoil the clean points, seed %d', (seed) => {
    for (const [name, stepUs] of [
      ['A5M.txt', 300e6],
      ['A1H.txt', HOUR_US],
    ] as const) {
      const clean = load(name);
      const [undisturbed] = backtest(clean, { stepUs, horizons: [1] });
      const [disturbed] = backtest(spoiled(clean, seed), { stepUs, horizons: [1], truth: clean });
      expect(disturbed.mape).toBeLessThan(1.4 * undisturbed.mape);
    }
  });
});

/** 50 anomalies (five times, a fiftieth, a gap of up to three steps) and 2 % missing. */
function spoiled(clean: readonly number[], seed: number): number[] {
  const next = random(seed);
  const values = [...clean];
  for (let k = 0; k < 50; k++) {
    const i = Math.floor(next() * values.length);
    const kind = Math.floor(next() * 3);
    if (kind < 2) values[i] *= kind === 0 ? 5 : 0.02;
    else values.fill(Number.NaN, i, i + 1 + Math.floor(next() * 3));
  }
  return values.map((v) => (next() < 0.02 ? Number.NaN : v));
}

test('the forecast of the past does not depend on the future', () => {
  const value = daily(9);
  const values = Array.from({ length: 900 }, (_, i) => value(i * HOUR_US));
  const changed = values.map((v, i) => (i < 750 ? v : v * 100));
  const until = (series: number[]) => backtest(series.slice(0, 750), { stepUs: HOUR_US, horizons: [1, 24], test: 0.2 });
  expect(until(changed)).toEqual(until(values));
});

test('series of zeros, of one value and of gaps give records without crashing', () => {
  for (const series of [
    new Array(300).fill(0),
    new Array(300).fill(5),
    new Array(300).fill(Number.NaN),
    [1, 2, 3],
    [],
  ]) {
    const [record] = backtest(series, { stepUs: HOUR_US, horizons: [1] });
    expect(record.n).toBeLessThanOrEqual(100);
  }
});
