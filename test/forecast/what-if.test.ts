import { expect, test } from 'vitest';
import { CalendarForecaster, fanChart, forecasters } from '../../src/forecast/forecast.ts';
import type { LoadForecast, WhatIf } from '../../src/model/series.ts';
import { HOUR_US, normal } from './series.ts';

const DAY_US = 24 * HOUR_US;
const HORIZON_US = 1000 * DAY_US;

/** Half a year of a load that grows by 1 a day from 100, with days that scatter by 2 %. */
function model() {
  const noise = normal(4);
  const forecaster = forecasters.create({ stepUs: HOUR_US });
  let scatter = 0;
  for (let i = 0; i < 24 * 180; i++) {
    if (i % 24 === 0) scatter = 0.02 * noise();
    forecaster.update(i * HOUR_US, (100 + i / 24) * Math.exp(scatter));
  }
  return forecaster;
}

test('twice the growth takes half the time, none takes for ever, an added load is taken from what is free', () => {
  const load = model();
  const days = (threshold: number, whatIf?: object) => {
    const { trend } = load.capacity(threshold, HORIZON_US, 1, whatIf);
    return trend.etaUs === null ? null : trend.etaUs / DAY_US - 180;
  };
  const plain = days(400) ?? 0;
  expect(plain).toBeGreaterThan(90);
  expect(plain).toBeLessThan(130);
  const twice = days(400, { growth: 2 }) ?? 0;
  expect(twice / plain).toBeGreaterThan(0.42);
  expect(twice / plain).toBeLessThan(0.58);
  expect(days(400, { growth: 0 })).toBeNull();
  expect(days(400, { add: 50 })).toBe(days(350));
  expect(days(400, { add: 500 })).toBeLessThanOrEqual(0);
  expect(days(400, { growth: 1, add: 0 })).toBe(plain);
});

test('the path moves with what is asked: growth from today on, an added load at once', () => {
  const load = model();
  const at = (whatIf?: WhatIf) => load.forecast(24 * 60, whatIf).points;
  const plain = at();
  expect(at({ growth: 1, add: 0 })).toEqual(plain);
  const added = at({ add: 50 });
  added.forEach(({ expected, low95 }, i) => {
    expect(expected - plain[i].expected).toBeCloseTo(50, 6);
    expect(low95 - plain[i].low95).toBeCloseTo(50, 6);
  });
  // In 60 days the load of 280 grows by 60; three times as fast by 120 more.
  const faster = at({ growth: 3 });
  expect(faster[23].expected - plain[23].expected).toBeLessThan(5);
  const more = faster.at(-1)!.expected - plain.at(-1)!.expected;
  expect(more).toBeGreaterThan(95);
  expect(more).toBeLessThan(145);
  expect(at({ growth: 0 }).at(-1)!.expected).toBeLessThan(plain.at(-1)!.expected - 40);
  for (const { low95, low80, expected, high80, high95 } of faster) {
    expect(low95 <= low80 && low80 <= expected && expected <= high80 && high80 <= high95).toBe(true);
  }
});

test('with a calendar the path moves as well', () => {
  const load = new CalendarForecaster(model(), { zone: 'Europe/Berlin' });
  load.update(180 * DAY_US, 280);
  const [plain] = load.forecast(1).points;
  expect(load.forecast(1, { add: 7 }).points[0].expected).toBeCloseTo(plain.expected + 7, 6);
});

test('a fan chart is a picture of the size asked for, whatever is in it', () => {
  const forecast = model().forecast(48);
  const values = Float64Array.from({ length: 200 }, (_, i) => (i % 50 === 0 ? Number.NaN : 200 + i));
  const cases: [Float64Array, LoadForecast, number | null][] = [
    [values, forecast, 500],
    [values.subarray(0, 3), forecast, null],
    [new Float64Array(0), { ...forecast, points: [] }, null],
    [values, { ...forecast, points: forecast.points.slice(0, 1) }, 1e9],
  ];
  for (const [past, ahead, limit] of cases) {
    const png = fanChart({ width: 300, height: 120, values: past, stepUs: HOUR_US, forecast: ahead, limit });
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([300, 120]);
  }
});
