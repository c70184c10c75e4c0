import { type Calibration, COARSE, CONFORMAL_SCALARS, conformalAdapt, FINE, scoresSeen } from './conformal.ts';
import { ORIGIN } from './features.ts';
import { CONSTANT, MOST_FEATURES, rlsInit, rlsLearn, rlsPredict, rlsSize } from './rls.ts';
import { conformalRate, forgetting, scaleRate, wideningRate } from './steps.ts';

/** Scales of the fitting error, of the issued forecast's error and of the features; steps learned; then the conformal ones. */
const S = 0;
const SIGMA = 1;
const LEARNED = 2;
const REACH = 3;
const CONFORMAL = 4;
const FIT = CONFORMAL + CONFORMAL_SCALARS;

/** The last feature, the recent level, is for one step only; further ahead it adds nothing to the day and the week. */
function featuresOf(horizon: number): number {
  return horizon === 1 ? MOST_FEATURES : MOST_FEATURES - 1;
}

/** The next step is judged by how rare it is, the further ones only by whether their interval held. */
function calibrationOf(horizon: number): Calibration {
  return horizon === 1 ? FINE : COARSE;
}

/** Floats of a head: the numbers above, its fit, the forecast of the next step. */
export function headFloats(horizon: number): number {
  return FIT + rlsSize(featuresOf(horizon)) + (horizon === 1 ? 1 : 0);
}

/** Cells of a head: the bins of its scores; for each step until its time two half widths and, further than one, the forecast. */
export function headCells(horizon: number): number {
  return calibrationOf(horizon).size + (horizon === 1 ? 2 : 3 * horizon);
}

