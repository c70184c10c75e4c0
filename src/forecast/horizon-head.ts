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
import { CONSTANT, RLS_SIZE, rlsInit, rlsLearn, rlsPredict } from './rls.ts';
import { conformalRate, forgetting, scaleRate, wideningRate } from './steps.ts';

/** Scales of the fitting error, of the issued forecast's error and of the features; steps learned; then the conformal ones. */
const S = 0;
const SIGMA = 1;
const LEARNED = 2;
const REACH = 3;
const CONFORMAL = 4;
const FIT = CONFORMAL + CONFORMAL_SCALARS;
/** Forecasts whose step has not come yet. */
const PENDING = FIT + RLS_SIZE;

/** Floats of a head: the numbers above, one forecast a step until its time. */
export function headFloats(horizon: number): number {
  return PENDING + horizon;
}

/** Cells of a head: the bins of its scores, two half widths for each forecast. */
export function headCells(horizon: number): number {
  return BINS_SIZE + 2 * horizon;
}

/** A series that never moves still gets an interval this wide (0.2 %, the quantum of the ring). */
const LEAST_SCALE = 0.002;
const FIRST_SCALE = 0.3;
/** Errors are clipped at this many scales before they move theta. */
const CLIP = 4;

/** The numbers of one series: a slice of shared floats and one of shared cells. */
export interface HeadState {
  readonly floats: Float32Array;
  readonly floatsAt: number;
  readonly cells: Int16Array;
  readonly cellsAt: number;
}

/**
 * One horizon: its fit, its interval and the forecasts whose time has not yet come. It holds no numbers of its own, so
 * that all series with the same options share it; theirs come as `m`.
 */
export class HorizonHead {
  readonly horizon: number;
  private readonly floats: number;
  private readonly cells: number;
  private readonly lambda: number;
  private readonly rate: number;
  private readonly widen: number;

  /** @param floats where the head's floats begin among those of a series; @param cells the same for cells */
  constructor(horizon: number, stepUs: number, floats: number, cells: number) {
    this.horizon = horizon;
    this.floats = floats;
    this.cells = cells;
    this.lambda = forgetting(stepUs);
    this.rate = conformalRate(horizon);
    this.widen = wideningRate(stepUs, horizon);
  }

  init(m: HeadState): void {
    const f = m.floats;
    const at = m.floatsAt + this.floats;
    rlsInit(f, at + FIT, 1);
    conformalInit(m.cells, m.cellsAt + this.cells, f, at + CONFORMAL);
    f[at + S] = f[at + SIGMA] = f[at + REACH] = FIRST_SCALE;
    f[at + LEARNED] = 0;
    this.forgetIssued(m);
  }

  /** Starts the fit anew, as when the first day lag is there; scales and intervals stay. */
  refit(m: HeadState): void {
    const at = m.floatsAt + this.floats;
    rlsInit(m.floats, at + FIT, priorOf(m.floats[at + REACH]));
  }

  /** zhat - c. */
  predict(m: HeadState, x: Float64Array): number {
    return rlsPredict(m.floats, m.floatsAt + this.floats + FIT, x);
  }

  /** Where the two half widths of the forecast for a step are. */
  private halves(m: HeadState, target: number): number {
    return m.cellsAt + this.cells + BINS_SIZE + 2 * (target % this.horizon);
  }

  /** Keeps the forecast for step `target` until that step comes. */
  issue(m: HeadState, target: number, zhat: number): void {
    m.floats[m.floatsAt + this.floats + PENDING + (target % this.horizon)] = zhat;
    const at = this.halves(m, target);
    m.cells[at] = encodeHalf(this.half95(m));
    m.cells[at + 1] = encodeHalf(this.half80(m));
  }

  /** The forecast for `target` as it was issued; NaN when there was none. */
  issued(m: HeadState, target: number): number {
    return m.floats[m.floatsAt + this.floats + PENDING + (target % this.horizon)];
  }

  issuedBand(m: HeadState, target: number): { z: number; half95: number; half80: number } {
    const at = this.halves(m, target);
    return { z: this.issued(m, target), half95: decodeHalf(m.cells[at]), half80: decodeHalf(m.cells[at + 1]) };
  }

  forgetIssued(m: HeadState): void {
    const at = m.floatsAt + this.floats + PENDING;
    m.floats.fill(Number.NaN, at, at + this.horizon);
  }

  /** Learns the fit from features `x` of the origin and the change since then. */
  learn(m: HeadState, x: Float64Array, change: number): void {
    const at = m.floatsAt + this.floats;
    const e = change - rlsPredict(m.floats, at + FIT, x);
    const limit = CLIP * m.floats[at + S];
    const weight = Math.abs(e) > limit ? limit / Math.abs(e) : 1;
    rlsLearn(m.floats, at + FIT, x, e, this.lambda, weight * leverage(m.floats, at, x), priorOf(m.floats[at + REACH]));
    this.noteError(m, e);
    m.floats[at + LEARNED]++;
  }

