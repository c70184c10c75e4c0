import fc from 'fast-check';
import { expect, test } from 'vitest';
import { baselines } from '../../src/forecast/forecast.ts';
import { daily, HOUR_US, random, restored, saved } from './series.ts';

const SEASONS = [24 * HOUR_US, 168 * HOUR_US];

test.each([10e6, 60e6, 300e6, 3600e6])(
  'step of %d us: quiet on regular load, loud on five times the load',
  (stepUs) => {
    const model = baselines.create({ stepUs, seasonUs: SEASONS });
    const value = daily(1);
    const steps = Math.round((15 * 24 * HOUR_US) / stepUs);
    let judged = 0;
    let inside = 0;
    let loud = 0;
    for (let i = 0; i < steps; i++) {
      const y = value(i * stepUs);
      const score = model.update(i * stepUs, y);
      if (!score.learned) continue;
      judged++;
      if (y >= score.low && y <= score.high) inside++;
      if (score.p < 1e-4) loud++;
    }
    // A probability of 1e-4 is one step in ten thousand, not more.
    expect(loud).toBeLessThanOrEqual(2 + 2e-4 * judged);
    expect(inside / judged).toBeGreaterThan(0.935);
    expect(inside / judged).toBeLessThan(0.965);
    const flood = model.update(steps * stepUs, 5 * value(steps * stepUs));
    expect(flood.p).toBeLessThan(1e-5);
    expect(flood.z).toBeGreaterThan(8);
    expect(saved(model).length).toBeLessThan(5000);
  },
);

test('says learning, and raises nothing, before two periods', () => {
  const model = baselines.create({ stepUs: HOUR_US, seasonUs: SEASONS });
  for (let i = 0; i < 48; i++) {
    const score = model.update(i * HOUR_US, i % 7 === 0 ? 0 : 1e6 * i);
    expect(score.learned).toBe(i >= 48 || score.learned);
    expect(score).toMatchObject({ learned: false, z: 0, p: 1, score: 0 });
  }
});

test('direction and minimum deviation keep a deviation from counting', () => {
  const run = (options: object, factor: number) => {
    const model = baselines.create({ stepUs: HOUR_US, seasonUs: SEASONS, ...options });
    const value = daily(2);
    for (let i = 0; i < 500; i++) model.update(i * HOUR_US, value(i * HOUR_US));
    return model.update(500 * HOUR_US, factor * value(500 * HOUR_US)).z;
  };
  expect(run({}, 0.2)).toBeLessThan(-4);
  expect(run({ direction: 'up' }, 0.2)).toBe(0);
  expect(run({ direction: 'down' }, 3)).toBe(0);
  expect(run({ direction: 'up' }, 3)).toBeGreaterThan(4);
  expect(run({ minDeviation: 5 }, 3)).toBe(0);
});

test('a restored model answers to the last digit', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 700 }),
      fc.integer(),
      fc.constantFrom(60e6, 300e6, HOUR_US),
      (cut, seed, stepUs) => {
        const options = { stepUs, seasonUs: SEASONS, maxCells: 300 };
        const whole = baselines.create(options);
        let broken = baselines.create(options);
        const next = random(seed);
        for (let i = 0; i < 800; i++) {
          if (i === cut) broken = restored(baselines.create(options), saved(broken));
          const value = next() < 0.05 ? Number.NaN : next() < 0.05 ? 0 : next() * 1e6;
          const skip = next() < 0.02 ? 20 : 0;
          expect(broken.update((i + skip) * stepUs, value)).toEqual(whole.update((i + skip) * stepUs, value));
        }
        expect(saved(broken)).toEqual(saved(whole));
      },
    ),
    { numRuns: 30 },
  );
});

test('damaged state and state of other options are refused', () => {
  const options = { stepUs: HOUR_US, seasonUs: SEASONS };
  const model = baselines.create(options);
  for (let i = 0; i < 100; i++) model.update(i * HOUR_US, 10 + (i % 24));
  const state = saved(model);
  expect(() => restored(baselines.create({ ...options, stepUs: 60e6 }), state)).toThrow('state');
  expect(() => restored(baselines.create(options), state.subarray(0, state.length - 1))).toThrow('state');
  expect(() => restored(baselines.create(options), new Uint8Array(3))).toThrow('state');
  const bent = state.slice();
  bent[100] ^= 1;
  expect(() => restored(baselines.create(options), bent)).toThrow('state');
});

test('any sequence of values and times gives finite bounds and a score in 0..1', () => {
  const value = fc.oneof(fc.double(), fc.constantFrom(0, -1, Number.NaN, 1e300, 5e-324, Number.POSITIVE_INFINITY));
  const event = fc.record({ gap: fc.integer({ min: -3, max: 400 }), value });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 300 }), (events) => {
      const model = baselines.create({ stepUs: HOUR_US, seasonUs: SEASONS, warmupUs: 1, maxCells: 200 });
      let timeUs = 1.7e15;
      for (const event of events) {
        timeUs += event.gap * HOUR_US;
        const score = model.update(timeUs, event.value);
        expect(score.score).toBeGreaterThanOrEqual(0);
        expect(score.score).toBeLessThanOrEqual(1);
        if (score.learned) {
          expect(Number.isFinite(score.low) && Number.isFinite(score.high)).toBe(true);
          expect(score.low).toBeLessThanOrEqual(score.high);
        }
      }
    }),
  );
});

test('a shift that lasts is believed within three hours, and the way back at once', () => {
  const stepUs = 300e6;
  const model = baselines.create({ stepUs, seasonUs: SEASONS });
  const value = daily(3);
  let wrong = 0;
  for (let i = 0; i < 288 * 9; i++) {
    const shifted = i >= 288 * 8 && i < 288 * 8 + 72;
    const y = value(i * stepUs) * (shifted ? 6 : 1);
    const { deviation } = model.update(i * stepUs, y);
    if (i >= 288 * 8 && Math.abs(deviation) > 0.5) wrong++;
  }
  expect(wrong).toBeGreaterThan(18);
  expect(wrong).toBeLessThan(42);
});
