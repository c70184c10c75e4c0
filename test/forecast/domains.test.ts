import { expect, test } from 'vitest';
import { backtest, forecasters, type HorizonRecord } from '../../src/forecast/forecast.ts';
import { DOMAINS } from './domains.ts';

const DAY_US = 86_400e6;
const SEEDS = [1, 2, 3];

function values(domain: (typeof DOMAINS)[number], seed: number): number[] {
  const make = domain.make(seed);
  return Array.from({ length: domain.steps }, (_, i) => make(i));
}

const mean = (records: HorizonRecord[], of: (record: HorizonRecord) => number) =>
  records.reduce((sum, record) => sum + of(record), 0) / records.length;

/** A test part of a month holds a dozen independent days: one series may miss the aim by chance, their mean may not. */
test.each(DOMAINS)('$name: calibrated, and better than simple methods', (domain) => {
  const horizons = [1, Math.round(DAY_US / domain.stepUs)];
  const records = SEEDS.map((seed) => backtest(values(domain, seed), { stepUs: domain.stepUs, horizons }));
  const next = records.map(([first]) => first);
  const day = records.map(([, second]) => second);
  expect(mean(next, (r) => r.coverage95)).toBeGreaterThan(93.5);
  expect(mean(next, (r) => r.coverage95)).toBeLessThan(96.5);
  expect(mean(next, (r) => r.worstWeek95)).toBeGreaterThan(91);
  expect(mean(day, (r) => r.coverage95)).toBeGreaterThan(93);
  expect(mean(day, (r) => r.coverage95)).toBeLessThan(97);
  expect(mean(day, (r) => r.worstWeek95)).toBeGreaterThan(80);
  if (domain.outages) return;
  const slack = domain.plain ? 1.03 : 1.01;
  expect(mean(next, (r) => r.mape)).toBeLessThan(slack * mean(next, (r) => r.mapeNaive));
  expect(mean(day, (r) => r.mape)).toBeLessThan(slack * mean(day, (r) => r.mapeSeasonalNaive));
});

test.each(DOMAINS)('$name: paths are finite, ordered and never below zero', (domain) => {
  const model = forecasters.create({ stepUs: domain.stepUs });
  values(domain, 5).forEach((value, i) => {
    model.update(i * domain.stepUs, i % 41 === 0 ? Number.NaN : value);
  });
  for (const point of model.forecast(Math.round((9 * DAY_US) / domain.stepUs)).points) {
    const bounds = [point.low95, point.low80, point.expected, point.high80, point.high95];
    expect(bounds.every((bound) => Number.isFinite(bound) && bound >= 0)).toBe(true);
    expect(bounds.toSorted((a, b) => a - b)).toEqual(bounds);
  }
});
