import { type DailyTrend, fitTrend, lineLogAt, trendLog } from './trend.ts';

/** Fewer days have neither a weekday nor a trend that could be told from chance. */
export const LEAST_DAYS = 21;
/** Share of the history at which the record starts over, and the longest lead it looks at. */
const ORIGINS = [0.5, 0.6, 0.7, 0.8, 0.9];
const FURTHEST = 90;

/** What the history of daily peaks says about the days to come. */
export interface DailyOutlook {
  /** The likelier kind of growth. */
  trend: DailyTrend;
  /** The other kind, and the probability of it. */
  other: DailyTrend;
  otherWeight: number;
  /** How many times larger its errors were in the past than the fit says; at least 1. */
  widening: number;
  /** How many times farther apart days are after 1, 2, ... weeks than after one. */
  apart: readonly number[];
  days: number;
}

/**
 * Fits both kinds of growth and weighs them by how well they describe the whole history. The likelier one is replayed
 * over the past from five origins; that record says by how much the fit's own standard errors are too small. Null for
 * too short a history.
 */
export function dailyOutlook(history: Float64Array): DailyOutlook | null {
  let present = 0;
  for (const v of history) if (!Number.isNaN(v)) present++;
  if (present < LEAST_DAYS) return null;
  const share = fitTrend(history, true);
  const amount = fitTrend(history, false);
  // Log likelihood ratio of normal residuals; correlated days count for less.
  const independent = present / Math.max(share.inflation, amount.inflation);
  const odds = (independent / 2) * Math.log(squares(history, amount) / squares(history, share));
  const amountWeight = 1 / (1 + Math.exp(Math.max(-50, Math.min(50, odds))));
  const exponential = !(amountWeight > 0.5);
  return {
    trend: exponential ? share : amount,
    other: exponential ? amount : share,
    otherWeight: exponential ? amountWeight : 1 - amountWeight,
    widening: replay(history, exponential),
    apart: weeksApart(exponential ? share.residuals : amount.residuals),
    days: history.length,
  };
}

/** Weeks wander apart like a random walk at first, as far as nothing else is known; the trend's own error takes over later. */
const MOST_APART = 1.6;
/** Pairs of days that outweigh that assumption. */
const PAIRS = 28;
const WEEKS = 4;

/** From the history, without its trend; the fewer pairs of days there are, the nearer to a random walk. */
function weeksApart(residuals: Float64Array): number[] {
  const week = spreadAt(residuals, 7);
  return Array.from({ length: WEEKS }, (_, i) => {
    const assumed = apartByDefault(i + 1);
    const { pairs, size } = spreadAt(residuals, 7 * (i + 1));
    const seen = size / week.size;
    if (!(seen > 0) || !Number.isFinite(seen)) return assumed;
    const weight = pairs / (pairs + PAIRS);
    return Math.max(1, Math.min(3, seen)) ** weight * assumed ** (1 - weight);
  });
}

function apartByDefault(weeks: number): number {
  return Math.min(MOST_APART, Math.sqrt(weeks));
}

/** How many times wider the interval is after so many weeks than after one. */
export function apartAfter(outlook: DailyOutlook | null, weeks: number): number {
  return outlook?.apart[Math.min(weeks, WEEKS) - 1] ?? apartByDefault(weeks);
}

/** Root mean square of how far days that lie `lag` apart differ, with the farthest drawn in. */
function spreadAt(residuals: Float64Array, lag: number): { pairs: number; size: number } {
  const sizes: number[] = [];
  for (let i = lag; i < residuals.length; i++) {
    const size = Math.abs(residuals[i] - residuals[i - lag]);
    if (!Number.isNaN(size)) sizes.push(size);
  }
  const limit = 3 * (sizes.sort((a, b) => a - b)[sizes.length >> 1] ?? 0);
  const squares = sizes.reduce((sum, size) => sum + Math.min(size, limit || size) ** 2, 0);
  return { pairs: sizes.length, size: Math.sqrt(squares / sizes.length) };
}

