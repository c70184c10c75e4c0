import type { StateReader, StateWriter } from '../core/state.ts';
import type {
  Capacity,
  ForecasterFactory,
  ForecastOptions,
  ForecastPoint,
  LoadForecast,
  LoadForecaster,
  WhatIf,
} from '../model/series.ts';
import { timeToCapacity } from './capacity.ts';
import { apartAfter, type DailyOutlook, dailyOutlook, driftOf } from './daily-outlook.ts';
import { DailyPeaks, PEAK_SCALARS, type PeakState, peakFloats } from './daily-peaks.ts';
import { layoutOf, type OwnNumbers, type SeasonalOptions } from './model-layout.ts';
import { MODEL_SCALARS } from './model-scalars.ts';
import { SeasonalModel } from './seasonal-model.ts';
import { damaged, fill, packState, unpackState } from './state.ts';
import { DAY_US, defaultHorizons, WEEK_US } from './steps.ts';
import { whatIfPath } from './what-if.ts';

const DEFAULT_CELLS = 2016;
const DEFAULT_PEAK = 0.95;
const LEAST_SEEN = 2;
/** Half of what the ring tells apart: no more than this above the floor is the floor. */
const LEAST = 0.001;
/** Answers about capacity kept until the day closes. */
const MOST_ANSWERS = 16;
/** What is left after a day of today's departure from last week. */
const FADE_A_DAY = 0.8;
/** Steps of one forecast, at most: a year of five minutes. */
const MOST_STEPS = 105_120;

/** Scalars of the open step, behind the model's: its number, the sum and number of its values, the steps of the series in it. */
const STEP = MODEL_SCALARS;
const SUM = MODEL_SCALARS + 1;
const VALUES = MODEL_SCALARS + 2;
const PARTS = MODEL_SCALARS + 3;
const OPEN_SCALARS = 4;

/** What forecasters with the same options share; `stepUs` is a multiple of the series' step, so that a week fits the ring. */
interface Plan {
  signature: string;
  perStep: number;
  model: SeasonalOptions;
  own: OwnNumbers;
  peaks: DailyPeaks;
}

function planOf(options: ForecastOptions): Plan {
  const { stepUs, seasonUs = [DAY_US, WEEK_US], maxCells = DEFAULT_CELLS, peak = DEFAULT_PEAK } = options;
  const perStep = Math.max(1, Math.ceil(Math.max(0, ...seasonUs) / stepUs / maxCells));
  const wanted = options.horizons?.map((h) => Math.max(1, Math.round(h / perStep)));
  const horizons = [...new Set([1, ...(wanted ?? defaultHorizons(stepUs * perStep))])].sort((a, b) => a - b);
  const signature = JSON.stringify(['forecast', stepUs, seasonUs, maxCells, horizons, peak]);
  const model = { stepUs: stepUs * perStep, seasonUs, maxCells, horizons };
  const size = peakFloats(model.stepUs);
  const open = perStep === 1 ? 0 : OPEN_SCALARS;
  const own = { scalars: open + PEAK_SCALARS, floats: size };
  const { ownScalars, ownFloats } = layoutOf(model, own);
  const peaks = new DailyPeaks(ownScalars + open, ownFloats, size, peak);
  return { signature, perStep, model, own, peaks };
}

const plans = new Map<string, Plan>();
const MOST_PLANS = 256;

/** One plan for all series with the same options. */
function planFor(options: ForecastOptions): Plan {
  const key = JSON.stringify(options);
  const plan = plans.get(key) ?? planOf(options);
  if (plans.size < MOST_PLANS) plans.set(key, plan);
  return plan;
}

/** What was fitted to a series' days, and what was asked of it. */
interface Fitted {
  day: number;
  outlook: DailyOutlook | null;
  capacity: Map<string, Capacity>;
}

/** Of the series asked last; it is larger than all else that is known of one. */
const outlooks = new Map<SeasonalForecaster, Fitted>();
const MOST_OUTLOOKS = 64;

/** One object a series: a hundred thousand of them are a matter of memory. */
class SeasonalForecaster extends SeasonalModel implements LoadForecaster, PeakState {
  private readonly plan: Plan;
  days!: Int8Array;
  daysAt = 0;
  daysLength = 0;

  constructor(plan: Plan) {
    super(plan.model, plan.own);
    this.plan = plan;
    if (plan.perStep > 1) this.scalars[this.scalarsAt + STEP] = Number.NaN;
    plan.peaks.init(this);
  }

  restore(state: StateReader): void {
    const saved = unpackState(this.plan.signature, state.bytes());
    this.restoreArrays(saved);
    if (!this.plan.peaks.allot(this, saved[4]?.byteLength ?? 0)) throw damaged('forecast state of another size');
    fill(this.ownDays(), saved[4]);
    outlooks.delete(this);
  }

  save(out: StateWriter): void {
    out.bytes(packState(this.plan.signature, [...this.arrays(), this.ownDays()]));
  }

  private ownDays(): Int8Array {
    return this.days.subarray(this.daysAt, this.daysAt + this.daysLength);
  }

  update(timeUs: number, value: number): void {
    const s = this.scalars;
    const o = this.scalarsAt;
    const { perStep } = this.plan;
    if (perStep === 1) {
      this.take(timeUs, value);
      return;
    }
    const step = Math.floor(timeUs / this.layout.stepUs);
    if (step < s[o + STEP]) return;
    if (step !== s[o + STEP]) {
      this.close();
      s[o + STEP] = step;
      s[o + SUM] = s[o + VALUES] = s[o + PARTS] = 0;
    }
    s[o + PARTS]++;
    if (!Number.isNaN(value)) {
      s[o + SUM] += value;
      s[o + VALUES]++;
    }
    if (s[o + PARTS] >= perStep) this.close();
  }

