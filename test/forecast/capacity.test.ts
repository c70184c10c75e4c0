import { describe, expect, test } from 'vitest';
import { forecasters } from '../../src/forecast/forecast.ts';
import { HOUR_US, normal, random } from './series.ts';

const DAY_US = 24 * HOUR_US;
const YEAR = 365;
const MOST_DAYS = 1100;
/** Few steps a day, so that thousands of years take seconds. */
const STEPS = 4;
const STEP_US = DAY_US / STEPS;

interface Growth {
  name: string;
  seeds: number;
  /** Share or amount a day. */
  exponential: boolean;
  /** Correlation of neighbouring days. */
  memory: number;
}

/**
 * A year of a load that grows by 20 to 80 %, with a quieter weekend, a daily curve and days that scatter by 2 to 8 %;
 * the threshold is where the trend will be 20 to 180 days later. The truth is the first later day whose 95th percentile
 * is at the threshold.
 */
function trial(seed: number, growth: Growth) {
  const draw = random(seed * 31 + 7);
  const noise = normal(seed);
  const rate = (0.2 + 0.6 * draw()) / YEAR;
  const scatter = 0.02 + 0.06 * draw();
  const weekend = 0.05 + 0.3 * draw();
  const line = (day: number) => (growth.exponential ? Math.exp(rate * day) : 1 + rate * day);
  const threshold = 1e6 * line(YEAR + 20 + 160 * draw());
  let wander = 0;
  const peak = (day: number) => {
    wander = growth.memory * wander + Math.sqrt(1 - growth.memory ** 2) * noise();
    return 1e6 * line(day) * (day % 7 >= 5 ? 1 - weekend : 1) * Math.exp(scatter * wander);
  };
  const model = forecasters.create({ stepUs: STEP_US });
  for (let day = 0; day < YEAR; day++) {
    const top = peak(day);
    for (let i = 0; i < STEPS; i++) model.update(day * DAY_US + i * STEP_US, top * curve(i));
  }
  model.update(YEAR * DAY_US, 0.4 * 1e6 * line(YEAR));
  let truth = YEAR;
  while (peak(truth) < threshold) truth++;
  return { capacity: model.capacity(threshold, MOST_DAYS * DAY_US), truthUs: truth * DAY_US };
}

/** One in the busiest six hours, which are the 95th percentile of four. */
function curve(i: number): number {
  return (
    0.4 + (0.6 * Math.max(0, Math.sin((Math.PI * (i + 0.5)) / STEPS)) ** 2) / Math.sin((Math.PI * 1.5) / STEPS) ** 2
  );
}

describe.each([
  { name: 'a share a day', exponential: true, memory: 0, seeds: 500 },
  { name: 'a share a day, days that resemble their neighbours', exponential: true, memory: 0.7, seeds: 200 },
  { name: 'an amount a day', exponential: false, memory: 0, seeds: 200 },
])('a year that grows by $name', (growth) => {
  test(`the 95 % interval of the date contains the truth in 90 to 97 % of ${growth.seeds} seeds`, () => {
    let inside = 0;
    for (let seed = 1; seed <= growth.seeds; seed++) {
      const { capacity, truthUs } = trial(seed, growth);
      const { loUs, hiUs } = capacity;
      if (truthUs >= (loUs ?? Infinity) && truthUs <= (hiUs ?? Infinity)) inside++;
    }
    console.log(growth.name, inside / growth.seeds);
    expect(inside / growth.seeds).toBeGreaterThanOrEqual(0.9);
    expect(inside / growth.seeds).toBeLessThanOrEqual(0.97);
  });
});

test('a load that does not grow reaches nothing; a threshold below it is reached at once; short histories say so', () => {
  const noise = normal(5);
  const model = forecasters.create({ stepUs: HOUR_US });
  const feed = (days: number, from: number) => {
    for (let i = from * 24; i < days * 24; i++) model.update(i * HOUR_US, 1000 * Math.exp(0.05 * noise()));
  };
  feed(10, 0);
  expect(model.capacity(1500, 90 * DAY_US)).toMatchObject({ etaUs: null, loUs: null, hiUs: null, probability: 0 });
  feed(100, 10);
  const far = model.capacity(3000, 90 * DAY_US);
  expect(far.etaUs).toBeNull();
  expect(far.probability).toBeLessThan(0.01);
  const near = model.capacity(500, 90 * DAY_US);
  expect(near.probability).toBe(1);
  expect((near.etaUs ?? 0) / DAY_US).toBeLessThan(101);
});
