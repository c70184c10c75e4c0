import type {
  Capacity,
  ForecasterFactory,
  ForecastOptions,
  ForecastPoint,
  LoadForecast,
  LoadForecaster,
} from '../model/series.ts';
import { timeToCapacity } from './capacity.ts';
import { type DailyOutlook, dailyOutlook, driftOf } from './daily-outlook.ts';
import { DailyPeaks } from './daily-peaks.ts';
import { SeasonalModel } from './seasonal-model.ts';
import { fill, packState, unpackState } from './state.ts';
import { DAY_US, defaultHorizons, WEEK_US } from './steps.ts';

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

class SeasonalForecaster implements LoadForecaster {
  private readonly model: SeasonalModel;
  private readonly peaks: DailyPeaks;
  private readonly signature: string;
  private fitted: { day: number; outlook: DailyOutlook | null; capacity: Map<string, Capacity> } | null = null;
  /** The step of the model: a multiple of the series' step, so that a week fits into the ring. */
  private readonly stepUs: number;
  private readonly perStep: number;
  /** The open step of the model: its number, the sum and number of its values, the steps of the series in it. */
  private readonly open = Float64Array.of(Number.NaN, 0, 0, 0);

  constructor(options: ForecastOptions) {
    const { stepUs, seasonUs = [DAY_US, WEEK_US], maxCells = DEFAULT_CELLS } = options;
    const perStep = Math.max(1, Math.ceil(Math.max(0, ...seasonUs) / stepUs / maxCells));
    this.perStep = perStep;
    this.stepUs = stepUs * perStep;
    const wanted = options.horizons?.map((h) => Math.max(1, Math.round(h / perStep)));
    const horizons = [...new Set([1, ...(wanted ?? defaultHorizons(this.stepUs))])].sort((a, b) => a - b);
    this.signature = JSON.stringify(['forecast', stepUs, seasonUs, maxCells, horizons]);
    this.model = new SeasonalModel({ stepUs: this.stepUs, seasonUs, maxCells, horizons });
    this.peaks = new DailyPeaks(this.stepUs);
  }

  restore(state: Uint8Array): void {
    const saved = unpackState(this.signature, state);
    fill(this.open, saved[0]);
    const own = this.peaks.arrays();
    for (let i = 0; i < 3; i++) fill(own[i], saved[1 + i]);
    this.peaks.restore(saved[4]);
    this.model.restore(saved.slice(5));
    this.fitted = null;
  }

  save(): Uint8Array {
    return packState(this.signature, [this.open, ...this.peaks.arrays(), ...this.model.arrays()]);
  }

  update(timeUs: number, value: number): void {
    const open = this.open;
    const step = this.perStep === 1 ? timeUs / this.stepUs : Math.floor(timeUs / this.stepUs);
    if (step < open[0]) return;
    if (step !== open[0]) {
      this.close();
      open[0] = step;
      open[1] = open[2] = open[3] = 0;
    }
    open[3]++;
    if (!Number.isNaN(value)) {
      open[1] += value;
      open[2]++;
    }
    if (open[3] >= this.perStep) this.close();
  }

  /** Learns the open step once; a step without any value is missing. */
  private close(): void {
    const [step, sum, n] = this.open;
    this.open[2] = 0;
    if (n === 0 || !this.model.reach(step * this.stepUs)) return;
    this.model.learn(step * this.stepUs, sum / n);
    this.peaks.add(step * this.stepUs, sum / n);
  }

  forecast(steps: number): LoadForecast {
    const { model, stepUs } = this;
    const season = Math.max(DAY_US, model.day * stepUs);
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
    return { stepUs, learned, points };
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
    const scatter = this.model.seasonScale * Math.min(MOST_WIDENING, Math.sqrt(weeks));
    const half80 = Math.max(last.half80, 1.28 * scatter);
    const half95 = Math.max(last.half95, 2.1 * scatter);
    return toPoint(timeUs, z, Math.hypot(half80, 1.28 * drift.error), Math.hypot(half95, 1.96 * drift.error));
  }

  capacity(threshold: number, horizonUs: number, seed = 1): Capacity {
    const outlook = this.dailyOutlook();
    const known = this.fitted?.capacity;
    const question = `${threshold} ${horizonUs} ${seed}`;
    const answer = known?.get(question) ?? timeToCapacity(outlook, threshold, horizonUs, this.peaks.openDayUs, seed);
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
  create: (options) => new SeasonalForecaster(options),
  restore: (options, state) => {
    const model = new SeasonalForecaster(options);
    model.restore(state);
    return model;
  },
};
