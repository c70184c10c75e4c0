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
import { type DailyOutlook, dailyOutlook, driftOf } from './daily-outlook.ts';
import { DailyPeaks, PEAK_SCALARS, peakFloats } from './daily-peaks.ts';
import type { SeasonalOptions } from './model-layout.ts';
import { MODEL_SCALARS } from './model-scalars.ts';
import { SeasonalModel } from './seasonal-model.ts';
import { packState, unpackState } from './state.ts';
import { DAY_US, defaultHorizons, WEEK_US } from './steps.ts';
import { whatIfPath } from './what-if.ts';

const DEFAULT_CELLS = 2016;
const LEAST_SEEN = 2;
/** Answers about capacity kept until the day closes. */
const MOST_ANSWERS = 16;
/** What is left after a day of today's departure from last week. */
const FADE_A_DAY = 0.8;
/** Weeks wander apart like a random walk at first; the trend's own error takes over later. */
const MOST_WIDENING = 1.6;
/** Steps of one forecast, at most: a year of five minutes. */
const MOST_STEPS = 105_120;

/** Scalars of the open step: its number, the sum and number of its values, the steps of the series in it. */
const STEP = 0;
const SUM = 1;
const VALUES = 2;
const PARTS = 3;
const OPEN_SCALARS = 4;

/** What forecasters with the same options share; `stepUs` is a multiple of the series' step, so that a week fits the ring. */
interface Plan {
  signature: string;
  perStep: number;
  model: SeasonalOptions;
}

