import { FEATURE_CELLS, fillFeatures, ORIGIN } from './features.ts';
import { keepHeld, releaseHeld, verdictOf } from './gate.ts';
import type { HorizonHead } from './horizon-head.ts';
import { layoutOf, type OwnNumbers, type SeasonalOptions } from './model-layout.ts';
import { ModelNumbers } from './model-numbers.ts';
import {
  CURRENT,
  FILLED,
  FIRST_US,
  FLOOR,
  HELD,
  LAST_INDEX,
  LEAST,
  LEVEL,
  MEAN,
  PREVIOUS,
  REAL,
  STARTED,
  STEP,
} from './model-scalars.ts';
import { type Band, outlookBand } from './outlook.ts';
import { damaged, fill, type StateArray } from './state.ts';
import { initWeek, noteWeek, weekHalves } from './week-scatter.ts';

/** The level follows the last dozen steps. */
const LEVEL_RATE = 0.15;

const NOTHING: OwnNumbers = { scalars: 0, floats: 0 };

/** The features of the step at hand; shared because a step runs to its end before the next begins. */
const x = new Float64Array(FEATURE_CELLS);

/**
 * Seasonal autoregression in log space, z = ln y, fitted by recursive least squares, one head a horizon:
 * the change from the current value c to the one `h` steps on, explained by what it was a day and a week before.
 * Fallbacks by age: no week yet, the day stands in; no day yet, the level. Values that fit neither the forecast nor
 * the season are held for missing until they persist; missing values are filled with the forecast.
 */
export class SeasonalModel extends ModelNumbers {
  constructor(options: SeasonalOptions, own: OwnNumbers = NOTHING) {
    super(layoutOf(options, own));
    this.layout.ring.init(this);
    for (const head of this.layout.heads) head.init(this);
    initWeek(this);
    this.scalars[this.scalarsAt + LEAST] = Number.POSITIVE_INFINITY;
  }

  /** What zero is read as. */
  get floor(): number {
    return this.scalars[this.scalarsAt + FLOOR];
  }

  /** The value of a step that is still kept, in log space. */
  private zAt(step: number): number {
    return this.layout.ring.at(this, step);
  }

  get heads(): readonly HorizonHead[] {
    return this.layout.heads;
  }

  /** What to save; `restoreArrays` takes the same arrays back. */
  arrays(): StateArray[] {
    return this.own();
  }

  restoreArrays(saved: readonly ArrayBuffer[]): void {
    const length = (saved[3]?.byteLength ?? 0) / 2;
    if (!(length > 0 && length <= this.layout.ring.maxCells)) throw damaged('forecast state of another size');
    this.layout.ring.allot(this, length);
    this.own().forEach((array, i) => {
      fill(array, saved[i]);
    });
  }

  /** Steps learned from since the start, missing and held ones not counted. */
  get seen(): number {
    return this.scalars[this.scalarsAt + REAL];
  }

  get lastTimeUs(): number {
    return this.scalars[this.scalarsAt + FIRST_US] + this.scalars[this.scalarsAt + LAST_INDEX] * this.layout.stepUs;
  }

  /** Time since the first value. */
  ageUs(timeUs: number): number {
    return this.scalars[this.scalarsAt + STARTED] === 0 ? 0 : timeUs - this.scalars[this.scalarsAt + FIRST_US];
  }

  private indexOf(timeUs: number): number {
    return Math.round((timeUs - this.scalars[this.scalarsAt + FIRST_US]) / this.layout.stepUs);
  }

  /** Fills in the steps left out before `timeUs`; false when that step is not after the last one. */
  reach(timeUs: number): boolean {
    const s = this.scalars;
    const o = this.scalarsAt;
    if (s[o + STARTED] === 0) return true;
    const missing = this.indexOf(timeUs) - s[o + LAST_INDEX] - 1;
    if (!(missing >= 0)) return false;
    const { maxCells, stepsPerCell } = this.layout.ring;
    if (missing > maxCells * stepsPerCell) this.forget(missing);
    else for (let i = 0; i < missing; i++) this.advance(Number.NaN, 0);
    return true;
  }

  /** After a gap longer than the ring no lag is left; fit and intervals are kept. */
  private forget(missing: number): void {
    const s = this.scalars;
    const o = this.scalarsAt;
    this.layout.ring.clear(this);
    for (const head of this.heads) head.forgetIssued(this);
    s[o + LAST_INDEX] += missing;
    s[o + STEP] = 0;
    s[o + CURRENT] = s[o + PREVIOUS] = s[o + LEVEL] = Number.NaN;
  }

  /** The forecast for the step after the last one that was issued `h` steps before it, with its half widths. */
  band(h: number): Band {
    const head = this.heads.find((one) => one.horizon === h);
    const none = { z: Number.NaN, half95: Number.NaN, half80: Number.NaN };
    return head && this.scalars[this.scalarsAt + STEP] >= h
      ? head.issuedBand(this, this.scalars[this.scalarsAt + STEP])
      : none;
  }

  /** What is expected `h` steps after the last one, up to the furthest head. */
  outlook(h: number): Band {
    return outlookBand(this, this.heads, this.scalars[this.scalarsAt + STEP] - 1, h);
  }

