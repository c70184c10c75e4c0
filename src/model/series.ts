import type { Stateful } from '../core/state.ts';

/**
 * Regular series, and the ports through which other rooms learn from them: `BaselineModel` for `baseline(...)`,
 * `LoadForecaster` for `forecast(...)` and `weir forecast`. Times are event time in whole microseconds (`Us`).
 */

/** One point of a series. A value of NaN is a missing measurement, which is not the same as zero. */
export interface SeriesPoint {
  timeUs: number;
  value: number;
}

/** What a model expects of one step, in the unit of the series. */
export interface Expectation {
  expected: number;
  /** Bounds of the 95 % interval. */
  low: number;
  high: number;
  /** Scale of the residual in log space: 0.05 reads "about 5 % off". */
  sigma: number;
  /** False while the model is still learning; nothing should alert on it then. */
  learned: boolean;
}

/** The judgement of one step, made before the model learns from it. */
export interface BaselineScore extends Expectation {
  /**
   * Signed standardised residual in log space, positive when more than expected. Zero while learning, for a missing
   * value, against `direction`, and below `minDeviation`.
   */
  z: number;
  /** Share of past residuals at least as large as this one, 0..1, tail extrapolated beyond the largest seen. */
  p: number;
  /** Surprise mapped to 0..1: min(1, -log10(p) / 6). Zero where `z` is. */
  score: number;
  /** ln(value) - ln(expected); NaN for a missing value. */
  residual: number;
  /** value / expected - 1, from -1 upwards; NaN for a missing value. */
  deviation: number;
}

export interface BaselineOptions {
  /** Distance between two steps. */
  stepUs: number;
  /** Season lengths; the shortest and the longest are used. Empty: no season. */
  seasonUs: readonly number[];
  /** No score before this much time; default two of the shortest season, at least 50 steps. */
  warmupUs?: number;
  /** Which deviations count. Default `both`. */
  direction?: 'up' | 'down' | 'both';
  /** Deviations below this share of the expected value do not count, 0.2 = 20 %. Default 0. */
  minDeviation?: number;
  /** Upper limit of cells kept for the longest season, two bytes each. Default 2016: a week of five minutes. */
  maxCells?: number;
}

/**
 * One instance a (rule, key, measure). Bounded memory, constant time a step. `restore` replaces all that it has learned
 * and throws `state.damaged` for damaged state, `state.options` for state of other options.
 */
export interface BaselineModel extends Stateful {
  /**
   * Judges the value of the step that ends at `timeUs`, then learns from it; nothing later is looked at. Steps left
   * out since the last call are missing. A time that is not later than the last one is judged and not learned.
   */
  update(timeUs: number, value: number): BaselineScore;
}

export interface BaselineFactory {
  create(options: BaselineOptions): BaselineModel;
}

export interface ForecastPoint {
  timeUs: number;
  expected: number;
  low80: number;
  high80: number;
  low95: number;
  high95: number;
}

/** The path the load is expected to take after the last step learned. */
export interface LoadForecast {
  stepUs: number;
  learned: boolean;
  points: ForecastPoint[];
}

/** When a load reaches a threshold: the first day whose 95th percentile (`ForecastOptions.peak`) is at least `threshold`. */
export interface Capacity {
  threshold: number;
  /** Median of that day; null when it is beyond `horizonUs` or the history is too short. */
  etaUs: number | null;
  /** Its 95 % interval; null on the side that is open. */
  loUs: number | null;
  hiUs: number | null;
  /** Probability that the threshold is reached within the horizon. */
  probability: number;
  /** The same for the trend alone, without the scatter of single days: when the threshold is reached to stay. */
  trend: { etaUs: number | null; loUs: number | null; hiUs: number | null };
  horizonUs: number;
}

/** A question about another future than the one that the past suggests. */
export interface WhatIf {
  /** Growth from today on, as a multiple of what it was: 2 is twice as fast. Default 1. */
  growth?: number;
  /** Load that is added from today on, in the unit of the series: a new customer. Default 0. */
  add?: number;
}

export interface ForecastOptions {
  stepUs: number;
  /** Default day and week. */
  seasonUs?: readonly number[];
  /** Steps ahead that get a head of their own; default one step, one hour, one day. */
  horizons?: readonly number[];
  maxCells?: number;
  /** Quantile of a day's load whose time to a threshold is told, 0..1. Default 0.95; 1 is the day's highest step. */
  peak?: number;
}

/** One instance a series; state as in `BaselineModel`. */
export interface LoadForecaster extends Stateful {
  update(timeUs: number, value: number): void;
  /** The path for the given number of steps, in another future where asked; empty before two values. Changes nothing. */
  forecast(steps: number, whatIf?: WhatIf): LoadForecast;
  /** `seed` fixes the simulated paths; the same state and seed give the same answer. */
  capacity(threshold: number, horizonUs: number, seed?: number, whatIf?: WhatIf): Capacity;
}

export interface ForecasterFactory {
  /** Whose calendar its models live by; a model understands only the state of the same. Default none. */
  readonly calendar?: string;
  create(options: ForecastOptions): LoadForecaster;
}
