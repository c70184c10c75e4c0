import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { ForecastDesk, forecasters, type LoadSeries, recordText } from '../../src/forecast/forecast.ts';
import { SqliteForecastJournal } from '../../src/store/store.ts';
import { HOUR_US, normal } from './series.ts';

const DAY_US = 24 * HOUR_US;

/** One series of hourly values with its desk, fed a value at a time. */
function bench(name: string) {
  const journal = new SqliteForecastJournal(new DatabaseSync(':memory:'));
  const model = forecasters.create({ stepUs: HOUR_US });
  const series: LoadSeries = {
    name,
    rule: 'total',
    stepUs: HOUR_US,
    points: 0,
    lastUs: 0,
    lastValue: 0,
    recent: [],
    model,
  };
  const desk = new ForecastDesk({}, { loads: { all: () => [series] }, journal });
  const feed = (timeUs: number, value: number) => {
    model.update(timeUs, value);
    Object.assign(series, { lastUs: timeUs, lastValue: value, points: series.points + 1 });
    series.recent.push(value);
    if (series.recent.length > 200) series.recent.shift();
  };
  return { desk, feed, series, journal };
}

const daily = (i: number) => 1e6 * (2 + Math.sin((2 * Math.PI * i) / 24));

test('every forecast is judged when its time comes, and the record says how it went', () => {
  const { desk, feed } = bench('total.bps');
  const noise = normal(1);
  let judged = 0;
  let published = 0;
  for (let i = 0; i < 24 * 40; i++) {
    feed(i * HOUR_US, daily(i) * Math.exp(0.05 * noise()));
    const report = desk.publish();
    judged += report.judged;
    published += report.published;
    expect(report.fallbacks).toEqual([]);
  }
  expect(published - judged).toBe(25);
  const [hour, day] = desk.records();
  expect([hour.horizonUs, day.horizonUs]).toEqual([HOUR_US, DAY_US]);
  expect(day.n).toBeGreaterThan(650);
  for (const record of [hour, day]) {
    expect(record.wape).toBeGreaterThan(0.03);
    expect(record.wape).toBeLessThan(0.06);
    expect(record.wape).toBe(record.wapeModel);
    expect(record.held95).toBeGreaterThan(0.92);
  }
  expect(recordText(day)).toMatch(/^total\.bps, 1d ahead: last 30 days \d\.\d %, 95 % interval held 9\d\.\d %$/);
});

test('calling it again before the next step publishes nothing twice', () => {
  const { desk, feed, journal } = bench('a');
  for (let i = 0; i < 24 * 5; i++) feed(i * HOUR_US, daily(i));
  desk.publish();
  desk.publish();
  expect(journal.due('a', 1e18)).toHaveLength(2);
});

test('a simple method that is clearly better speaks instead, which is said, and the model may come back', () => {
  const { desk, series, journal } = bench('b');
  // A model that is off by a fifth, always.
  const right = series.model;
  let wrong = 1.2;
  series.model = {
    ...right,
    update: (timeUs, value) => right.update(timeUs, value),
    forecast: (steps) => {
      const path = right.forecast(steps);
      return { ...path, points: path.points.map((p) => ({ ...p, expected: wrong * p.expected })) };
    },
  };
  const noise = normal(2);
  const value = (i: number) => daily(i) * Math.exp(0.02 * noise());
  const run = (from: number, to: number) => {
    let last = desk.publish();
    for (let i = from; i < to; i++) {
      const y = value(i);
      right.update(i * HOUR_US, y);
      Object.assign(series, { lastUs: i * HOUR_US, lastValue: y, points: i });
      series.recent.push(y);
      last = desk.publish();
    }
    return last;
  };
  const { fallbacks } = run(0, 24 * 12);
  expect(fallbacks.some((text) => text.includes('the same time yesterday is better than the model'))).toBe(true);
  const [told] = journal.due('b', 1e18).filter(({ horizonUs }) => horizonUs === DAY_US);
  expect(told.expected).toBe(told.simple);
  expect(told.low95 < told.simple && told.simple < told.high95).toBe(true);
  wrong = 1;
  expect(run(24 * 12, 24 * 60).fallbacks.filter((text) => text.includes('yesterday'))).toEqual([]);
});
