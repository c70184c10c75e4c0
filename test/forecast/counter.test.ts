import { expect, test } from 'vitest';
import { CounterRate } from '../../src/forecast/forecast.ts';

const STEP_US = 300e6;
const at = (step: number) => step * STEP_US;

test('rate a second between readings; the first reading has none', () => {
  const counter = new CounterRate({ stepUs: STEP_US, bits: 64 });
  expect(counter.update(at(0), 1000)).toBeNaN();
  expect(counter.update(at(1), 4000)).toBe(10);
  expect(counter.update(at(3), 4000)).toBe(0);
});

test('a reset is missing, not zero and not negative', () => {
  const counter = new CounterRate({ stepUs: STEP_US, bits: 64 });
  counter.update(at(0), 5e9, 1e12);
  expect(counter.update(at(1), 3000, 60e6)).toBeNaN();
  expect(counter.update(at(2), 6000, 360e6)).toBe(10);
  expect(counter.update(at(3), 1e6, 1e6)).toBeNaN();
});

test('a 32-bit wrap is believed only when the interface is that fast', () => {
  const readings = (mostPerSecond: number) => {
    const counter = new CounterRate({ stepUs: STEP_US, bits: 32, mostPerSecond });
    counter.update(at(0), 2 ** 32 - 1000);
    return counter.update(at(1), 2000);
  };
  expect(readings(1e6)).toBe(10);
  expect(readings(5)).toBeNaN();
  expect(readings(0)).toBeNaN();
});

test('a gap of more than two steps and a time that stands still are missing', () => {
  const counter = new CounterRate({ stepUs: STEP_US, bits: 64 });
  counter.update(at(0), 0);
  expect(counter.update(at(3), 9000)).toBeNaN();
  expect(counter.update(at(3), 9500)).toBeNaN();
  expect(counter.update(at(4), 12500)).toBe(10);
});
