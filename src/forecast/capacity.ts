import type { Capacity, WhatIf } from '../model/series.ts';
import type { DailyOutlook } from './daily-outlook.ts';
import { DAY_US } from './steps.ts';
import { type DailyTrend, lineLogAt, quantile } from './trend.ts';

const PATHS = 600;
const MOST_DAYS = 3 * 366;
const LONGEST_BLOCK = 28;

/**
 * Time to a threshold by simulation: each path draws level and slope within their errors, adds the scatter of past
 * days in blocks of up to four weeks (Kuensch 1989), and notes the first day at or above the threshold. The same state and
 * seed give the same answer.
 * @param nextDayUs begin of the first day that is not in the history
 */
export function timeToCapacity(
  outlook: DailyOutlook | null,
  threshold: number,
  horizonUs: number,
  nextDayUs: number,
  seed = 1,
  { growth = 1, add = 0 }: WhatIf = {},
): Capacity {
  const none = { etaUs: null, loUs: null, hiUs: null };
  if (!outlook || !(threshold > 0)) return { threshold, horizonUs, probability: 0, trend: none, ...none };
  const days = Math.max(1, Math.min(MOST_DAYS, Math.ceil(horizonUs / DAY_US)));
  // What is added to the load is taken from what is free; the least load is still one.
  const aim = Math.max(Number.MIN_VALUE, threshold - add);
  const paths = simulate(outlook, aim, growth, days, seed);
  const reached = paths.first.filter(Number.isFinite).length;
  return {
    threshold,
    horizonUs,
    probability: reached / PATHS,
    ...interval(paths.first, nextDayUs),
    trend: interval(paths.trend, nextDayUs),
  };
}

/** The day of the first value at or above the threshold, a path; Infinity when there is none within `days`. */
function simulate(outlook: DailyOutlook, threshold: number, growth: number, days: number, seed: number) {
  const draw = normals(seed);
  const first = new Float64Array(PATHS);
  const line = new Float64Array(PATHS);
  const likely = new PathMaker(outlook.trend, outlook, threshold, growth, draw);
  const other = new PathMaker(outlook.other, outlook, threshold, growth, draw);
  for (let path = 0; path < PATHS; path++) {
    const maker = draw.uniform() < outlook.otherWeight ? other : likely;
    maker.walk(days);
    first[path] = maker.first;
    line[path] = maker.line;
  }
  return { first, trend: line };
}

/** Draws one path after another for one kind of growth. */
class PathMaker {
  first = 0;
  line = 0;
  private readonly trend: DailyTrend;
  private readonly today: number;
  private readonly widening: number;
  private readonly aim: number;
  private readonly growth: number;
  private readonly draw: Draw;
  private readonly scatter: Float64Array;
  private readonly block: number;
  private readonly weekday = new Float64Array(7);

  constructor(trend: DailyTrend, outlook: DailyOutlook, threshold: number, growth: number, draw: Draw) {
    this.trend = trend;
    this.today = outlook.days;
    this.widening = outlook.widening;
    this.aim = Math.log(threshold);
    this.growth = growth;
    this.draw = draw;
    this.scatter = trend.residuals.filter((r) => !Number.isNaN(r));
    this.block = Math.max(1, Math.min(LONGEST_BLOCK, Math.floor(this.scatter.length / 4)));
  }

  /** Sets `first` and `line`, the first days on which the load and its trend are at the threshold. */
  walk(days: number): void {
    const { trend, draw, block, scatter, aim, weekday } = this;
    const past = trend.level + this.widening * trend.levelError * draw.normal();
    const grown = trend.slope + this.widening * trend.slopeError * draw.normal();
    // Another growth turns the line where it is today.
    const slope = grown * this.growth;
    const level = past + (grown - slope) * (this.today - trend.centre);
    for (let i = 0; i < 7; i++) weekday[i] = trend.weekday[i] + trend.weekdayError[i] * draw.normal();
    this.first = this.line = Number.POSITIVE_INFINITY;
    let from = 0;
    for (let k = 0; k < days; k++) {
      const day = this.today + k;
      if (k % block === 0) from = Math.floor(draw.uniform() * (scatter.length - block + 1));
      const value = lineLogAt(trend, level, slope, day) + weekday[day % 7];
      if (this.first === Number.POSITIVE_INFINITY && value + scatter[from + (k % block)] >= aim) this.first = k;
      if (value < aim) continue;
      this.line = k;
      // A path whose trend is there has reached it, whatever its scatter.
      this.first = Math.min(this.first, k);
      return;
    }
  }
}

function interval(days: Float64Array, nextDayUs: number) {
  const sorted = days.slice().sort();
  const at = (q: number) => {
    const day = quantile(sorted, q);
    return Number.isFinite(day) ? nextDayUs + Math.round(day) * DAY_US : null;
  };
  return { etaUs: at(0.5), loUs: at(0.025), hiUs: at(0.975) };
}

interface Draw {
  uniform(): number;
  normal(): number;
}

/** Deterministic uniform and normal numbers: mulberry32, Box and Muller. */
function normals(seed: number): Draw {
  let state = seed | 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}
