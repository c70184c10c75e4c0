import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AnomalyDetector } from '../../src/forecast/forecast.ts';
import { daily, HOUR_US, normal } from './series.ts';

const STEP_US = 300e6;

function scores(values: readonly number[]): number[] {
  const detector = new AnomalyDetector(STEP_US);
  return values.map((value, i) => detector.update(i * STEP_US, value).score);
}

test('a burst in a steady series stands out, and is one alarm', () => {
  const noise = normal(1);
  const values = Array.from({ length: 3000 }, (_, i) => 50 + noise() + (i >= 2000 && i < 2030 ? 25 : 0));
  const found = scores(values);
  expect(found.indexOf(Math.max(...found))).toBeLessThan(2003);
  expect(found[2000]).toBeGreaterThan(0.6);
  const high = found.flatMap((score, i) => (score > 0.6 ? [i] : []));
  expect(high.length).toBeLessThan(4);
  expect(high.every((i) => i >= 2000 && i < 2030)).toBe(true);
});

test('a shift of the level, a silence and a reversal of the day are found', () => {
  const value = daily(4);
  const load = Array.from({ length: 4000 }, (_, i) => value(i * STEP_US));
  const around = (changed: number[]) => Math.max(...scores(changed).slice(3000, 3060));
  const quiet = Math.max(...scores(load).slice(1000));
  expect(quiet).toBeLessThan(0.6);
  expect(around(load.map((y, i) => (i >= 3000 ? y + 2.5e6 : y)))).toBeGreaterThan(quiet);
  expect(around(load.map((y, i) => (i >= 3000 && i < 3100 ? 0 : y)))).toBeGreaterThan(0.5);
});

test('a score does not depend on unit, offset or sign', () => {
  const noise = normal(5);
  const values = Array.from({ length: 1500 }, (_, i) => 10 + noise() + (i % 400 === 399 ? 12 : 0));
  const plain = scores(values);
  for (const change of [(v: number) => 1024 * v, (v: number) => v + 4096, (v: number) => -v]) {
    scores(values.map(change)).forEach((score, i) => {
      expect(score).toBeCloseTo(plain[i], 3);
    });
  }
});

test('no look ahead: scores of a beginning do not change with what follows', () => {
  const noise = normal(6);
  const values = Array.from({ length: 900 }, () => 20 + noise());
  expect(scores(values.slice(0, 500))).toEqual(scores([...values.slice(0, 500), 1e9, -5, 0]).slice(0, 500));
});

test.each([
  ['constant', () => 7],
  ['zero', () => 0],
  ['a slow wave', (i: number) => 100 + Math.sin(i / 50)],
])('a series that is %s never scores high', (_, value: (i: number) => number) => {
  expect(Math.max(...scores(Array.from({ length: 2000 }, (_, i) => value(i))))).toBeLessThan(0.5);
});

test('any values and times give a score in 0..1 and bounds in order', () => {
  const value = fc.oneof(fc.double({ min: -1e12, max: 1e12 }), fc.constantFrom(0, Number.NaN));
  const event = fc.record({ gap: fc.integer({ min: -2, max: 50 }), value });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 400 }), (events) => {
      const detector = new AnomalyDetector(HOUR_US);
      let timeUs = 1.6e15;
      for (const event of events) {
        timeUs += event.gap * HOUR_US;
        const { score, low, high } = detector.update(timeUs, event.value);
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(1);
        if (!Number.isNaN(low)) expect(low).toBeLessThanOrEqual(high);
      }
    }),
  );
});