function planOf(options: ForecastOptions): Plan {
  const { stepUs, seasonUs = [DAY_US, WEEK_US], maxCells = DEFAULT_CELLS } = options;
  const perStep = Math.max(1, Math.ceil(Math.max(0, ...seasonUs) / stepUs / maxCells));
  const wanted = options.horizons?.map((h) => Math.max(1, Math.round(h / perStep)));
  const horizons = [...new Set([1, ...(wanted ?? defaultHorizons(stepUs * perStep))])].sort((a, b) => a - b);
  const signature = JSON.stringify(['forecast', stepUs, seasonUs, maxCells, horizons]);
  return { signature, perStep, model: { stepUs: stepUs * perStep, seasonUs, maxCells, horizons } };
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

class SeasonalForecaster implements LoadForecaster {
  private readonly plan: Plan;
  private readonly model: SeasonalModel;
  private readonly peaks: DailyPeaks;
  /** Where the open step's scalars are in the model's. */
  private readonly at: number;
  private fitted: { day: number; outlook: DailyOutlook | null; capacity: Map<string, Capacity> } | null = null;

  constructor(plan: Plan) {
    this.plan = plan;
    const floats = peakFloats(plan.model.stepUs);
    this.model = new SeasonalModel(plan.model, { scalars: OPEN_SCALARS + PEAK_SCALARS, floats });
    const { layout, scalars, scalarsAt } = this.model;
    this.at = scalarsAt + MODEL_SCALARS;
    scalars[this.at + STEP] = Number.NaN;
    this.peaks = new DailyPeaks(this.model, this.at + OPEN_SCALARS, layout.floats, floats);
  }

  private get stepUs(): number {
    return this.plan.model.stepUs;
  }

  restore(state: StateReader): void {
    const saved = unpackState(this.plan.signature, state.bytes());
    this.model.restore(saved);
    this.peaks.restore(saved[5]);
    this.fitted = null;
  }

  save(out: StateWriter): void {
    out.bytes(packState(this.plan.signature, [...this.model.arrays(), this.peaks.ownDays()]));
  }

  update(timeUs: number, value: number): void {
    const { at, model, plan } = this;
    const s = model.scalars;
    const step = plan.perStep === 1 ? timeUs / this.stepUs : Math.floor(timeUs / this.stepUs);
    if (step < s[at + STEP]) return;
    if (step !== s[at + STEP]) {
      this.close();
      s[at + STEP] = step;
      s[at + SUM] = s[at + VALUES] = s[at + PARTS] = 0;
    }
    s[at + PARTS]++;
    if (!Number.isNaN(value)) {
      s[at + SUM] += value;
      s[at + VALUES]++;
    }
    if (s[at + PARTS] >= plan.perStep) this.close();
  }

  /** Learns the open step once; a step without any value is missing. */
  private close(): void {
    const { at, model } = this;
    const s = model.scalars;
    const n = s[at + VALUES];
    s[at + VALUES] = 0;
    const timeUs = s[at + STEP] * this.stepUs;
    if (!(n > 0) || !model.reach(timeUs)) return;
    model.learn(timeUs, s[at + SUM] / n);
    this.peaks.add(timeUs, s[at + SUM] / n);
  }

  forecast(steps: number, whatIf: WhatIf = {}): LoadForecast {
    const { model, stepUs } = this;
    const season = Math.max(DAY_US, model.layout.day * stepUs);
    const learned = model.seen >= 2 && model.ageUs(model.lastTimeUs) >= 2 * season;
    const points: ForecastPoint[] = [];
    if (model.seen >= LEAST_SEEN) {
      const furthest = model.heads[model.heads.length - 1].horizon;
      const daily = steps > furthest ? this.dailyOutlook() : null;
      const offset = steps > furthest ? this.offset(furthest) : 0;
      for (let h = 1; h <= Math.min(steps, MOST_STEPS); h++) {
        points.push(h <= furthest ? this.near(h) : this.beyond(h, furthest, offset, daily));
      }
    }
    const outlook = (whatIf.growth ?? 1) === 1 ? null : this.dailyOutlook();
    return { stepUs, learned, points: whatIfPath(points, outlook, model.lastTimeUs, whatIf) };
  }

  /** Fitted once a day, because only a closed day changes it. */
  private dailyOutlook(): DailyOutlook | null {
    const day = this.peaks.openDayUs;
    if (this.fitted?.day !== day)
      this.fitted = { day, outlook: dailyOutlook(this.peaks.history()), capacity: new Map() };
    return this.fitted.outlook;
  }

  private near(h: number): ForecastPoint {
    const band = this.model.outlook(h);
    return toPoint(this.model.lastTimeUs + h * this.stepUs, band.z, band.half80, band.half95);
  }

  /** By how much the coming day is expected to depart from the same day last week. */
  private offset(furthest: number): number {
    let sum = 0;
    let n = 0;
    for (let h = 1; h <= furthest; h++) {
      const departure = this.model.outlook(h).z - this.model.lastSeason(h);
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
    const timeUs = this.model.lastTimeUs + h * this.stepUs;
    const last = this.model.outlook(furthest);
    const days = ((h - furthest) * this.stepUs) / DAY_US;
    const season = this.model.lastSeason(h);
    const weeks = Math.ceil((h * this.stepUs) / WEEK_US);
    const drift = daily ? driftOf(daily, weeks, days) : { z: 0, error: 0 };
    const z = Number.isNaN(season) ? last.z : season + offset * FADE_A_DAY ** days + drift.z;
    const widening = Math.min(MOST_WIDENING, Math.sqrt(weeks));
    const scatter = this.model.seasonHalves();
    const half80 = Math.max(last.half80, widening * scatter.half80);
    const half95 = Math.max(last.half95, widening * scatter.half95);
    return toPoint(timeUs, z, Math.hypot(half80, 1.28 * drift.error), Math.hypot(half95, 1.96 * drift.error));
  }

  capacity(threshold: number, horizonUs: number, seed = 1, whatIf: WhatIf = {}): Capacity {
    const outlook = this.dailyOutlook();
    const known = this.fitted?.capacity;
    const question = `${threshold} ${horizonUs} ${seed} ${whatIf.growth} ${whatIf.add}`;
    const day = this.peaks.openDayUs;
    const answer = known?.get(question) ?? timeToCapacity(outlook, threshold, horizonUs, day, seed, whatIf);
    if (known && known.size < MOST_ANSWERS) known.set(question, answer);
    return answer;
  }
}

function toPoint(timeUs: number, z: number, half80: number, half95: number): ForecastPoint {
  return {
    timeUs,
    expected: Math.exp(z),
    low80: Math.exp(z - half80),
    high80: Math.exp(z + half80),
    low95: Math.exp(z - half95),
    high95: Math.exp(z + half95),
  };
}

/** Load forecasts of one series each: path with intervals, and time to a threshold. */
export const forecasters: ForecasterFactory = {
  create: (options) => new SeasonalForecaster(planFor(options)),
};
