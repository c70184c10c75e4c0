import { HEAD_SCALARS, HorizonHead, headFloats } from './horizon-head.ts';
import { FEATURES } from './rls.ts';
import { RING_SCALARS, SeasonRing } from './season-ring.ts';
import { fill, type StateArray } from './state.ts';
import { DAY_US, gatePatience } from './steps.ts';

export interface SeasonalOptions {
  stepUs: number;
  seasonUs: readonly number[];
  /** In steps, ascending, the first one 1. Only [1] when a ring cell holds several steps. */
  horizons: readonly number[];
  maxCells: number;
}

/** A forecast in log space with the half widths of its intervals. */
export interface Band {
  z: number;
  half95: number;
  half80: number;
}

/** Scalars of the model, before those of the heads. */
const STARTED = 0;
const LAST_INDEX = 1;
const STEP = 2;
const CURRENT = 3;
const PREVIOUS = 4;
const LEVEL = 5;
const MEAN = 6;
const LEAST = 7;
const HELD = 8;
const FILLED = 9;
const REAL = 10;
const SEASON_SCALE = 11;
const FIRST_US = 12;
const SHIFTED = 13;
const WEEK_SCALE = 14;
const MODEL_SCALARS = 15;

/** Errors of more than this many scales are held for missing, for a while. */
const GATE = 8;
const GATE_AFTER = 12;
/** The level follows the last dozen steps. */
const LEVEL_RATE = 0.15;

/** The features of the step at hand; shared because a step runs to its end before the next begins. */
const x = new Float64Array(FEATURES);

/**
 * Seasonal autoregression in log space, z = ln y, fitted by recursive least squares, one head a horizon:
 * the change from the current value c to the one `h` steps on, explained by what it was a day and a week before.
 * Fallbacks by age: no week yet, the day stands in; no day yet, the level. Values that fit neither the forecast nor
 * the season are held for missing until they persist; missing values are filled with the forecast.
 */
export class SeasonalModel {
  readonly heads: HorizonHead[] = [];
  readonly ring: SeasonRing;
  readonly scalars: Float64Array;
  readonly floats: Float32Array;
  readonly day: number;
  readonly week: number;
  private readonly stepUs: number;
  private readonly patience: number;
  private readonly fillLimit: number;

  constructor(options: SeasonalOptions) {
    const { stepUs, horizons } = options;
    this.stepUs = stepUs;
    const longest = Math.max(0, ...options.seasonUs) / stepUs;
    const perCell = Math.max(1, Math.ceil(longest / options.maxCells));
    const lag = (us: number) => (perCell === 1 ? Math.round(us / stepUs) : us / stepUs);
    const lags = options.seasonUs.map(lag).filter((m) => m >= 2);
    this.day = lags.length > 0 ? Math.min(...lags) : 0;
    this.week = lags.length > 0 && Math.max(...lags) > this.day ? Math.max(...lags) : 0;
    const furthest = horizons[horizons.length - 1];
    this.ring = new SeasonRing(perCell, Math.ceil(Math.max(this.day, this.week) / perCell) + furthest + 3);
    this.patience = gatePatience(stepUs);
    this.fillLimit = Math.max(1, Math.min(4096, Math.round(DAY_US / stepUs)));
    this.scalars = new Float64Array(MODEL_SCALARS + HEAD_SCALARS * horizons.length);
    this.floats = new Float32Array(horizons.reduce((sum, h) => sum + headFloats(h), 0));
    let at = 0;
    horizons.forEach((h, i) => {
      const head = new HorizonHead(h, stepUs, this.scalars, MODEL_SCALARS + HEAD_SCALARS * i, this.floats, at);
      head.init();
      at += headFloats(h);
      this.heads.push(head);
    });
    this.scalars[SEASON_SCALE] = this.scalars[WEEK_SCALE] = 0.5;
    this.scalars[LEAST] = Number.POSITIVE_INFINITY;
  }

