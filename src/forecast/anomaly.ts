import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import type { BaselineModel } from '../model/series.ts';
import { baselines } from './baseline.ts';
import { DayProfile } from './day-profile.ts';
import { DAY_US, WEEK_US } from './steps.ts';
import { Surprise } from './surprise.ts';

/** What the detector says of one row, before it learns from it. */
export interface AnomalyScore {
  /** NaN while nothing is known. */
  expected: number;
  low: number;
  high: number;
  /** 0..1; 0 for a missing value and while learning. */
  score: number;
}

/** Rows before the first score: fewer say nothing of what is rare. */
const WARMUP = 150;
/** Rows before residuals have a usual size. */
const SCALE_AFTER = 10;
/** Rows before the hour of the day is trusted over the level. */
const PROFILE_AFTER = 400;
const LEVEL_RATE = 0.02;
const SCALE_RATE = 0.003;
const ERROR_RATE = 0.005;
/** Residuals are clipped at this many scales before they move a scale. */
const CLIP = 8;
/** Rows over which a run of surprises, and shifts of the mean, are looked for. */
const SHORT = 10;
const SHIFTS = [8, 40];
/** A surprise counts for at most this much in the run: 1 in 1000. */
const CAP = 3;
/** Rate of the usual level and spread of runs. */
const RUN_RATE = 0.002;
/** A value is new when it is this share of the range seen outside of it. */
const MARGIN = 0.05;
/** Sizes and distances past these mean the same. */
const LARGEST_SIZE = 1e6;
const MOST_RANGES = 1000;
/** A score holds down weaker ones behind it; it fades over this many rows. */
const REFRACTORY = 150;
const HELD_DOWN = 0.1;
/** How many times the one before a score must be to be shown within that time. */
const STANDS_OUT = 1.2;
/** Surprise that is half the way to 1. */
const HALF = 3;

/**
 * Anomaly score of any series (loads, counts, temperatures, prices; negative values too), in constant time and memory.
 * The largest of four surprises, each -log10 of a probability and so comparable between series:
 * - the residual against the level or the hour of the day, whichever has been nearer;
 * - the mean residual over 8 and 40 rows, for shifts;
 * - the last ten rows' surprise against its own long-run mean and spread;
 * - a value outside the range ever seen.
 * Then one event is one alarm: a score holds down weaker ones for a while. Expectation and interval come from the
 * seasonal baseline where the series is a load (nothing below zero), else from level or profile.
 */
export class AnomalyDetector implements Stateful {
  private readonly baseline: BaselineModel;
  private readonly profile = new DayProfile();
  private readonly residuals = new Surprise();
  private readonly shifts = SHIFTS.map((rows) => ({ rows, mean: 0, surprise: new Surprise() }));
  private n = 0;
  private negative = false;
  private level = Number.NaN;
  private levelError = 0;
  private profileError = 0;
  private scale = 0;
  private least = Number.POSITIVE_INFINITY;
  private most = Number.NEGATIVE_INFINITY;
  private run = 0;
  private runMean = 0;
  private runVariance = 0.1;
  private held = 0;

  /** @param stepUs the usual distance of rows */
  constructor(stepUs: number) {
    this.baseline = baselines.create({ stepUs, seasonUs: [DAY_US, WEEK_US] });
  }

  /** Judges one row, then learns from it. NaN is a missing value. */
  update(timeUs: number, value: number): AnomalyScore {
    const load = this.baseline.update(timeUs, this.negative ? Number.NaN : value);
    if (Number.isNaN(value)) return { ...this.expectation(timeUs, load), score: 0 };
    if (this.n === 0) this.level = value;
    const answer = this.expectation(timeUs, load);
    const surprise = this.judge(timeUs, value);
    this.n++;
    if (value < 0) this.negative = true;
    return { ...answer, score: this.hold(surprise) };
  }

  private expectation(timeUs: number, load: { expected: number; low: number; high: number; learned: boolean }) {
    if (!this.negative && load.learned) return { expected: load.expected, low: load.low, high: load.high };
    const expected = this.expected(timeUs);
    const half = this.scale * this.residuals.quantile(0.05);
    return { expected, low: expected - half, high: expected + half };
  }

  private expected(timeUs: number): number {
    const usual = this.profile.expected(timeUs);
    const trusted = this.n > PROFILE_AFTER && this.profileError < this.levelError && !Number.isNaN(usual);
    return trusted ? usual : this.level;
  }

