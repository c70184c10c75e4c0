import type { ForecastPoint, WhatIf } from '../model/series.ts';
import { type DailyOutlook, growthOf } from './daily-outlook.ts';
import { DAY_US } from './steps.ts';

/** The path under another growth from `nowUs` on, and with a load added. Without a trend (null) growth changes nothing. */
export function whatIfPath(
  points: ForecastPoint[],
  outlook: DailyOutlook | null,
  nowUs: number,
  { growth = 1, add = 0 }: WhatIf,
): ForecastPoint[] {
  const grown = growth === 1 || outlook === null ? points : points.map((point) => grow(point, outlook, nowUs, growth));
  return add === 0 ? grown : grown.map((point) => plus(point, add));
}

function grow(point: ForecastPoint, outlook: DailyOutlook, nowUs: number, growth: number): ForecastPoint {
  if (point.expected === 0) return point;
  const { z, error } = growthOf(outlook, growth, (point.timeUs - nowUs) / DAY_US);
  const expected = point.expected * Math.exp(z);
  const bound = (old: number, quantile: number) => {
    const half = old > 0 ? Math.log(old / point.expected) : Number.NEGATIVE_INFINITY;
    return expected * Math.exp(Math.sign(half) * Math.hypot(half, quantile * error));
  };
  return {
    timeUs: point.timeUs,
    expected,
    low80: bound(point.low80, 1.28),
    high80: bound(point.high80, 1.28),
    low95: bound(point.low95, 1.96),
    high95: bound(point.high95, 1.96),
  };
}

/** Every number of a point moved by an amount; no load is less than nothing. */
export function plus({ timeUs, ...rest }: ForecastPoint, add: number): ForecastPoint {
  const more = (value: number) => Math.max(0, value + add);
  return {
    timeUs,
    expected: more(rest.expected),
    low80: more(rest.low80),
    high80: more(rest.high80),
    low95: more(rest.low95),
    high95: more(rest.high95),
  };
}