  /** What to save; `restore` takes the same arrays back. */
  arrays(): StateArray[] {
    return [this.scalars, this.floats, Float64Array.from(this.ring.scalars()), this.ring.cells];
  }

  restore(saved: readonly ArrayBuffer[]): void {
    const ring = new Float64Array(RING_SCALARS);
    fill(this.scalars, saved[0]);
    fill(this.floats, saved[1]);
    fill(ring, saved[2]);
    const cells = new Int16Array(saved[3]);
    if (cells.length === 0 || cells.length > this.ring.maxCells)
      throw new RangeError('forecast state has another size');
    this.ring.restore(ring, cells);
  }

  /** Steps learned from since the start, missing and held ones not counted. */
  get seen(): number {
    return this.scalars[REAL];
  }

  get lastTimeUs(): number {
    return this.scalars[FIRST_US] + this.scalars[LAST_INDEX] * this.stepUs;
  }

  /** Time since the first value. */
  ageUs(timeUs: number): number {
    return this.scalars[STARTED] === 0 ? 0 : timeUs - this.scalars[FIRST_US];
  }

  private indexOf(timeUs: number): number {
    return Math.round((timeUs - this.scalars[FIRST_US]) / this.stepUs);
  }

  /** Fills in the steps left out before `timeUs`; false when that step is not after the last one. */
  reach(timeUs: number): boolean {
    const s = this.scalars;
    if (s[STARTED] === 0) return true;
    const missing = this.indexOf(timeUs) - s[LAST_INDEX] - 1;
    if (!(missing >= 0)) return false;
    if (missing > this.ring.maxCells * this.ring.stepsPerCell) this.forget(missing);
    else for (let i = 0; i < missing; i++) this.advance(Number.NaN, 0);
    return true;
  }

  /** After a gap longer than the ring no lag is left; fit and intervals are kept. */
  private forget(missing: number): void {
    const s = this.scalars;
    this.ring.clear();
    for (const head of this.heads) head.forgetIssued();
    s[LAST_INDEX] += missing;
    s[STEP] = 0;
    s[CURRENT] = s[PREVIOUS] = s[LEVEL] = Number.NaN;
  }

  /** The forecast for the step after the last one that was issued `h` steps before it, with its half widths. */
  band(h: number): Band {
    const head = this.heads.find((one) => one.horizon === h);
    const none = { z: Number.NaN, half95: Number.NaN, half80: Number.NaN };
    return head && this.scalars[STEP] >= h ? head.issuedBand(this.scalars[STEP]) : none;
  }

  /**
   * What is expected `h` steps after the last one, up to the furthest head. Between two heads the further one's forecast
   * for that step, issued earlier, is corrected by as much as the nearer one departs from it; the correction fades with
   * the logarithm of the distance.
   */
  outlook(h: number): Band {
    const now = this.scalars[STEP] - 1;
    let i = this.heads.length - 1;
    while (i > 0 && this.heads[i].horizon > h) i--;
    const near = this.heads[i];
    const own = near.issuedBand(now + near.horizon);
    if (h <= near.horizon || i + 1 === this.heads.length) return own;
    const far = this.heads[i + 1];
    const older = far.issuedBand(now + h);
    const share = Math.log(h / near.horizon) / Math.log(far.horizon / near.horizon);
    const correction = own.z - far.issued(now + near.horizon);
    const mix = (a: number, b: number) => a + (b - a) * share;
    const z = older.z + (1 - share) * correction;
    return {
      z: Number.isNaN(z) ? own.z : z,
      half95: Number.isNaN(z) ? far.half95() : mix(own.half95, older.half95),
      half80: Number.isNaN(z) ? far.half80() : mix(own.half80, older.half80),
    };
  }

  /** The value one long season before the step `h` after the last one, or the latest whole number of seasons, as z. */
  lastSeason(h: number): number {
    const m = this.week > 0 && this.scalars[STEP] > this.week ? this.week : this.day;
    return m > 0 ? this.ring.at(this.scalars[STEP] - 1 + h - m * Math.ceil(h / m)) : Number.NaN;
  }

