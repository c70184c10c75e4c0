/** Robust statistics of short arrays, and the trend of daily peaks: Theil (1950) and Sen (1968). */

export function median(values: readonly number[]): number {
  return quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}

/** Quantile of sorted values, interpolated; NaN for none. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return Number.NaN;
  const at = q * (sorted.length - 1);
  const left = Math.floor(at);
  const right = Math.min(sorted.length - 1, left + 1);
  // Equal neighbours are returned as they are: the difference of two infinities has no value.
  return sorted[left] === sorted[right] ? sorted[left] : sorted[left] + (sorted[right] - sorted[left]) * (at - left);
}

/** The median slope between all pairs of points, the median intercept. Missing values are left out. */
export function theilSen(x: ArrayLike<number>, y: ArrayLike<number>): { slope: number; intercept: number } {
  const slopes: number[] = [];
  for (let i = 0; i < y.length; i++) {
    for (let j = i + 1; j < y.length; j++) {
      const slope = (y[j] - y[i]) / (x[j] - x[i]);
      if (!Number.isNaN(slope)) slopes.push(slope);
    }
  }
  const slope = slopes.length > 0 ? median(slopes) : 0;
  const rest: number[] = [];
  for (let i = 0; i < y.length; i++) if (!Number.isNaN(y[i])) rest.push(y[i] - slope * x[i]);
  return { slope, intercept: rest.length > 0 ? median(rest) : Number.NaN };
}

/**
 * A fitted trend of daily peaks: ln(peak) = ln(line) + weekday + residual, where the line grows by a share a day
 * (`exponential`, straight in logarithms) or by an amount a day. Day numbers count from the first day of the history.
 */
export interface DailyTrend {
  exponential: boolean;
  /** Of the line at day `centre`, in logarithms when exponential, in the load's unit when not. */
  level: number;
  slope: number;
  centre: number;
  levelError: number;
  slopeError: number;
  /** Log departure of each day of the week; index is day number modulo 7. Days that do not differ share a value. */
  weekday: Float64Array;
  weekdayError: Float64Array;
  /** What is left in log space, day by day; NaN where the day is missing. */
  residuals: Float64Array;
  /** How many times larger the variance of a mean of days is than if days were independent. */
  inflation: number;
}

const WEEK = 7;

/**
 * Fits trend and weekdays to ln(peak): weekday medians of the departure from a centred week, Theil-Sen over weekly
 * means, errors from the scatter around the line, widened by its autocorrelation.
 */
export function fitTrend(history: Float64Array, exponential: boolean): DailyTrend {
  const effects = weekdayEffects(history);
  const first = weeklyLine(history, effects, exponential);
  const around = history.map((z, i) => z - lineLog(first, exponential, i));
  const weekday = mergeAlike(
    effects,
    1.2 * spread(present(around.map((z, i) => z - effects[i % WEEK]))),
    history.length,
  );
  const line = weeklyLine(history, weekday.effects, exponential);
  const residuals = history.map((z, i) => z - weekday.effects[i % WEEK] - lineLog(line, exponential, i));
  const centre = (history.length - 1) / 2;
  const level = line.intercept + line.slope * centre;
  return {
    exponential,
    level,
    slope: line.slope,
    centre,
    ...errorsOf(residuals, exponential ? 1 : Math.abs(level)),
    weekday: weekday.effects,
    weekdayError: weekday.errors,
    residuals,
  };
}

interface Line {
  slope: number;
  intercept: number;
}

function lineLog(line: Line, exponential: boolean, day: number): number {
  return toLog(line.intercept + line.slope * day, exponential);
}

function toLog(value: number, exponential: boolean): number {
  return exponential ? value : Math.log(Math.max(LEAST_LOAD, value));
}

const LEAST_LOAD = 1e-300;

function present(values: Float64Array): number[] {
  return [...values].filter((v) => !Number.isNaN(v));
}

/**
 * Weekdays whose effects differ by no more than chance are given their mean: the largest of five noisy estimates is
 * too large, and would date the threshold too early.
 */
function mergeAlike(raw: Float64Array, sigma: number, days: number) {
  const error = sigma / Math.sqrt(Math.max(1, days / WEEK));
  const order = [...raw.keys()].sort((a, b) => raw[a] - raw[b]);
  const effects = new Float64Array(WEEK);
  const errors = new Float64Array(WEEK);
  for (let from = 0; from < WEEK; ) {
    let to = from + 1;
    while (to < WEEK && raw[order[to]] - raw[order[to - 1]] < 2.5 * error) to++;
    const group = order.slice(from, to);
    const mean = group.reduce((sum, day) => sum + raw[day], 0) / group.length;
    for (const day of group) {
      effects[day] = mean;
      errors[day] = error / Math.sqrt(group.length);
    }
    from = to;
  }
  return { effects, errors };
}