  /** Learns the open step once; a step without any value is missing. */
  private close(): void {
    const s = this.scalars;
    const o = this.scalarsAt;
    const n = s[o + VALUES];
    s[o + VALUES] = 0;
    if (n > 0) this.take(s[o + STEP] * this.layout.stepUs, s[o + SUM] / n);
  }

  private take(timeUs: number, value: number): void {
    if (Number.isNaN(value) || !this.reach(timeUs)) return;
    this.learn(timeUs, value);
    this.plan.peaks.add(this, timeUs, value);
  }

  forecast(steps: number, whatIf: WhatIf = {}): LoadForecast {
    const { stepUs } = this.layout;
    const season = Math.max(DAY_US, this.layout.day * stepUs);
    const learned = this.seen >= 2 && this.ageUs(this.lastTimeUs) >= 2 * season;
    const points: ForecastPoint[] = [];
    if (this.seen >= LEAST_SEEN) {
      const furthest = this.heads[this.heads.length - 1].horizon;
      const daily = steps > furthest ? this.dailyOutlook() : null;
      const offset = steps > furthest ? this.offset(furthest) : 0;
      for (let h = 1; h <= Math.min(steps, MOST_STEPS); h++) {
        points.push(h <= furthest ? this.near(h) : this.beyond(h, furthest, offset, daily));
      }
    }
    const outlook = (whatIf.growth ?? 1) === 1 ? null : this.dailyOutlook();
    return { stepUs, learned, points: whatIfPath(points, outlook, this.lastTimeUs, whatIf) };
  }

  /** Fitted once a day, because only a closed day changes it. */
  private dailyOutlook(): DailyOutlook | null {
    return this.fitted().outlook;
  }

  private fitted(): Fitted {
    const day = this.plan.peaks.openDayUs(this);
    const known = outlooks.get(this);
    if (known && Object.is(known.day, day)) return known;
    outlooks.delete(this);
    if (outlooks.size >= MOST_OUTLOOKS) outlooks.delete(outlooks.keys().next().value!);
    const fitted = { day, outlook: dailyOutlook(this.plan.peaks.history(this)), capacity: new Map() };
    outlooks.set(this, fitted);
    return fitted;
  }

  private near(h: number): ForecastPoint {
    const band = this.outlook(h);
    return toPoint(this.lastTimeUs + h * this.layout.stepUs, band.z, band.half80, band.half95, this.floor);
  }

  /** By how much the coming day is expected to depart from the same day last week. */
  private offset(furthest: number): number {
    let sum = 0;
    let n = 0;
    for (let h = 1; h <= furthest; h++) {
      const departure = this.outlook(h).z - this.lastSeason(h);
      if (Number.isNaN(departure)) continue;
      sum += departure;
      n++;
    }
    return n > 0 ? sum / n : 0;
  }

  /**
   * Past the furthest head: last week's course, moved by the trend since then, by today's departure, which fades, and
   * back towards the trend as far as departures from it do not last.
   */
  private beyond(h: number, furthest: number, offset: number, daily: DailyOutlook | null): ForecastPoint {
    const timeUs = this.lastTimeUs + h * this.layout.stepUs;
    const last = this.outlook(furthest);
    const days = ((h - furthest) * this.layout.stepUs) / DAY_US;
    const season = this.lastSeason(h);
    const weeks = Math.ceil((h * this.layout.stepUs) / WEEK_US);
    const drift = daily ? driftOf(daily, weeks, days) : { z: 0, error: 0 };
    const z = Number.isNaN(season) ? last.z : season + offset * FADE_A_DAY ** days + drift.z;
    const widening = apartAfter(daily, weeks);
    const scatter = this.seasonHalves();
    const half80 = Math.max(last.half80, widening * scatter.half80);
    const half95 = Math.max(last.half95, widening * scatter.half95);
    const [wide80, wide95] = [Math.hypot(half80, 1.28 * drift.error), Math.hypot(half95, 1.96 * drift.error)];
    return toPoint(timeUs, z, wide80, wide95, this.floor);
  }

  capacity(threshold: number, horizonUs: number, seed = 1, whatIf: WhatIf = {}): Capacity {
    const { outlook, capacity: known, day } = this.fitted();
    const question = `${threshold} ${horizonUs} ${seed} ${whatIf.growth} ${whatIf.add}`;
    const answer = known.get(question) ?? timeToCapacity(outlook, threshold, horizonUs, day, seed, whatIf);
    if (known.size < MOST_ANSWERS) known.set(question, answer);
    return answer;
  }
}

/** What is at or below `floor` stands for zero. */
function toPoint(timeUs: number, z: number, half80: number, half95: number, floor: number): ForecastPoint {
  const value = (at: number) => (at <= floor + LEAST ? 0 : Math.exp(at));
  return {
    timeUs,
    expected: value(z),
    low80: value(z - half80),
    high80: value(z + half80),
    low95: value(z - half95),
    high95: value(z + half95),
  };
}

/** Load forecasts of one series each: path with intervals, and time to a threshold. */
export const forecasters: ForecasterFactory = {
  create: (options) => new SeasonalForecaster(planFor(options)),
};