  /** The row's surprise; learns on the way, each part after it has judged. */
  private judge(timeUs: number, value: number): number {
    const residual = value - this.expected(timeUs);
    const size = this.sizeOf(residual);
    const own = this.residuals.of(size);
    if (this.n >= SCALE_AFTER) this.residuals.learn(size);
    const most = Math.max(own, this.shift(residual), this.runOf(own), this.novelty(value));
    this.learn(timeUs, value, residual);
    return this.n > WARMUP ? most : 0;
  }

  /** In units of the usual residual; anything is large in a series that never moved. */
  private sizeOf(residual: number): number {
    if (residual === 0) return 0;
    return Math.min(LARGEST_SIZE, Math.abs(residual) / this.scale);
  }

  private shift(residual: number): number {
    let most = 0;
    for (const shift of this.shifts) {
      shift.mean += (residual - shift.mean) / shift.rows;
      const size = this.sizeOf(shift.mean);
      most = Math.max(most, shift.surprise.of(size));
      if (this.n >= SCALE_AFTER) shift.surprise.learn(size);
    }
    return most;
  }

  /** Many small surprises in a row: the short mean against its long-run mean and spread. */
  private runOf(own: number): number {
    this.run += (Math.min(own, CAP) - this.run) / SHORT;
    const off = this.run - this.runMean;
    const z = off / Math.sqrt(this.runVariance + 1e-4);
    this.runMean += RUN_RATE * off;
    this.runVariance += RUN_RATE * ((this.run - this.runMean) ** 2 - this.runVariance);
    // Between the tail of a normal and that of an exponential variable: runs are correlated.
    return z > 0 ? Math.min(6, 0.13 * z * z + 0.12 * z) : 0;
  }

  /** A record by a margin is as rare as the series is long, and rarer the farther it lies outside. */
  private novelty(value: number): number {
    const range = this.most - this.least;
    const outside = Math.max(value - this.most, this.least - value);
    if (!(outside > MARGIN * range) || !Number.isFinite(range)) return 0;
    return 0.9 * Math.log10(this.n + 1) + 2 * Math.log10(1 + 2 * Math.min(MOST_RANGES, outside / range));
  }

  private learn(timeUs: number, value: number, residual: number): void {
    const first = 1 / (this.n + 1);
    this.scale = follow(this.scale, Math.abs(residual), Math.max(SCALE_RATE, first));
    this.levelError = follow(this.levelError, Math.abs(value - this.level), Math.max(ERROR_RATE, first));
    const usual = this.profile.expected(timeUs);
    const off = Math.abs(value - (Number.isNaN(usual) ? this.level : usual));
    this.profileError = follow(this.profileError, off, Math.max(ERROR_RATE, first));
    this.level += Math.max(LEVEL_RATE, first) * (value - this.level);
    this.profile.learn(timeUs, value);
    this.least = Math.min(this.least, value);
    this.most = Math.max(this.most, value);
  }

  /** One event, one alarm: behind a score only a clearly higher one is shown in full. */
  private hold(surprise: number): number {
    const stands = surprise >= STANDS_OUT * this.held;
    this.held *= 1 - 1 / REFRACTORY;
    if (stands) this.held = Math.max(this.held, surprise);
    const shown = stands ? surprise : surprise * HELD_DOWN;
    return shown / (shown + HALF);
  }

  save(out: StateWriter): void {
    this.baseline.save(out);
    this.profile.save(out);
    this.residuals.save(out);
    for (const shift of this.shifts) {
      out.number(shift.mean);
      shift.surprise.save(out);
    }
    const { n, level, levelError, profileError, scale, least, most, run, runMean, runVariance, held } = this;
    const negative = this.negative ? 1 : 0;
    out.array(
      Float64Array.of(
        n,
        negative,
        level,
        levelError,
        profileError,
        scale,
        least,
        most,
        run,
        runMean,
        runVariance,
        held,
      ),
    );
  }

  restore(state: StateReader): void {
    this.baseline.restore(state);
    this.profile.restore(state);
    this.residuals.restore(state);
    for (const shift of this.shifts) {
      shift.mean = state.number();
      shift.surprise.restore(state);
    }
    const numbers = state.array(Float64Array);
    this.negative = numbers[1] === 1;
    [this.n, , this.level, this.levelError, this.profileError, this.scale] = numbers;
    [this.least, this.most, this.run, this.runMean, this.runVariance, this.held] = numbers.subarray(6);
  }
}

/** Moves a mean of sizes; one size moves it by no more than eight times itself. */
function follow(mean: number, size: number, rate: number): number {
  return mean + rate * ((mean > 0 ? Math.min(size, CLIP * mean) : size) - mean);
}
