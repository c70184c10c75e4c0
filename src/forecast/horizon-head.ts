import {
  BINS_SIZE,
  CONFORMAL_SCALARS,
  conformalAdapt,
  conformalHalf80,
  conformalHalf95,
  conformalInit,
  conformalLearn,
  quantileAbove,
  scoresSeen,
  tailProbability,
} from './conformal.ts';
import { RLS_SIZE, rlsInit, rlsLearn, rlsPredict } from './rls.ts';
import { conformalRate, forgetting, scaleRate } from './steps.ts';

/** Scalars: scales of the fitting error, the issued forecast's error and the features; steps learned; the conformal ones. */
export const HEAD_SCALARS = 4 + CONFORMAL_SCALARS;
const S = 0;
const SIGMA = 1;
const LEARNED = 2;
const REACH = 3;
const CONFORMAL = 4;
/** A series that never moves still gets an interval this wide (0.2 %, the quantum of the ring). */
const LEAST_SCALE = 0.002;
const FIRST_SCALE = 0.3;
/** Errors are clipped at this many scales before they move theta. */
const CLIP = 4;

/** Floats kept of each forecast until its step arrives: the forecast, its two half widths, the level it started from. */
const PENDING = 4;
export function headFloats(horizon: number): number {
  return RLS_SIZE + BINS_SIZE + PENDING * horizon;
}

/** One horizon of one series: its fit, its interval and the forecasts whose time has not yet come. */
export class HorizonHead {
  readonly horizon: number;
  private readonly scalars: Float64Array;
  private readonly at: number;
  private readonly floats: Float32Array;
  private readonly fit: number;
  private readonly lambda: number;
  private readonly rate: number;

  constructor(horizon: number, stepUs: number, scalars: Float64Array, at: number, floats: Float32Array, fit: number) {
    this.horizon = horizon;
    this.scalars = scalars;
    this.at = at;
    this.floats = floats;
    this.fit = fit;
    this.lambda = forgetting(stepUs);
    this.rate = conformalRate(stepUs, horizon);
  }

  init(): void {
    rlsInit(this.floats, this.fit);
    conformalInit(this.floats, this.fit + RLS_SIZE, this.scalars, this.at + CONFORMAL);
    this.scalars[this.at + S] = FIRST_SCALE;
    this.scalars[this.at + SIGMA] = FIRST_SCALE;
    this.scalars[this.at + LEARNED] = 0;
    this.scalars[this.at + REACH] = FIRST_SCALE;
    this.floats.fill(Number.NaN, this.pending(0), this.pending(this.horizon));
  }

  /** Starts the fit anew, as when the first day lag is there; scales and intervals stay. */
  refit(): void {
    rlsInit(this.floats, this.fit);
  }

  private pending(slot: number): number {
    return this.fit + RLS_SIZE + BINS_SIZE + slot * PENDING;
  }

  /** zhat - c. */
  predict(x: Float64Array): number {
    return rlsPredict(this.floats, this.fit, x);
  }

  /** Keeps the forecast made at step `origin` until `origin + horizon`. */
  issue(origin: number, zhat: number, level: number): void {
    const at = this.pending(origin % this.horizon);
    this.floats[at] = zhat;
    this.floats[at + 1] = this.half95();
    this.floats[at + 2] = this.half80();
    this.floats[at + 3] = level;
  }

  /** The forecast for `target` as it was issued; NaN when there was none. */
  issued(target: number): number {
    return this.floats[this.pending(target % this.horizon)];
  }

  issuedBand(target: number): { z: number; half95: number; half80: number } {
    const at = this.pending(target % this.horizon);
    return { z: this.floats[at], half95: this.floats[at + 1], half80: this.floats[at + 2] };
  }

  issuedLevel(target: number): number {
    return this.floats[this.pending(target % this.horizon) + 3];
  }

  forgetIssued(): void {
    this.floats.fill(Number.NaN, this.pending(0), this.pending(this.horizon));
  }

  /** Learns the fit from features `x` of the origin and the change since then. */
  learn(x: Float64Array, change: number): void {
    const s = this.scalars;
    const e = change - this.predict(x);
    const limit = CLIP * s[this.at + S];
    const weight = Math.abs(e) > limit ? limit / Math.abs(e) : 1;
    rlsLearn(this.floats, this.fit, x, e, this.lambda, weight * this.leverage(x));
    this.noteError(e);
    s[this.at + LEARNED]++;
  }

  /** A lag that was an outlier makes features far larger than usual; unweighted, one such step would outvote hundreds. */
  private leverage(x: Float64Array): number {
    let reach = 0;
    for (let i = 0; i < x.length; i++) reach = Math.max(reach, Math.abs(x[i]));
    const usual = this.scalars[this.at + REACH];
    const limit = CLIP * usual;
    this.scalars[this.at + REACH] += 0.02 * (Math.min(reach, limit) - usual);
    return reach > limit ? (limit / reach) ** 2 : 1;
  }

  /** The scale of the error is never frozen, not even while values are held for outliers. */
  noteError(e: number): void {
    const s = this.scalars[this.at + S];
    const rate = Math.max(0.02, 1 / (this.scalars[this.at + LEARNED] + 2));
    const next = s + rate * (1.25 * Math.min(Math.abs(e), CLIP * s) - s);
    this.scalars[this.at + S] = Math.max(LEAST_SCALE, next);
  }

  /** Judges the issued forecast against what came, and moves interval and scale. */
  settle(target: number, z: number): void {
    const at = this.pending(target % this.horizon);
    const residual = Math.abs(z - this.floats[at]);
    if (Number.isNaN(residual)) return;
    const conformal = this.at + CONFORMAL;
    const sigma = this.scalars[this.at + SIGMA];
    conformalAdapt(this.scalars, conformal, residual > this.floats[at + 1], residual > this.floats[at + 2], this.rate);
    conformalLearn(this.floats, this.fit + RLS_SIZE, this.scalars, conformal, residual / sigma);
    const rate = Math.max(scaleRate(this.horizon), 1 / (scoresSeen(this.scalars, conformal) + 3));
    const next = sigma + rate * (1.25 * Math.min(residual, 6 * sigma) - sigma);
    this.scalars[this.at + SIGMA] = Math.max(LEAST_SCALE, next);
  }

  get scale(): number {
    return this.scalars[this.at + S];
  }

  get sigma(): number {
    return this.scalars[this.at + SIGMA];
  }

  get learned(): number {
    return this.scalars[this.at + LEARNED];
  }

  /** Half width of the 95 % interval in log space. */
  half95(): number {
    return this.sigma * conformalHalf95(this.floats, this.fit + RLS_SIZE, this.scalars, this.at + CONFORMAL);
  }

  half80(): number {
    return this.sigma * conformalHalf80(this.floats, this.fit + RLS_SIZE, this.scalars, this.at + CONFORMAL);
  }

  /** Half width that a share `tail` of past errors exceeded, without adaptation. */
  half(tail: number): number {
    return this.sigma * quantileAbove(this.floats, this.fit + RLS_SIZE, this.scalars, this.at + CONFORMAL, tail);
  }

  tail(residual: number): number {
    const score = Math.abs(residual) / this.sigma;
    return tailProbability(this.floats, this.fit + RLS_SIZE, this.scalars, this.at + CONFORMAL, score);
  }
}