  /** The value one long season before the step `h` after the last one, or the latest whole number of seasons, as z. */
  lastSeason(h: number): number {
    const m =
      this.layout.week > 0 && this.scalars[this.scalarsAt + STEP] > this.layout.week
        ? this.layout.week
        : this.layout.day;
    return m > 0 ? this.zAt(this.scalars[this.scalarsAt + STEP] - 1 + h - m * Math.ceil(h / m)) : Number.NaN;
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
    return Math.max(z, this.floor);
  }

  /** The forecast for the step after the last one, in log space; NaN before the first value. */
  expected(): number {
    return this.scalars[this.scalarsAt + STEP] === 0
      ? Number.NaN
      : this.heads[0].issued(this, this.scalars[this.scalarsAt + STEP]);
  }

  /** Learns the value of the step at `timeUs`; call `reach` first. */
  learn(timeUs: number, value: number): void {
    const s = this.scalars;
    const o = this.scalarsAt;
    if (s[o + STARTED] === 0) {
      if (Number.isNaN(value)) return;
      s[o + STARTED] = 1;
      s[o + FIRST_US] = timeUs;
      s[o + LAST_INDEX] = -1;
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
    const o = this.scalarsAt;
    const rate = Math.max(1 / (s[o + REAL] + 1), 1 / 2000);
    s[o + MEAN] += rate * (Math.max(0, value) - s[o + MEAN]);
    if (value > 0) s[o + LEAST] = Math.min(s[o + LEAST] * 1.0005, value);
    const least = s[o + LEAST] === Number.POSITIVE_INFINITY ? 1 : s[o + LEAST] / 2;
    s[o + FLOOR] = Math.log(Math.max(least, s[o + MEAN] * 1e-4, Number.MIN_VALUE));
  }

  private advance(raw: number, value: number): void {
    const s = this.scalars;
    const o = this.scalarsAt;
    const t = s[o + STEP];
    const forecast = this.expected();
    const z = this.floored(raw);
    const verdict = Number.isNaN(raw) ? 'missing' : verdictOf(this, z, forecast, t);
    const real = verdict === 'usual' || verdict === 'believed';
    if (verdict === 'held') {
      keepHeld(this, raw, t);
      // The misses of one run say ever less of how wide the interval should be.
      for (const head of this.heads) head.settleHeld(this, t, z, 1 / s[o + HELD]);
    }
    if (verdict === 'believed') releaseHeld(this);
    if (real) {
      this.learnHeads(t, z);
      if (this.layout.week > 0) noteWeek(this, t, z - this.zAt(t - this.layout.week));
      s[o + REAL]++;
      s[o + FILLED] = 0;
    } else s[o + FILLED]++;
    this.move(real ? z : s[o + FILLED] === 1 ? forecast : this.drift(t), real && value <= 0);
    // What was learned without a season is worth little with one, and early outliers weigh on it.
    if (this.layout.day > 0)
      for (const head of this.heads) if (t === Math.ceil(this.layout.day) + head.horizon) head.refit(this);
    s[o + STEP] = t + 1;
    s[o + LAST_INDEX]++;
    this.issueAll(t);
  }

  /** Half widths of what the last season alone can tell, in log space. */
  seasonHalves(): { half80: number; half95: number } {
    return weekHalves(this, this.scalars[this.scalarsAt + STEP] > this.layout.week);
  }

  private learnHeads(t: number, z: number): void {
    const { layout } = this;
    for (const head of layout.heads) {
      head.settle(this, t, z);
      if (t - head.horizon < 1 || !fillFeatures(x, this, layout, t, head.horizon, head.horizon === 1)) continue;
      head.learn(this, x, z - x[ORIGIN]);
    }
  }

  /** What stands for the second missing step in a row and later ones: yesterday's course, which cannot run away. */
  private drift(t: number): number {
    const step = this.layout.day > 0 ? this.zAt(t - this.layout.day) - this.zAt(t - this.layout.day - 1) : 0;
    return this.scalars[this.scalarsAt + CURRENT] + (Number.isNaN(step) ? 0 : step);
  }

  /** Takes the step's value, or what stands for it, as the current one. */
  private move(z: number, zero: boolean): void {
    const s = this.scalars;
    const o = this.scalarsAt;
    s[o + PREVIOUS] = Number.isNaN(s[o + CURRENT]) ? z : s[o + CURRENT];
    s[o + CURRENT] = z;
    s[o + LEVEL] = Number.isNaN(s[o + LEVEL]) ? z : s[o + LEVEL] + LEVEL_RATE * (z - s[o + LEVEL]);
    this.layout.ring.push(
      this,
      s[o + FILLED] > this.layout.fillLimit ? Number.NaN : zero ? Number.NEGATIVE_INFINITY : z,
    );
  }

  private issueAll(origin: number): void {
    const { layout } = this;
    for (const head of layout.heads) {
      const t = origin + head.horizon;
      // Without a value now there is none to begin from.
      if (fillFeatures(x, this, layout, t, head.horizon, true)) head.issue(this, t, x);
      else head.issueNothing(this, t);
    }
  }
}
