import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CalendarForecaster, forecasters, pooledForecaster, reconcile } from '../../src/forecast/forecast.ts';
import type { LoadForecast } from '../../src/model/series.ts';
import { HOUR_US, normal, restored, saved } from './series.ts';

const DAY_US = 24 * HOUR_US;
/** A Monday in winter. */
const START_US = Date.UTC(2026, 0, 5) * 1000;
const office = (localHours: number) => 1e6 * (localHours % 24 >= 8 && localHours % 24 < 18 ? 5 : 1);

function error(forecast: LoadForecast, truth: (timeUs: number) => number): number {
  const errors = forecast.points.map(({ timeUs, expected }) => Math.abs(expected / truth(timeUs) - 1));
  return errors.reduce((sum, e) => sum + e, 0) / errors.length;
}

test('on the day after a clock change, the hour of the day is the one on the wall', () => {
  const changeUs = Date.UTC(2026, 2, 29, 1) * 1000;
  const noise = normal(3);
  const truth = (timeUs: number) => office((timeUs - START_US) / HOUR_US + (timeUs >= changeUs ? 2 : 1));
  const forecastOf = (zone: string | undefined) => {
    const model = new CalendarForecaster(forecasters.create({ stepUs: HOUR_US }), { zone });
    for (let timeUs = START_US; timeUs <= changeUs + 2 * HOUR_US; timeUs += HOUR_US) {
      model.update(timeUs, truth(timeUs) * Math.exp(0.02 * noise()));
    }
    return model.forecast(20);
  };
  const berlin = forecastOf('Europe/Berlin');
  expect(error(berlin, truth)).toBeLessThan(0.06);
  expect(error(forecastOf(undefined), truth)).toBeGreaterThan(0.12);
  expect(berlin.points[0].timeUs).toBe(changeUs + 3 * HOUR_US);
  expect(() => new CalendarForecaster(forecasters.create({ stepUs: HOUR_US }), { zone: 'Nowhere' })).toThrow(
    RangeError,
  );
});

test('a holiday is forecast as earlier ones were, and spoils nothing after it', () => {
  const days = [40, 70, 100];
  const holidays = days.map((day) => new Date((START_US + day * DAY_US) / 1000).toISOString().slice(0, 10));
  const noise = normal(4);
  const truth = (timeUs: number) => {
    const hours = (timeUs - START_US) / HOUR_US;
    return days.includes(Math.floor(hours / 24)) ? 1e6 : office(hours);
  };
  const run = (known: string[]) => {
    const model = new CalendarForecaster(forecasters.create({ stepUs: HOUR_US }), { holidays: known });
    let timeUs = START_US;
    const until = (day: number) => {
      for (; timeUs < START_US + day * DAY_US; timeUs += HOUR_US) {
        model.update(timeUs, truth(timeUs) * Math.exp(0.02 * noise()));
      }
      return error(model.forecast(24), truth);
    };
    return [until(70), until(71), until(100)];
  };
  const [second, after, third] = run(holidays);
  expect(Math.max(second, after, third)).toBeLessThan(0.1);
  expect(Math.max(...run([]))).toBeGreaterThan(0.5);
});

test('a calendar cut anywhere goes on to the last digit', () => {
  const options = { holidays: ['2026-01-07', '2026-01-20'], zone: 'America/New_York' };
  const make = () => new CalendarForecaster(forecasters.create({ stepUs: HOUR_US }), options);
  fc.assert(
    fc.property(fc.nat(500), fc.integer(), (cut, seed) => {
      const noise = normal(seed);
      const whole = make();
      let broken = make();
      for (let i = 0; i < 500; i++) {
        if (i === cut) broken = restored(make(), saved(broken));
        const value = office(i) * Math.exp(0.1 * noise());
        for (const model of [whole, broken]) model.update(START_US + i * HOUR_US, value);
      }
      expect(broken.forecast(400)).toEqual(whole.forecast(400));
    }),
    { numRuns: 8 },
  );
});

test('reconciled forecasts add up, and the surest moves least', () => {
  const path = (level: number, seed: number, scatter: number) => {
    const noise = normal(seed);
    const model = forecasters.create({ stepUs: HOUR_US });
    for (let i = 0; i < 400; i++) model.update(i * HOUR_US, level * office(i) * Math.exp(scatter * noise()));
    return model.forecast(30);
  };
  const whole = path(10, 1, 0.01);
  const parts = [path(6, 2, 0.02), path(5, 3, 0.2)];
  const added = reconcile(whole, parts);
  added.whole.points.forEach((point, i) => {
    const sum = added.parts.reduce((total, { points }) => total + points[i].expected, 0);
    expect(point.expected / sum).toBeCloseTo(1, 9);
    expect(point.low95 <= point.low80 && point.low80 <= point.expected && point.expected <= point.high80).toBe(true);
    const moved = (before: LoadForecast, after: LoadForecast) =>
      Math.abs(after.points[i].expected - before.points[i].expected);
    expect(moved(whole, added.whole)).toBeLessThan(moved(parts[1], added.parts[1]));
  });
});

test('a series of half a day borrows its day from its parent', () => {
  const noise = normal(6);
  const values = (n: number, level: number, from: number) =>
    Array.from({ length: n }, (_, i) => level * office(from + i) * Math.exp(0.03 * noise()));
  const parent = { stepUs: HOUR_US, lastUs: 599 * HOUR_US, recent: values(600, 10, 0) };
  const child = { stepUs: HOUR_US, lastUs: 599 * HOUR_US, recent: values(12, 0.2, 588) };
  const truth = (timeUs: number) => 0.2 * office(timeUs / HOUR_US);
  const pooled = pooledForecaster(child, parent, forecasters);
  expect(pooled && error(pooled.forecast(24), truth)).toBeLessThan(0.12);
  const alone = forecasters.create({ stepUs: HOUR_US });
  child.recent.forEach((value, i) => {
    alone.update((588 + i) * HOUR_US, value);
  });
  expect(error(alone.forecast(24), truth)).toBeGreaterThan(0.3);
  expect(pooledForecaster({ ...child, stepUs: 60e6 }, parent, forecasters)).toBeNull();
  expect(pooledForecaster({ ...child, recent: [1] }, parent, forecasters)).toBeNull();
});
