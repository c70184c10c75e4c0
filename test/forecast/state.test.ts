import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Metrics } from '../../src/core/metrics.ts';
import { AnomalyDetector, CounterRate, forecasters, LoadBook, loadPlans } from '../../src/forecast/forecast.ts';
import type { WindowResults } from '../../src/model/window-result.ts';
import { HOUR_US, normal, random, restored, saved } from './series.ts';

const STEP_US = 300e6;

test('an anomaly detector cut anywhere goes on to the last digit', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 900 }), fc.integer(), fc.boolean(), (cut, seed, negative) => {
      const whole = new AnomalyDetector(STEP_US);
      let broken = new AnomalyDetector(STEP_US);
      const noise = normal(seed);
      const next = random(seed);
      for (let i = 0; i < 1000; i++) {
        if (i === cut) broken = restored(new AnomalyDetector(STEP_US), saved(broken));
        const value = next() < 0.02 ? Number.NaN : (negative ? 0 : 20) + noise() + (next() < 0.01 ? 30 : 0);
        expect(broken.update(i * STEP_US, value)).toEqual(whole.update(i * STEP_US, value));
      }
      expect(saved(broken)).toEqual(saved(whole));
    }),
    { numRuns: 20 },
  );
});

test('a counter cut anywhere goes on', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(4_000_000_000), { minLength: 2, maxLength: 20 }), fc.nat(20), (readings, cut) => {
      const options = { stepUs: STEP_US, bits: 32, mostPerSecond: 1e9 } as const;
      const whole = new CounterRate(options);
      let broken = new CounterRate(options);
      readings.forEach((reading, i) => {
        if (i === cut) broken = restored(new CounterRate(options), saved(broken));
        expect(broken.update(i * STEP_US, reading, i)).toBe(whole.update(i * STEP_US, reading, i));
      });
    }),
  );
});

/** A window of the recording rule `rule` with these keys and values. */
function windowOf(rule: number, endUs: number, rows: { key: Record<string, string | number>; values: number[] }[]) {
  const plan = loadPlans([])[rule];
  const results = {
    rule: plan,
    endUs,
    length: rows.length,
    values: Float64Array.from(rows.flatMap((row) => row.values)),
    key: (i: number) => rows[i].key,
  };
  return results as unknown as WindowResults;
}

const INTERFACE = 3;
const SERVICE = 4;

test('a book of loads cut anywhere gives the same series, points and forecasts', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 700 }), fc.integer(), (cut, seed) => {
      const points: [string, number, number][][] = [[], []];
      const make = (i: number) =>
        new LoadBook(
          { maxSeries: 6, maxRecent: 40 },
          { forecasters, metrics: new Metrics(), onPoint: (name, t, v) => points[i].push([name, t, v]) },
        );
      const whole = make(0);
      let broken = make(1);
      const next = random(seed);
      for (let i = 0; i < 800; i++) {
        if (i === cut) broken = restored(make(1), saved(broken));
        const ports = [1, 2, 3].filter(() => next() < 0.9);
        const rows = ports.map((port) => ({ key: { exporter: 'a', in_if: port }, values: [1e6 * (1 + next())] }));
        const services = next() < 0.5 ? [{ key: { proto: 6, 'dst.port': 443 }, values: [next(), next()] }] : [];
        for (const book of [whole, broken]) {
          book.results(windowOf(INTERFACE, i * STEP_US, rows));
          book.results(windowOf(SERVICE, i * STEP_US, services));
        }
      }
      expect(points[1]).toEqual(points[0]);
      expect(saved(broken)).toEqual(saved(whole));
      broken.all().forEach(({ name, model, recent }) => {
        expect(recent).toEqual(whole.get(name)?.recent);
        expect(model.forecast(288)).toEqual(whole.get(name)?.model.forecast(288));
      });
    }),
    { numRuns: 6 },
  );
});

test('state cut short or of another step is refused by its code', () => {
  const model = forecasters.create({ stepUs: HOUR_US });
  for (let i = 0; i < 50; i++) model.update(i * HOUR_US, i);
  const bytes = saved(model);
  const code = (run: () => void) => {
    try {
      run();
    } catch (error) {
      return (error as { code: string }).code;
    }
    return null;
  };
  expect(code(() => restored(forecasters.create({ stepUs: STEP_US }), bytes))).toBe('state.options');
  expect(code(() => restored(forecasters.create({ stepUs: HOUR_US }), bytes.subarray(0, 90)))).toBe('state.damaged');
});