  /** A value in the model's log space; NaN stays NaN. */
  toZ(value: number): number {
    return this.floored(this.toLog(value));
  }

  /** ln of a value; zero and less are -Infinity; NaN stays NaN. */
  private toLog(value: number): number {
    return value > 0 ? Math.log(value) : Number.isNaN(value) ? Number.NaN : Number.NEGATIVE_INFINITY;
  }

  private floored(z: number): number {
    return Math.max(z, this.ring.floor);
  }

  /** The forecast for the step after the last one, in log space; NaN before the first value. */
  expected(): number {
    return this.scalars[STEP] === 0 ? Number.NaN : this.heads[0].issued(this.scalars[STEP]);
  }

  /** Learns the value of the step at `timeUs`; call `reach` first. */
  learn(timeUs: number, value: number): void {
    const s = this.scalars;
    if (s[STARTED] === 0) {
      if (Number.isNaN(value)) return;
      s[STARTED] = 1;
      s[FIRST_US] = timeUs;
      s[LAST_INDEX] = -1;
    }
    if (!Number.isNaN(value)) this.follow(value);
    this.advance(this.toLog(value), value);
  }

  /**
   * What stands for zero: half the least positive value, yet not under a ten thousandth of the mean, so that a single
   * freak value cannot stretch the log scale.
   */
  private follow(value: number): void {
    const s = this.scalars;
    const rate = Math.max(1 / (s[REAL] + 1), 1 / 2000);
    s[MEAN] += rate * (Math.max(0, value) - s[MEAN]);
    if (value > 0) s[LEAST] = Math.min(s[LEAST] * 1.0005, value);
    const least = s[LEAST] === Number.POSITIVE_INFINITY ? 1 : s[LEAST] / 2;
    this.ring.floor = Math.log(Math.max(least, s[MEAN] * 1e-4));
  }

  private advance(raw: number, value: number): void {
    const s = this.scalars;
    const t = s[STEP];
    const forecast = this.expected();
    const z = this.floored(raw);
    const real = !Number.isNaN(raw) && !this.held(z, forecast, t);
    if (real) {
      this.learnHeads(t, z);
      this.noteWeek(t, z);
      s[REAL]++;
      s[FILLED] = 0;
    } else s[FILLED]++;
    this.move(real ? z : s[FILLED] === 1 ? forecast : this.drift(t), real && value <= 0);
    // What was learned without a season is worth little with one, and early outliers weigh on it.
    if (this.day > 0) for (const head of this.heads) if (t === Math.ceil(this.day) + head.horizon) head.refit();
    s[STEP] = t + 1;
    s[LAST_INDEX]++;
    this.issueAll(t);
  }

  /**
   * True while a gross outlier is to be taken for missing. It is believed when it lasts; for a day after that, a value
   * like yesterday's is believed at once, so that the end of a flood is not held for another outlier.
   */
  private held(z: number, forecast: number, t: number): boolean {
    const s = this.scalars;
    const head = this.heads[0];
    const usual = this.usual(z, t);
    if (s[SHIFTED] > 0) s[SHIFTED]--;
    if (!(Math.abs(z - forecast) > GATE * head.scale) || head.learned < GATE_AFTER || (s[SHIFTED] > 0 && usual)) {
      s[HELD] = 0;
      return false;
    }
    if (s[HELD] >= this.patience) {
      s[HELD] = 0;
      s[SHIFTED] = Math.max(2, this.day);
      return false;
    }
    s[HELD]++;
    head.noteError(z - forecast);
    return true;
  }

  /** Whether a value is near yesterday's, measured by how far days usually are apart. */
  private usual(z: number, t: number): boolean {
    const s = this.scalars;
    const apart = this.day > 0 ? Math.abs(z - this.ring.at(t - this.day)) : Number.NaN;
    const scale = s[SEASON_SCALE];
    if (!Number.isNaN(apart)) s[SEASON_SCALE] += 0.02 * (1.25 * Math.min(apart, 4 * scale) - scale);
    return apart <= 2 * scale;
  }