/** Sum of squares of the residuals in log space, so that both kinds are measured alike. */
function squares(history: Float64Array, trend: DailyTrend): number {
  let sum = 1e-12;
  for (let day = 0; day < history.length; day++) {
    const off = history[day] - trendLog(trend, day);
    // An outage or a flood says nothing about the kind of growth.
    if (!Number.isNaN(off)) sum += Math.min(Math.abs(off), 1) ** 2;
  }
  return sum;
}

function replay(history: Float64Array, exponential: boolean): number {
  const ratios: number[] = [];
  for (const part of ORIGINS) {
    const origin = Math.floor(history.length * part);
    if (origin < LEAST_DAYS) continue;
    const trend = fitTrend(history.subarray(0, origin), exponential);
    const until = Math.min(history.length, origin + FURTHEST);
    let squares = 0;
    let n = 0;
    for (let day = origin; day < until; day++) {
      const off = history[day] - trendLog(trend, day);
      if (Number.isNaN(off)) continue;
      squares += (off / leadError(trend, day)) ** 2;
      n++;
    }
    if (n >= 7) ratios.push(Math.sqrt(squares / n));
  }
  const typical = ratios.length > 0 ? ratios.reduce((sum, r) => sum + r, 0) / ratios.length : 1;
  // Chance alone makes the record differ from the fit; only the part beyond that widens.
  return Math.max(1, Math.min(5, typical - 0.2));
}

/** Standard error of one day's peak in log space, scatter of the days included. */
function leadError(trend: DailyTrend, day: number): number {
  let squares = 0;
  let n = 0;
  for (const r of trend.residuals) {
    if (Number.isNaN(r)) continue;
    squares += r * r;
    n++;
  }
  return Math.hypot(lineError(trend, day), Math.sqrt(squares / Math.max(1, n))) || 1e-9;
}

/** Standard error of the trend line itself at a day, in log space. */
export function lineError(trend: DailyTrend, day: number): number {
  const error = Math.hypot(trend.levelError, trend.slopeError * (day - trend.centre));
  return trend.exponential ? error : error / Math.max(1e-300, trend.level + trend.slope * (day - trend.centre));
}

/**
 * What the trend adds to a course of `weeks` weeks ago, `days` days ahead: its growth since then, drawn towards none
 * where the slope is not far from its error, and the part of last week's departure from the trend that is lost by then.
 */
export function driftOf(outlook: DailyOutlook, weeks: number, days: number): { z: number; error: number } {
  const { trend } = outlook;
  const kept = keptOf(outlook);
  const target = outlook.days + days;
  const growth =
    lineLogAt(trend, trend.level, trend.slope, target) - lineLogAt(trend, trend.level, trend.slope, target - 7 * weeks);
  const memory = (trend.inflation - 1) / (trend.inflation + 1);
  const lost = lastWeek(trend.residuals) * (1 - memory ** (7 * weeks));
  return { z: kept * (growth - lost), error: outlook.widening * lineError(trend, target) };
}

/** Share of the slope that is believed: none where it is not far from its error. */
function keptOf({ trend, widening }: DailyOutlook): number {
  const significance = trend.slope / Math.max(1e-300, widening * trend.slopeError);
  return Math.max(0, 1 - 2 / significance ** 2);
}

/** What `growth` times the slope from today on, instead of the slope, makes in `days` days, in log space. */
export function growthOf(outlook: DailyOutlook, growth: number, days: number): { z: number; error: number } {
  const { trend, widening, days: today } = outlook;
  const { level, slope, slopeError, centre } = trend;
  const turned = level + slope * (1 - growth) * (today - centre);
  const old = lineLogAt(trend, level, slope, today + days);
  const z = lineLogAt(trend, turned, slope * growth, today + days) - old;
  const unit = trend.exponential ? 1 : Math.exp(old);
  return { z: keptOf(outlook) * z, error: (widening * Math.abs(growth - 1) * slopeError * days) / unit };
}

function lastWeek(residuals: Float64Array): number {
  let sum = 0;
  let n = 0;
  for (let i = Math.max(0, residuals.length - 7); i < residuals.length; i++) {
    if (Number.isNaN(residuals[i])) continue;
    sum += residuals[i];
    n++;
  }
  return n > 0 ? sum / n : 0;
}
