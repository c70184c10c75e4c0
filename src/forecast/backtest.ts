import { chooseRates, HoltWinters } from './holt-winters.ts';
import { SeasonalModel } from './seasonal-model.ts';
import { DAY_US, WEEK_US } from './steps.ts';

export interface BacktestOptions {
  stepUs: number;
  /** Steps ahead. */
  horizons: readonly number[];
  /** Share of the series, its end, that is judged; 1/3 by default. */
  test?: number;
  seasonUs?: readonly number[];
  maxCells?: number;
  /** What forecasts are judged by when it is not the series itself; steps where the two differ are left out. */
  truth?: ArrayLike<number>;
}

/** Errors and coverage in per cent; `mase` is a ratio to the in-sample error of "the same time yesterday". */
export interface HorizonRecord {
  steps: number;
  /** Forecasts judged; steps without a value are left out. */
  n: number;
  mape: number;
  wape: number;
  mase: number;
  coverage95: number;
  coverage80: number;
  /** Mean width of the 95 % interval in per cent of the mean value. */
  width95: number;
  /** Coverage in the worst whole week (95 % interval). */
  worstWeek95: number;
  mapeNaive: number;
  mapeSeasonalNaive: number;
  mapeHoltWinters: number;
}

/**
 * Rolling origin: the model sees value after value; each forecast was issued `steps` before the value it is judged by.
 * The model and Holt-Winters see nothing of the test part before its time.
 */
export function backtest(values: ArrayLike<number>, options: BacktestOptions): HorizonRecord[] {
  const { stepUs, horizons, test = 1 / 3, seasonUs = [DAY_US, WEEK_US] } = options;
  const start = values.length - Math.floor(values.length * test);
  const heads = [...new Set([1, ...horizons])].sort((a, b) => a - b);
  const model = new SeasonalModel({ stepUs, seasonUs, horizons: heads, maxCells: options.maxCells ?? Infinity });
  const season = Math.max(1, Math.round(Math.min(...seasonUs, DAY_US) / stepUs));
  const past = Array.from({ length: start }, (_, i) => values[i]);
  const scale = seasonalScale(past, season);
  const week = Math.round(WEEK_US / stepUs);
  const ledgers = horizons.map(
    (h) => new Ledger(h, week, scale, new HoltWinters(season, chooseRates(past, season, h))),
  );
  for (let i = 0; i < values.length; i++) {
    model.reach(i * stepUs);
    const genuine = options.truth === undefined || options.truth[i] === values[i];
    if (i >= start && genuine) for (const ledger of ledgers) ledger.judge(values, i, i - start, model);
    model.learn(i * stepUs, values[i]);
    for (const ledger of ledgers) ledger.learnClassic(values[i]);
  }
  return ledgers.map((ledger) => ledger.record());
}

/** Mean absolute change against the same time yesterday. */
function seasonalScale(values: readonly number[], season: number): number {
  let sum = 0;
  let n = 0;
  for (let i = season; i < values.length; i++) {
    const change = Math.abs(values[i] - values[i - season]);
    if (Number.isNaN(change)) continue;
    sum += change;
    n++;
  }
  return n > 0 ? sum / n : Number.NaN;
}

/** The last value that was there at or before `i`. */
function lastKnown(values: ArrayLike<number>, i: number): number {
  let at = i;
  while (at >= 0 && Number.isNaN(values[at])) at--;
  return at >= 0 ? values[at] : Number.NaN;
}

class MeanError {
  private sum = 0;
  private n = 0;

  add(error: number): void {
    if (!Number.isFinite(error)) return;
    this.sum += error;
    this.n++;
  }

  get mean(): number {
    return this.n > 0 ? this.sum / this.n : Number.NaN;
  }
}

/** The record of one horizon while it grows. */
class Ledger {
  readonly steps: number;
  private readonly season: number;
  private readonly week: number;
  private readonly scale: number;
  private readonly classic: HoltWinters;
  private readonly pending: Float64Array;
  private issued = 0;
  private readonly errors = {
    own: new MeanError(),
    naive: new MeanError(),
    yesterday: new MeanError(),
    classic: new MeanError(),
  };
  private n = 0;
  private absolute = 0;
  private actual = 0;
  private width = 0;
  private inside95 = 0;
  private inside80 = 0;
  private readonly weeks: { inside: number; n: number }[] = [];

  constructor(steps: number, week: number, scale: number, classic: HoltWinters) {
    this.steps = steps;
    this.season = classic.steps;
    this.week = week;
    this.scale = scale;
    this.classic = classic;
    this.pending = new Float64Array(steps).fill(Number.NaN);
  }

  /** Keeps Holt-Winters' forecast until its step arrives. */
  learnClassic(value: number): void {
    this.classic.update(value);
    this.pending[this.issued++ % this.steps] = this.classic.forecast(this.steps);
  }

  judge(values: ArrayLike<number>, i: number, sinceStart: number, model: SeasonalModel): void {
    const y = values[i];
    const band = model.band(this.steps);
    if (Number.isNaN(y) || Number.isNaN(band.z)) return;
    const relative = (forecast: number) => (y > 0 ? Math.abs(forecast - y) / y : Number.NaN);
    const expected = Math.exp(band.z);
    this.errors.own.add(relative(expected));
    this.errors.naive.add(relative(lastKnown(values, i - this.steps)));
    this.errors.yesterday.add(relative(lastKnown(values, i - this.season * Math.ceil(this.steps / this.season))));
    this.errors.classic.add(relative(this.pending[this.issued % this.steps]));
    this.n++;
    this.absolute += Math.abs(expected - y);
    this.actual += Math.abs(y);
    this.width += Math.exp(band.z + band.half95) - Math.exp(band.z - band.half95);
    this.cover(Math.abs(model.toZ(y) - band.z), band, sinceStart);
  }

  private cover(off: number, band: { half95: number; half80: number }, sinceStart: number): void {
    const week = Math.floor(sinceStart / this.week);
    this.weeks[week] ??= { inside: 0, n: 0 };
    const inside = off <= band.half95 ? 1 : 0;
    this.inside95 += inside;
    this.weeks[week].inside += inside;
    this.weeks[week].n++;
    if (off <= band.half80) this.inside80++;
  }

  record(): HorizonRecord {
    const share = (part: number) => (100 * part) / this.n;
    const whole = this.weeks.filter((week) => week.n >= this.week / 2).map((week) => (100 * week.inside) / week.n);
    return {
      steps: this.steps,
      n: this.n,
      mape: 100 * this.errors.own.mean,
      wape: (100 * this.absolute) / this.actual,
      mase: this.absolute / this.n / this.scale,
      coverage95: share(this.inside95),
      coverage80: share(this.inside80),
      width95: (100 * this.width) / this.actual,
      worstWeek95: whole.length > 0 ? Math.min(...whole) : share(this.inside95),
      mapeNaive: 100 * this.errors.naive.mean,
      mapeSeasonalNaive: 100 * this.errors.yesterday.mean,
      mapeHoltWinters: 100 * this.errors.classic.mean,
    };
  }
}