  /** The scale of the error is never frozen, not even while values are held for outliers. */
  noteError(m: HeadState, e: number): void {
    const at = m.floatsAt + this.floats;
    const s = m.floats[at + S];
    const rate = Math.max(0.02, 1 / (m.floats[at + LEARNED] + 2));
    const next = s + rate * (1.25 * Math.min(Math.abs(e), CLIP * s) - s);
    m.floats[at + S] = Math.max(LEAST_SCALE, next);
  }

  /** Judges the interval by a value that is held for an outlier: it was missed all the same. @param weight of the miss */
  settleHeld(m: HeadState, target: number, z: number, weight: number): void {
    const at = m.floatsAt + this.floats;
    const residual = Math.abs(z - this.issued(m, target));
    if (!Number.isNaN(residual)) this.adapt(m, at + CONFORMAL, residual, target, weight);
  }

  private adapt(m: HeadState, conformal: number, residual: number, target: number, weight: number): void {
    const halves = this.halves(m, target);
    const miss95 = residual > decodeHalf(m.cells[halves]);
    const miss80 = residual > decodeHalf(m.cells[halves + 1]);
    conformalAdapt(m.floats, conformal, miss95, miss80, weight * this.rate, weight * this.widen);
  }

  /** Judges the issued forecast against what came, and moves interval and scale. */
  settle(m: HeadState, target: number, z: number): void {
    const f = m.floats;
    const at = m.floatsAt + this.floats;
    const residual = Math.abs(z - f[at + PENDING + (target % this.horizon)]);
    if (Number.isNaN(residual)) return;
    const conformal = at + CONFORMAL;
    const sigma = f[at + SIGMA];
    this.adapt(m, conformal, residual, target, 1);
    conformalLearn(m.cells, m.cellsAt + this.cells, f, conformal, residual / sigma);
    const rate = Math.max(scaleRate(this.horizon), 1 / (scoresSeen(f, conformal) + 3));
    const next = sigma + rate * (1.25 * Math.min(residual, 6 * sigma) - sigma);
    f[at + SIGMA] = Math.max(LEAST_SCALE, next);
  }

  scale(m: HeadState): number {
    return m.floats[m.floatsAt + this.floats + S];
  }

  sigma(m: HeadState): number {
    return m.floats[m.floatsAt + this.floats + SIGMA];
  }

  learned(m: HeadState): number {
    return m.floats[m.floatsAt + this.floats + LEARNED];
  }

  /** Half width of the 95 % interval in log space. */
  half95(m: HeadState): number {
    const at = m.floatsAt + this.floats;
    return m.floats[at + SIGMA] * conformalHalf95(m.cells, m.cellsAt + this.cells, m.floats, at + CONFORMAL);
  }

  half80(m: HeadState): number {
    const at = m.floatsAt + this.floats;
    return m.floats[at + SIGMA] * conformalHalf80(m.cells, m.cellsAt + this.cells, m.floats, at + CONFORMAL);
  }

  tail(m: HeadState, residual: number): number {
    const at = m.floatsAt + this.floats;
    const score = Math.abs(residual) / m.floats[at + SIGMA];
    return tailProbability(m.cells, m.cellsAt + this.cells, m.floats, at + CONFORMAL, score);
  }
}

/** Features that move less than this need a larger prior. */
const LEAST_REACH = 0.1;

function priorOf(reach: number): number {
  return Math.max(1, Math.min(1e5, (LEAST_REACH / Math.max(1e-4, reach)) ** 2));
}

/** A lag that was an outlier makes features far larger than usual; unweighted, one such step would outvote hundreds. */
function leverage(f: Float32Array, at: number, x: Float64Array): number {
  let reach = 0;
  for (let i = 0; i < x.length; i++) if (i !== CONSTANT) reach = Math.max(reach, Math.abs(x[i]));
  const usual = f[at + REACH];
  const limit = CLIP * usual;
  f[at + REACH] += 0.02 * (Math.min(reach, limit) - usual);
  return reach > limit ? (limit / reach) ** 2 : 1;
}

/** Half widths from 1e-4 to 1e6 in two bytes, to 0.02 %. */
const HALF_CODES = 3000;
function encodeHalf(half: number): number {
  return Math.max(-32767, Math.min(32767, Math.round(Math.log(half) * HALF_CODES)));
}

function decodeHalf(code: number): number {
  return Math.exp(code / HALF_CODES);
}
