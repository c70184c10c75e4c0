import { expect, test } from 'vitest';
import { Metrics } from '../../src/core/metrics.ts';
import { forecasters, LoadBook, type LoadBookOptions, loadPlans } from '../../src/forecast/forecast.ts';
import type { WindowResults } from '../../src/model/window-result.ts';
import { HOUR_US, random, restored, saved } from './series.ts';

const STEP_US = 300e6;
const SERVICE = 4;

/** A window of a recording rule. */
function windowOf(rule: number, endUs: number, rows: { key: Record<string, string | number>; values: number[] }[]) {
  return {
    rule: loadPlans([])[rule],
    endUs,
    length: rows.length,
    values: Float64Array.from(rows.flatMap((row) => row.values)),
    key: (i: number) => rows[i].key,
  } as unknown as WindowResults;
}

function bookOf(options: LoadBookOptions = {}) {
  const points: [string, number, number][] = [];
  const metrics = new Metrics();
  const deps = { forecasters, metrics, onPoint: (name: string, t: number, v: number) => points.push([name, t, v]) };
  return { book: new LoadBook(options, deps), points, metrics };
}

const port = (n: number, to: number, from = 0) => ({ key: { proto: 6, 'dst.port': n }, values: [to, from] });

test('series past the fine ones are kept as hourly means, silence included; past all room they are refused', () => {
  const { book, points, metrics } = bookOf({ maxFine: 1, maxSeries: 2 });
  for (let i = 1; i <= 24; i++) {
    const rows = i % 2 === 1 ? [port(443, 10), port(25, 6), port(53, 1)] : [port(443, 10)];
    book.results(windowOf(SERVICE, i * STEP_US, rows));
  }
  const of = (name: string) => points.filter(([series]) => series === name);
  expect(of('service/6/443.bps')).toHaveLength(24);
  expect(of('service/6/25.bps')).toEqual([
    ['service/6/25.bps', HOUR_US, 3],
    ['service/6/25.bps', 2 * HOUR_US, 3],
  ]);
  expect(book.get('service/6/25.bps')?.stepUs).toBe(HOUR_US);
  expect(book.get('service/6/53.bps')).toBeUndefined();
  expect(metrics.all().find(({ name }) => name === 'weir_series_refused_total')?.value).toBe(12);
});

test('an hour that is known by less than half is missing, and the next one begins anew', () => {
  const { book, points } = bookOf({ maxFine: 0 });
  for (const i of [1, 2, 13, 14, 15, 16, 17, 18, 19])
    book.learn('interface/a/1.bps', 'interface', STEP_US, i * STEP_US, i);
  book.learn('interface/a/1.bps', 'interface', STEP_US, 30 * STEP_US, 1);
  expect(points).toEqual([['interface/a/1.bps', 2 * HOUR_US, 16]]);
});

test('what is not among the largest begins no series, yet a known one is told what it carried', () => {
  const { book, points } = bookOf();
  book.results(windowOf(SERVICE, STEP_US, [port(1, 5)]));
  const many = Array.from({ length: 30 }, (_, n) => port(n + 1, n === 0 ? 0.5 : 1000 + n));
  book.results(windowOf(SERVICE, 2 * STEP_US, many));
  expect(points.find(([name, t]) => name === 'service/6/1.bps' && t === 2 * STEP_US)?.[2]).toBe(0.5);
  expect(book.get('service/6/2.bps')).toBeUndefined();
  expect(book.get('service/6/30.bps')).toBeDefined();
});

test('a new series borrows the day of the whole once it is an hour old', () => {
  const { book } = bookOf();
  const day = (i: number) => 2 + Math.sin((2 * Math.PI * i) / 288);
  for (let i = 1; i <= 4 * 288; i++) book.learn('total.bps', 'total', STEP_US, i * STEP_US, 1e6 * day(i));
  const feed = (from: number, to: number) => {
    for (let i = from; i <= to; i++) book.learn('service/6/443.bps', 'service', STEP_US, i * STEP_US, 1e4 * day(i));
  };
  const at = 4 * 288;
  feed(at - 10, at);
  expect(book.get('service/6/443.bps')?.model.forecast(288).learned).toBe(false);
  feed(at + 1, at + 1);
  const forecast = book.get('service/6/443.bps')?.model.forecast(288);
  expect(forecast?.learned).toBe(true);
  forecast?.points.forEach(({ expected }, i) => {
    expect(expected / (1e4 * day(at + 2 + i))).toBeGreaterThan(0.8);
    expect(expected / (1e4 * day(at + 2 + i))).toBeLessThan(1.25);
  });
});

test('a book of fine and hourly series cut anywhere goes on to the last digit', () => {
  for (const cut of [1, 7, 100, 333]) {
    const whole = bookOf({ maxFine: 2, maxSeries: 5 });
    let broken = bookOf({ maxFine: 2, maxSeries: 5 });
    const next = random(cut);
    for (let i = 1; i < 400; i++) {
      if (i === cut)
        broken = { ...broken, book: restored(bookOf({ maxFine: 2, maxSeries: 5 }).book, saved(broken.book)) };
      const rows = [1, 2, 3, 4, 5, 6].filter(() => next() < 0.8).map((n) => port(n, 100 * next()));
      for (const { book } of [whole, broken]) book.results(windowOf(SERVICE, i * STEP_US, rows));
    }
    expect(saved(broken.book)).toEqual(saved(whole.book));
  }
});

test('a series whose step has changed begins anew', () => {
  const { book } = bookOf();
  for (let i = 1; i < 20; i++) book.learn('total.bps', 'total', STEP_US, i * STEP_US, 1);
  book.learn('total.bps', 'total', 60e6, 20 * STEP_US, 1);
  expect(book.get('total.bps')).toMatchObject({ stepUs: 60e6, points: 1 });
});