/** A series that never moves still gets an interval this wide (0.2 %, the quantum of the ring). */
const LEAST_SCALE = 0.002;
const FIRST_SCALE = 0.3;
/** Half widths are kept as logarithms, from e^-10.9 to e^10.9 in two bytes, to 0.02 %. */
const HALF_CODES = 3000;
/** Forecasts further than one step ahead are kept in two bytes too, to 0.2 %, from e^-65 to e^65. */
const QUANTUM = 0.002;
const NO_FORECAST = -32768;
/** Shared because a forecast is issued at once. */
const logHalves = new Float64Array(2);
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
  private readonly features: number;
  /** Where the forecasts are whose step has not come yet: among the floats for one step ahead, else among the cells. */
  private readonly pending: number;
  /** Where the bins are, and where the half widths. */
  private readonly cells: number;
  private readonly halves: number;
  private readonly calibration: Calibration;
  private readonly lambda: number;
  private readonly rate: number;
  private readonly widen: number;

  /** @param floats where the head's floats begin among those of a series; @param cells the same for cells */
  constructor(horizon: number, stepUs: number, floats: number, cells: number) {
    this.horizon = horizon;
    this.floats = floats;
    this.features = featuresOf(horizon);
    this.calibration = calibrationOf(horizon);
    this.cells = cells;
    this.halves = cells + this.calibration.size;
    this.pending = horizon === 1 ? floats + FIT + rlsSize(this.features) : this.halves + 2 * horizon;
    this.lambda = forgetting(stepUs);
    this.rate = conformalRate(horizon);
    this.widen = wideningRate(stepUs, horizon);
  }

  init(m: HeadState): void {
    const f = m.floats;
    const at = m.floatsAt + this.floats;
    rlsInit(f, at + FIT, this.features, 1);
    this.calibration.init(m.cells, m.cellsAt + this.cells, f, at + CONFORMAL);
    f[at + S] = f[at + SIGMA] = f[at + REACH] = FIRST_SCALE;
    f[at + LEARNED] = 0;
    this.forgetIssued(m);
  }

  /** Starts the fit anew, as when the first day lag is there; scales and intervals stay. */
  refit(m: HeadState): void {
    const at = m.floatsAt + this.floats;
    rlsInit(m.floats, at + FIT, this.features, priorOf(m.floats[at + REACH]));
  }

  /** Where the two half widths of the forecast for a step are. */
  private halvesAt(m: HeadState, target: number): number {
    return m.cellsAt + this.halves + 2 * (target % this.horizon);
  }

  /** Forecasts step `target` from the features of the origin, and keeps that until the step comes. */
  issue(m: HeadState, target: number, x: Float64Array): void {
    const zhat = x[ORIGIN] + rlsPredict(m.floats, m.floatsAt + this.floats + FIT, this.features, x);
    if (this.horizon === 1) m.floats[m.floatsAt + this.pending] = zhat;
    else m.cells[m.cellsAt + this.pending + (target % this.horizon)] = encodeForecast(zhat);
    const f = m.floatsAt + this.floats;
    this.calibration.logHalves(m.cells, m.cellsAt + this.cells, m.floats, f + CONFORMAL, logHalves);
    const scale = Math.log(m.floats[f + SIGMA]);
    const at = this.halvesAt(m, target);
    m.cells[at] = encodeHalf(scale + logHalves[0]);
    m.cells[at + 1] = encodeHalf(scale + logHalves[1]);
  }

  issueNothing(m: HeadState, target: number): void {
    if (this.horizon === 1) m.floats[m.floatsAt + this.pending] = Number.NaN;
    else m.cells[m.cellsAt + this.pending + (target % this.horizon)] = NO_FORECAST;
  }

  /** The forecast for `target` as it was issued; NaN when there was none. */
  issued(m: HeadState, target: number): number {
    if (this.horizon === 1) return m.floats[m.floatsAt + this.pending];
    const code = m.cells[m.cellsAt + this.pending + (target % this.horizon)];
    return code === NO_FORECAST ? Number.NaN : code * QUANTUM;
  }

  issuedBand(m: HeadState, target: number): { z: number; half95: number; half80: number } {
    const at = this.halvesAt(m, target);
    return { z: this.issued(m, target), half95: decodeHalf(m.cells[at]), half80: decodeHalf(m.cells[at + 1]) };
  }

  forgetIssued(m: HeadState): void {
    const at = m.cellsAt + this.pending;
    if (this.horizon === 1) m.floats[m.floatsAt + this.pending] = Number.NaN;
    else m.cells.fill(NO_FORECAST, at, at + this.horizon);
  }

  /** Learns the fit from features `x` of the origin and the change since then. */
  learn(m: HeadState, x: Float64Array, change: number): void {
    const at = m.floatsAt + this.floats;
    const n = this.features;
    const e = change - rlsPredict(m.floats, at + FIT, n, x);
    const limit = CLIP * m.floats[at + S];
    const weight = (Math.abs(e) > limit ? limit / Math.abs(e) : 1) * leverage(m.floats, at, n, x);
    rlsLearn(m.floats, at + FIT, n, x, e, this.lambda, weight, priorOf(m.floats[at + REACH]));
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
    if (!Number.isNaN(residual)) this.adapt(m, at + CONFORMAL, Math.log(residual), target, weight);
  }

  private adapt(m: HeadState, conformal: number, logResidual: number, target: number, weight: number): void {
    const halves = this.halvesAt(m, target);
    const miss95 = logResidual * HALF_CODES > m.cells[halves];
    const miss80 = logResidual * HALF_CODES > m.cells[halves + 1];
    conformalAdapt(m.floats, conformal, miss95, miss80, weight * this.rate, weight * this.widen);
  }

  /** Judges the issued forecast against what came, and moves interval and scale. */
  settle(m: HeadState, target: number, z: number): void {
    const f = m.floats;
    const at = m.floatsAt + this.floats;
    const residual = Math.abs(z - this.issued(m, target));
    if (Number.isNaN(residual)) return;
    const conformal = at + CONFORMAL;
    const sigma = f[at + SIGMA];
    const logResidual = Math.log(residual);
    this.adapt(m, conformal, logResidual, target, 1);
    this.calibration.learn(
      m.cells,
      m.cellsAt + this.cells,
      f,
      conformal,
      residual / sigma,
      logResidual - Math.log(sigma),
    );
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

  /** Half width of the 95 % interval in log space, as the next forecast would have it. */
  half95(m: HeadState): number {
    return this.half(m, 0);
  }

  half80(m: HeadState): number {
    return this.half(m, 1);
  }

  private half(m: HeadState, which: 0 | 1): number {
    const at = m.floatsAt + this.floats;
    this.calibration.logHalves(m.cells, m.cellsAt + this.cells, m.floats, at + CONFORMAL, logHalves);
    return m.floats[at + SIGMA] * Math.exp(logHalves[which]);
  }

  tail(m: HeadState, residual: number): number {
    const at = m.floatsAt + this.floats;
    const score = Math.abs(residual) / m.floats[at + SIGMA];
    return this.calibration.tailProbability(m.cells, m.cellsAt + this.cells, m.floats, at + CONFORMAL, score);
  }
}

/** Features that move less than this need a larger prior. */
const LEAST_REACH = 0.1;

function priorOf(reach: number): number {
  return Math.max(1, Math.min(1e5, (LEAST_REACH / Math.max(1e-4, reach)) ** 2));
}

/** A lag that was an outlier makes features far larger than usual; unweighted, one such step would outvote hundreds. */
function leverage(f: Float32Array, at: number, n: number, x: Float64Array): number {
  let reach = 0;
  for (let i = 0; i < n; i++) if (i !== CONSTANT) reach = Math.max(reach, Math.abs(x[i]));
  const usual = f[at + REACH];
  const limit = CLIP * usual;
  f[at + REACH] += 0.02 * (Math.min(reach, limit) - usual);
  return reach > limit ? (limit / reach) ** 2 : 1;
}

function encodeHalf(logHalf: number): number {
  return Math.max(-32767, Math.min(32767, Math.round(logHalf * HALF_CODES)));
}

function encodeForecast(z: number): number {
  return Number.isNaN(z) ? NO_FORECAST : Math.max(-32767, Math.min(32767, Math.round(z / QUANTUM)));
}

function decodeHalf(code: number): number {
  return Math.exp(code / HALF_CODES);
}
