import { expect, test } from 'vitest';
import { fanChart, forecasters } from '../../src/forecast/forecast.ts';
import type { LoadForecast } from '../../src/model/series.ts';
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
