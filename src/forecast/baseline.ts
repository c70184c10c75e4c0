import type { StateReader, StateWriter } from '../core/state.ts';
import type { BaselineFactory, BaselineModel, BaselineOptions, BaselineScore } from '../model/series.ts';
import { SeasonalModel } from './seasonal-model.ts';
import { packState, unpackState } from './state.ts';

const DEFAULT_CELLS = 2016;
const LEAST_STEPS = 50;
/** -log10(p) that counts as a whole surprise. */
const FULL_SURPRISE = 6;
/** Log values past this are past any double that matters; keeps bounds finite. */
const MOST = 600;

class SeasonalBaseline implements BaselineModel {
  private readonly model: SeasonalModel;
  private readonly signature: string;
  private readonly warmupUs: number;
  private readonly direction: number;
  private readonly minDeviation: number;

  constructor(options: BaselineOptions) {
    const { stepUs, seasonUs, maxCells = DEFAULT_CELLS } = options;
    this.model = new SeasonalModel({ stepUs, seasonUs, maxCells, horizons: [1] });
    this.signature = JSON.stringify(['baseline', stepUs, seasonUs, maxCells]);
    const shortest = seasonUs.length > 0 ? Math.min(...seasonUs) : 0;
    this.warmupUs = Math.max(options.warmupUs ?? 2 * shortest, LEAST_STEPS * stepUs);
    this.direction = options.direction === 'up' ? 1 : options.direction === 'down' ? -1 : 0;
    this.minDeviation = options.minDeviation ?? 0;
  }

  restore(state: StateReader): void {
    this.model.restoreArrays(unpackState(this.signature, state.bytes()));
  }

  save(out: StateWriter): void {
    out.bytes(packState(this.signature, this.model.arrays()));
  }

  update(timeUs: number, value: number): BaselineScore {
    const inOrder = this.model.reach(timeUs);
    const score = this.judge(timeUs, value);
    if (inOrder) this.model.learn(timeUs, value);
    return score;
  }

  private judge(timeUs: number, value: number): BaselineScore {
    const { model } = this;
    const head = model.heads[0];
    const forecast = model.expected();
    const learned = model.ageUs(timeUs) >= this.warmupUs && model.seen >= LEAST_STEPS && !Number.isNaN(forecast);
    const half = head.half95(model);
    const residual = model.toZ(value) - forecast;
    const expected = exp(forecast);
    const low = forecast - half <= model.floor ? 0 : exp(forecast - half);
    const score: BaselineScore = {
      expected,
      low,
      high: exp(forecast + half),
      sigma: head.sigma(model),
      learned,
      z: 0,
      p: 1,
      score: 0,
      residual,
      deviation: value / expected - 1,
    };
    if (learned && this.counts(residual, score.deviation)) this.surprise(score);
    return score;
  }

  private counts(residual: number, deviation: number): boolean {
    if (Number.isNaN(residual) || residual * this.direction < 0) return false;
    return Math.abs(deviation) >= this.minDeviation;
  }

  private surprise(score: BaselineScore): void {
    score.z = score.residual / score.sigma;
    score.p = this.model.heads[0].tail(this.model, score.residual);
    score.score = Math.min(1, -Math.log10(score.p) / FULL_SURPRISE);
  }
}

function exp(z: number): number {
  return Math.exp(Math.min(z, MOST));
}

/** Baselines of one series each: seasonal autoregression, one step ahead, with a calibrated interval. */
export const baselines: BaselineFactory = {
  create: (options) => new SeasonalBaseline(options),
};
