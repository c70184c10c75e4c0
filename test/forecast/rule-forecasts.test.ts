import { expect, test } from 'vitest';
import { Metrics } from '../../src/core/metrics.ts';
import { Detect } from '../../src/detect/detect.ts';
import { calendarForecasters, forecasters, loadPlans } from '../../src/forecast/forecast.ts';
import type { Evaluation } from '../../src/model/alert.ts';
import type { AggregateMeasure, LearnedMeasure, RulePlan } from '../../src/model/plan.ts';
import type { ForecasterFactory } from '../../src/model/series.ts';
import type { WindowResults } from '../../src/model/window-result.ts';
import { HOUR_US, normal, restored, saved } from './series.ts';

const DAY_US = 24 * HOUR_US;

/** A load that is five times as high for three hours of each day, and doubles in 60 days. */
function bursty(seed: number) {
  const noise = normal(seed);
  return (i: number) => (i % 24 < 3 ? 5e6 : 1e6) * 2 ** (i / (24 * 60)) * Math.exp(0.03 * noise());
}

test('the quantile of a day decides what must reach the limit', () => {
  const load = bursty(1);
  const [half, usual] = [0.5, 0.95].map((peak) => forecasters.create({ stepUs: HOUR_US, peak }));
  for (let i = 0; i < 24 * 60; i++) {
    const value = load(i);
    for (const model of [half, usual]) model.update(i * HOUR_US, value);
  }
  // Its high hours are at 10 Mbit/s now; half of its hours are below 2.
  const days = (model: typeof half, limit: number) =>
    (model.capacity(limit, 365 * DAY_US).etaUs! - 60 * DAY_US) / DAY_US;
  expect(days(usual, 20e6)).toBeGreaterThan(50);
  expect(days(usual, 20e6)).toBeLessThan(65);
  expect(days(half, 4e6)).toBeGreaterThan(50);
  expect(days(half, 4e6)).toBeLessThan(65);
  expect(half.capacity(20e6, 120 * DAY_US).etaUs).toBeNull();
});

/** The rule `full: forecast(bps, reach=20M, quantile=...)`, judged hour by hour. */
function rule(quantile: number): RulePlan {
  const [total] = loadPlans([]);
  const bps = total.measures[0] as AggregateMeasure;
  const full: LearnedMeasure = {
    kind: 'learned',
    name: 'full',
    fn: 'forecast',
    of: 0,
    params: { quantile, horizon: 365 * DAY_US },
    reach: { op: 'number', value: 20e6, unit: 'bps' },
    unit: 'none',
  };
  return {
    ...total,
    id: 'full',
    fingerprint: `full ${quantile}`,
    window: { kind: 'tumbling', sizeUs: HOUR_US, slideUs: HOUR_US },
    measures: [bps, full],
    levels: [
      {
        severity: 'info',
        when: {
          op: '>',
          left: { op: 'measure', index: 0, part: null },
          right: { op: 'number', value: 0, unit: 'bps' },
        },
        forUs: 0,
      },
    ],
  };
}

function judge(quantile: number, forecast: ForecasterFactory) {
  const plan = rule(quantile);
  const seen: Evaluation[] = [];
  const deps = { baseline: { create: () => null as never }, forecast, metrics: new Metrics() };
  const make = () =>
    new Detect(
      { home: [], rules: [plan] },
      { ...deps, interfaceSpeed: () => Number.NaN, onEvaluation: (evaluation) => seen.push(evaluation) },
    );
  const give = (detect: Detect, i: number, value: number) => {
    const results: WindowResults = {
      ruleIndex: 0,
      rule: plan,
      startUs: (i - 1) * HOUR_US,
      endUs: i * HOUR_US,
      length: 1,
      values: Float64Array.of(value, Number.NaN),
      samples: Float64Array.of(100),
      sorted: true,
      compare: () => 0,
      matchedUs: null,
      followedUs: null,
      keyText: () => '{}',
      key: () => ({}),
      handle: () => Int32Array.of(0),
      indexOf: () => 0,
      detail: () => null,
    };
    detect.results(results);
    return seen.at(-1)?.values['full.eta'] as number;
  };
  return { make, give };
}

test('a rule takes its quantile, and its forecasts go on over a restart, under another calendar anew', () => {
  const load = bursty(2);
  const values = Array.from({ length: 24 * 60 }, (_, i) => load(i));
  const run = (quantile: number, from: ForecasterFactory, to: ForecasterFactory | null) => {
    const { make, give } = judge(quantile, from);
    let detect = make();
    let eta = Number.NaN;
    values.forEach((value, i) => {
      if (to && i === 24 * 50) detect = restored(judge(quantile, to).make(), saved(detect));
      eta = give(detect, i + 1, value) ?? eta;
    });
    return eta;
  };
  const berlin = calendarForecasters(forecasters, { zone: 'Europe/Berlin' });
  const whole = run(0.95, forecasters, null);
  expect(whole / DAY_US).toBeGreaterThan(50);
  expect(whole / DAY_US).toBeLessThan(65);
  expect(run(0.5, forecasters, null) / DAY_US).toBeGreaterThan(130);
  expect(run(0.95, berlin, null) / DAY_US).toBeGreaterThan(50);
  expect(() => run(0.95, forecasters, berlin)).not.toThrow();
  expect(() => run(0.95, berlin, forecasters)).not.toThrow();
});
