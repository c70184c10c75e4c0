import {
  BINS_SIZE,
  CONFORMAL_SCALARS,
  conformalAdapt,
  conformalHalf80,
  conformalHalf95,
  conformalInit,
  conformalLearn,
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

/** Floats kept of each forecast until its step arrives: the forecast and its two half widths. */
const PENDING = 3;
export function headFloats(horizon: number): number {
  return RLS_SIZE + BINS_SIZE + PENDING * horizon;
}

/** The numbers of one series. */
export interface HeadState {
  readonly scalars: Float64Array;
  readonly floats: Float32Array;
}

/**
 * One horizon: its fit, its interval and the forecasts whose time has not yet come. It holds no numbers of its own, so
 * that all series with the same options share it; theirs come as `m`.
 */
export class HorizonHead {
  readonly horizon: number;
  private readonly at: number;
  private readonly fit: number;
  private readonly lambda: number;
  private readonly rate: number;

  /** @param at where the head's scalars begin; @param fit where its floats begin */
  constructor(horizon: number, stepUs: number, at: number, fit: number) {
    this.horizon = horizon;
    this.at = at;
    this.fit = fit;
    this.lambda = forgetting(stepUs);
    this.rate = conformalRate(stepUs, horizon);
  }

  init(m: HeadState): void {
    rlsInit(m.floats, this.fit);
    conformalInit(m.floats, this.fit + RLS_SIZE, m.scalars, this.at + CONFORMAL);
    m.scalars[this.at + S] = FIRST_SCALE;
    m.scalars[this.at + SIGMA] = FIRST_SCALE;
    m.scalars[this.at + LEARNED] = 0;
    m.scalars[this.at + REACH] = FIRST_SCALE;
    m.floats.fill(Number.NaN, this.pending(0), this.pending(this.horizon));
  }

  /** Starts the fit anew, as when the first day lag is there; scales and intervals stay. */
  refit(m: HeadState): void {
    rlsInit(m.floats, this.fit);
  }

  private pending(slot: number): number {
    return this.fit + RLS_SIZE + BINS_SIZE + slot * PENDING;
  }

  /** zhat - c. */
  predict(m: HeadState, x: Float64Array): number {
    return rlsPredict(m.floats, this.fit, x);
  }

  /** Keeps the forecast for step `target` until that step comes. */
  issue(m: HeadState, target: number, zhat: number): void {
    const at = this.pending(target % this.horizon);
    m.floats[at] = zhat;
    m.floats[at + 1] = this.half95(m);
    m.floats[at + 2] = this.half80(m);
  }

  /** The forecast for `target` as it was issued; NaN when there was none. */
  issued(m: HeadState, target: number): number {
    return m.floats[this.pending(target % this.horizon)];
  }

  issuedBand(m: HeadState, target: number): { z: number; half95: number; half80: number } {
    const at = this.pending(target % this.horizon);
    return { z: m.floats[at], half95: m.floats[at + 1], half80: m.floats[at + 2] };
  }

  forgetIssued(m: HeadState): void {
    m.floats.fill(Number.NaN, this.pending(0), this.pending(this.horizon));
  }

  /** Learns the fit from features `x` of the origin and the change since then. */
  learn(m: HeadState, x: Float64Array, change: number): void {
    const s = m.scalars;
    const e = change - this.predict(m, x);
    const limit = CLIP * s[this.at + S];
    const weight = Math.abs(e) > limit ? limit / Math.abs(e) : 1;
    rlsLearn(m.floats, this.fit, x, e, this.lambda, weight * this.leverage(m, x));
    this.noteError(m, e);
    s[this.at + LEARNED]++;
  }

  /** A lag that was an outlier makes features far larger than usual; unweighted, one such step would outvote hundreds. */
  private leverage(m: HeadState, x: Float64Array): number {
    let reach = 0;
    for (let i = 0; i < x.length; i++) reach = Math.max(reach, Math.abs(x[i]));
    const usual = m.scalars[this.at + REACH];
    const limit = CLIP * usual;
    m.scalars[this.at + REACH] += 0.02 * (Math.min(reach, limit) - usual);
    return reach > limit ? (limit / reach) ** 2 : 1;
  }

  /** The scale of the error is never frozen, not even while values are held for outliers. */
  noteError(m: HeadState, e: number): void {
    const s = m.scalars[this.at + S];
    const rate = Math.max(0.02, 1 / (m.scalars[this.at + LEARNED] + 2));
    const next = s + rate * (1.25 * Math.min(Math.abs(e), CLIP * s) - s);
    m.scalars[this.at + S] = Math.max(LEAST_SCALE, next);
  }

  /** Judges the issued forecast against what came, and moves interval and scale. */
  settle(m: HeadState, target: number, z: number): void {
    const at = this.pending(target % this.horizon);
    const residual = Math.abs(z - m.floats[at]);
    if (Number.isNaN(residual)) return;
    const conformal = this.at + CONFORMAL;
    const sigma = m.scalars[this.at + SIGMA];
    conformalAdapt(m.scalars, conformal, residual > m.floats[at + 1], residual > m.floats[at + 2], this.rate);
    conformalLearn(m.floats, this.fit + RLS_SIZE, m.scalars, conformal, residual / sigma);
    const rate = Math.max(scaleRate(this.horizon), 1 / (scoresSeen(m.scalars, conformal) + 3));
    const next = sigma + rate * (1.25 * Math.min(residual, 6 * sigma) - sigma);
    m.scalars[this.at + SIGMA] = Math.max(LEAST_SCALE, next);
  }

  scale(m: HeadState): number {
    return m.scalars[this.at + S];
  }

  sigma(m: HeadState): number {
    return m.scalars[this.at + SIGMA];
  }

  learned(m: HeadState): number {
    return m.scalars[this.at + LEARNED];
  }

  /** Half width of the 95 % interval in log space. */
  half95(m: HeadState): number {
    return this.sigma(m) * conformalHalf95(m.floats, this.fit + RLS_SIZE, m.scalars, this.at + CONFORMAL);
  }

  half80(m: HeadState): number {
    return this.sigma(m) * conformalHalf80(m.floats, this.fit + RLS_SIZE, m.scalars, this.at + CONFORMAL);
  }

  tail(m: HeadState, residual: number): number {
    const score = Math.abs(residual) / this.sigma(m);
    return tailProbability(m.floats, this.fit + RLS_SIZE, m.scalars, this.at + CONFORMAL, score);
  }
}
