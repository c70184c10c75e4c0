import fc from 'fast-check';
import { expect, test } from 'vitest';
import { forecasters } from '../../src/forecast/forecast.ts';
import { daily, HOUR_US, normal, random, restored, saved } from './series.ts';

const DAY_US = 24 * HOUR_US;

/** A weekday curve that grows by `share` a day, with noise that lasts over hours. */
function growing(seed: number, share: number, scatter = 0.05) {
  const noise = normal(seed);
  let wander = 0;
  return (timeUs: number) => {
    const day = Math.floor(timeUs / DAY_US);
    wander = 0.8 * wander + 0.6 * noise();
    const curve = 2 + Math.sin((2 * Math.PI * timeUs) / DAY_US);
    return 1e6 * curve * (day % 7 >= 5 ? 0.6 : 1) * Math.exp(share * day + scatter * wander);
  };
}

test('the coming day lies in its 95 % interval about as often as it should', () => {
  const value = growing(3, 0.001);
  const model = forecasters.create({ stepUs: HOUR_US });
  let inside = 0;
  let n = 0;
  let pending: { timeUs: number; low95: number; high95: number }[] = [];
  for (let i = 0; i < 24 * 120; i++) {
    const timeUs = i * HOUR_US;
    const y = value(timeUs);
    for (const point of pending.filter((p) => p.timeUs === timeUs)) {
      n++;
      if (y >= point.low95 && y <= point.high95) inside++;
    }
    model.update(timeUs, y);
    if (i > 24 * 30 && i % 31 === 0) pending = model.forecast(24).points;
  }
  expect(n).toBeGreaterThan(1500);
  expect(inside / n).toBeGreaterThan(0.91);
  expect(inside / n).toBeLessThan(0.985);
});

test('a quarter ahead follows week and growth, and its interval holds what comes', () => {
  const value = growing(8, 0.003);
  const model = forecasters.create({ stepUs: HOUR_US });
  const start = 24 * 200;
  for (let i = 0; i < start; i++) model.update(i * HOUR_US, value(i * HOUR_US));
  const { points, learned } = model.forecast(24 * 90);
  expect(learned).toBe(true);
  expect(points.length).toBe(24 * 90);
  let inside = 0;
  let off = 0;
  for (const point of points) {
    const y = value(point.timeUs);
    if (y >= point.low95 && y <= point.high95) inside++;
    off += Math.abs(point.expected / y - 1);
  }
  expect(inside / points.length).toBeGreaterThan(0.9);
  expect(off / points.length).toBeLessThan(0.12);
});

test('cold start: nothing before two values, wide intervals before two days, no crash without seasons', () => {
  const model = forecasters.create({ stepUs: HOUR_US });
  expect(model.forecast(5).points).toEqual([]);
  model.update(0, 100);
  expect(model.forecast(5).points).toEqual([]);
  model.update(HOUR_US, 110);
  const young = model.forecast(5);
  expect(young.learned).toBe(false);
  expect(young.points.length).toBe(5);
  for (const p of young.points) expect(p.low95 < p.expected && p.expected < p.high95).toBe(true);
  const bare = forecasters.create({ stepUs: HOUR_US, seasonUs: [] });
  for (let i = 0; i < 100; i++) bare.update(i * HOUR_US, 10 + (i % 3));
  expect(bare.forecast(200).points.every((p) => p.expected > 5 && p.expected < 20)).toBe(true);
});

test('steps of ten seconds are gathered so that memory stays bounded', () => {
  const model = forecasters.create({ stepUs: 10e6 });
  const value = daily(2);
  for (let i = 0; i < 8640 * 3; i++) model.update(i * 10e6, value(i * 10e6));
  const forecast = model.forecast(288);
  expect(forecast.stepUs).toBe(300e6);
  expect(saved(model).length).toBeLessThan(20_000);
  const error = forecast.points.map((p) =>
    Math.abs(p.expected / (1e6 * (2 + Math.sin((2 * Math.PI * p.timeUs) / DAY_US))) - 1),
  );
  expect(error.reduce((sum, e) => sum + e, 0) / 288).toBeLessThan(0.05);
});

test('a restored forecaster answers to the last digit', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1400 }),
      fc.integer(),
      fc.constantFrom(HOUR_US, 100e6),
      (cut, seed, stepUs) => {
        const options = { stepUs, maxCells: 700 };
        const whole = forecasters.create(options);
        let broken = forecasters.create(options);
        const next = random(seed);
        for (let i = 0; i < 1500; i++) {
          if (i === cut) broken = restored(forecasters.create(options), saved(broken));
          const value = next() < 0.05 ? Number.NaN : 1e6 * (1 + next());
          whole.update(i * stepUs, value);
          broken.update(i * stepUs, value);
        }
        expect(saved(broken)).toEqual(saved(whole));
        expect(broken.forecast(300)).toEqual(whole.forecast(300));
        expect(broken.capacity(4e6, 100 * DAY_US)).toEqual(whole.capacity(4e6, 100 * DAY_US));
      },
    ),
    { numRuns: 12 },
  );
});

test('any times and values leave the forecast finite and in order', () => {
  const event = fc.record({
    gap: fc.integer({ min: -3, max: 500 }),
    value: fc.oneof(fc.double({ min: 0, max: 1e15 }), fc.constantFrom(0, -1, Number.NaN)),
  });
  fc.assert(
    fc.property(fc.array(event, { minLength: 2, maxLength: 200 }), (events) => {
      const model = forecasters.create({ stepUs: HOUR_US });
      let timeUs = 1.6e15;
      for (const { gap, value } of events) {
        timeUs += gap * HOUR_US;
        model.update(timeUs, value);
      }
      for (const p of model.forecast(24 * 20).points) {
        expect(p.low95 <= p.low80 && p.low80 <= p.expected && p.expected <= p.high80 && p.high80 <= p.high95).toBe(
          true,
        );
      }
    }),
  );
});