/** A centred week has every weekday once and no trend, so departures from its mean are the weekday's alone. */
function weekdayEffects(y: Float64Array): Float64Array {
  const departures: number[][] = Array.from({ length: WEEK }, () => []);
  for (let i = 3; i + 3 < y.length; i++) {
    const departure = y[i] - mean(y, i - 3, i + 4);
    if (!Number.isNaN(departure)) departures[i % WEEK].push(departure);
  }
  const effects = Float64Array.from(departures, (list) => (list.length > 0 ? median(list) : 0));
  const average = effects.reduce((sum, v) => sum + v, 0) / WEEK;
  return effects.map((v) => v - average);
}

function mean(y: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += y[i];
  return sum / (to - from);
}

function weeklyLine(history: Float64Array, weekday: Float64Array, exponential: boolean): Line {
  const x: number[] = [];
  const weeks: number[] = [];
  for (let end = history.length; end > 0; end -= WEEK) {
    const days: number[] = [];
    let place = 0;
    for (let i = Math.max(0, end - WEEK); i < end; i++) {
      if (Number.isNaN(history[i])) continue;
      days.push(history[i] - weekday[i % WEEK]);
      place += i;
    }
    if (days.length < 4) continue;
    x.push(place / days.length);
    weeks.push(exponential ? trimmedMean(days) : Math.exp(trimmedMean(days)));
  }
  return theilSen(x, weeks);
}

/** Mean without the lowest and the highest: one outage or flood does not move its week. */
function trimmedMean(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b).slice(1, -1);
  return sorted.reduce((sum, v) => sum + v, 0) / sorted.length;
}

/** Standard errors of slope and level from the residuals and their autocorrelation; `unit` brings them to the line's. */
function errorsOf(residuals: Float64Array, unit: number) {
  const days = residuals.length;
  const known = present(residuals);
  const n = known.length;
  const sigma = spread(known) * Math.sqrt(n / Math.max(1, n - 9));
  const inflation = varianceInflation(residuals);
  // Theil-Sen over trimmed weeks is a little less efficient than least squares: 5 % in the error.
  const error = unit * 1.05 * sigma * Math.sqrt(inflation);
  return { inflation, slopeError: error / Math.sqrt((n * days * days) / 12), levelError: error / Math.sqrt(n) };
}

/** Standard deviation, with the farthest values drawn in to three and a half median deviations. */
function spread(values: readonly number[]): number {
  const limit = 3.5 * 1.4826 * median(values.map(Math.abs));
  let sum = 0;
  for (const v of values) sum += Math.min(Math.abs(v), limit || Math.abs(v)) ** 2;
  return values.length > 0 ? Math.sqrt(sum / values.length) : 0;
}

/**
 * The larger of what an AR(1) process with the same correlation of neighbours has, and 1 + 2 * the sum of
 * autocorrelations over two weeks with falling weights (Newey and West 1987); within 1..20.
 */
function varianceInflation(residuals: Float64Array): number {
  const lags = Math.min(14, Math.floor(residuals.length / 4));
  const zero = covariance(residuals, 0);
  if (!(zero > 0)) return 1;
  let sum = 1;
  for (let lag = 1; lag <= lags; lag++) sum += 2 * (1 - lag / (lags + 1)) * (covariance(residuals, lag) / zero);
  // A sample's correlation is too low by about (1 + 4 r) / n (Kendall 1954).
  const r = covariance(residuals, 1) / zero;
  const corrected = Math.max(0, Math.min(0.9, r + (1 + 4 * r) / residuals.length));
  return Math.max(1, Math.min(20, Math.max(sum, (1 + corrected) / (1 - corrected))));
}

function covariance(r: Float64Array, lag: number): number {
  let sum = 0;
  let n = 0;
  for (let i = lag; i < r.length; i++) {
    const product = r[i] * r[i - lag];
    if (Number.isNaN(product)) continue;
    sum += product;
    n++;
  }
  return n > 0 ? sum / n : 0;
}

/** ln of the line with the day's weekday effect. */
export function trendLog(trend: DailyTrend, day: number): number {
  return lineLogAt(trend, trend.level, trend.slope, day) + trend.weekday[day % WEEK];
}

/** ln of a line with this trend's centre and kind but its own level and slope. */
export function lineLogAt(trend: DailyTrend, level: number, slope: number, day: number): number {
  return toLog(level + slope * (day - trend.centre), trend.exponential);
}