  /** How far weeks are apart: the interval of what only last week can tell. */
  private noteWeek(t: number, z: number): void {
    const apart = this.week > 0 ? Math.abs(z - this.ring.at(t - this.week)) : Number.NaN;
    if (Number.isNaN(apart)) return;
    const s = this.scalars;
    const rate = Math.max(1 / this.week, 1 / (t - this.week + 2));
    s[WEEK_SCALE] += rate * (1.25 * Math.min(apart, 6 * s[WEEK_SCALE]) - s[WEEK_SCALE]);
  }

  /** Typical departure from the last season in log space, a standard deviation if it is normal. */
  get seasonScale(): number {
    return this.scalars[this.week > 0 && this.scalars[STEP] > this.week ? WEEK_SCALE : SEASON_SCALE];
  }

  private learnHeads(t: number, z: number): void {
    for (const head of this.heads) {
      head.settle(t, z);
      const origin = t - head.horizon;
      if (origin < 1) continue;
      const c = head.horizon === 1 ? this.scalars[CURRENT] : this.ring.at(origin);
      const before = head.horizon === 1 ? this.scalars[PREVIOUS] : this.ring.at(origin - 1);
      if (Number.isNaN(c) || Number.isNaN(before)) continue;
      this.features(t, head.horizon, c, before, head.issuedLevel(t));
      head.learn(x, z - c);
    }
  }

  /** What stands for the second missing step in a row and later ones: yesterday's course, which cannot run away. */
  private drift(t: number): number {
    const step = this.day > 0 ? this.ring.at(t - this.day) - this.ring.at(t - this.day - 1) : 0;
    return this.scalars[CURRENT] + (Number.isNaN(step) ? 0 : step);
  }

  /** Takes the step's value, or what stands for it, as the current one. */
  private move(z: number, zero: boolean): void {
    const s = this.scalars;
    s[PREVIOUS] = Number.isNaN(s[CURRENT]) ? z : s[CURRENT];
    s[CURRENT] = z;
    s[LEVEL] = Number.isNaN(s[LEVEL]) ? z : s[LEVEL] + LEVEL_RATE * (z - s[LEVEL]);
    this.ring.push(s[FILLED] > this.fillLimit ? Number.NaN : zero ? Number.NEGATIVE_INFINITY : z);
  }

  private issueAll(origin: number): void {
    const s = this.scalars;
    for (const head of this.heads) {
      const t = origin + head.horizon;
      this.features(t, head.horizon, s[CURRENT], s[PREVIOUS], s[LEVEL]);
      head.issue(t, s[CURRENT] + head.predict(x), s[LEVEL]);
    }
  }

  /** Fills `x` for the target step `t`, seen from `h` steps before it, where the value was `c` and before that `before`. */
  features(t: number, h: number, c: number, before: number, level: number): void {
    const { day, week, ring } = this;
    const origin = t - h;
    x[0] = x[1] = x[5] = 0;
    if (day > 0) {
      const target = ring.at(t - day * Math.ceil(h / day));
      const same = ring.at(origin - day);
      if (!Number.isNaN(target)) {
        x[1] = target - c;
        if (!Number.isNaN(same)) {
          x[0] = target - same;
          const sameBefore = ring.at(origin - day - 1);
          if (!Number.isNaN(sameBefore)) x[5] = same - sameBefore;
        }
      }
    }
    x[2] = x[3] = 0;
    if (week > 0 && origin > week) {
      // A gap in last week: the day stands in.
      x[2] = x[0];
      x[3] = x[1];
      const target = ring.at(t - week * Math.ceil(h / week));
      const same = ring.at(origin - week);
      if (!Number.isNaN(target) && !Number.isNaN(same)) {
        x[2] = target - same;
        x[3] = target - c;
      }
    }
    x[4] = c - before;
    x[6] = 0.1;
    x[7] = !Number.isNaN(level) ? level - c : 0;
  }
}
