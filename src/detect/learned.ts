import { type Stateful, StateReader, StateWriter } from '../core/state.ts';
import type { LearnedMeasure, RulePlan } from '../model/plan.ts';
import type { BaselineFactory, BaselineModel, Capacity, ForecasterFactory, LoadForecaster } from '../model/series.ts';
import { Cusum } from './cusum.ts';

const DAY_US = 86_400e6;

export interface LearnDeps {
  baseline: BaselineFactory;
  forecast: ForecasterFactory;
}

/** What one learned measure knows of one key. */
export interface Learner extends Stateful {
  /** Takes the window's value of the measure it follows; writes its own value and its parts. */
  learn(endUs: number, value: number, reach: number, parts: Float64Array, at: number): number;
}

export function createLearner(measure: LearnedMeasure, rule: RulePlan, deps: LearnDeps): Learner {
  switch (measure.fn) {
    case 'baseline':
      return new BaselineLearner(measure, rule, deps.baseline);
    case 'forecast':
      return new ForecastLearner(measure, rule, deps.forecast);
    case 'cusum':
      return new CusumLearner(measure);
  }
}

class BaselineLearner implements Learner {
  readonly #model: BaselineModel;

  constructor({ params }: LearnedMeasure, rule: RulePlan, factory: BaselineFactory) {
    this.#model = factory.create({
      stepUs: rule.window.slideUs,
      seasonUs: params['season'] as number[],
      warmupUs: numberOf(params['warmup']),
      direction: params['direction'] as 'up' | 'down' | 'both',
      minDeviation: numberOf(params['min_dev']),
    });
  }

  learn(endUs: number, value: number, _reach: number, parts: Float64Array, at: number): number {
    const score = this.#model.update(endUs, value);
    parts[at] = score.z;
    parts[at + 1] = score.expected;
    parts[at + 2] = score.low;
    parts[at + 3] = score.high;
    parts[at + 4] = score.deviation;
    parts[at + 5] = score.p;
    parts[at + 6] = score.score;
    return score.z;
  }

  save(out: StateWriter): void {
    this.#model.save(out);
  }

  restore(state: StateReader): void {
    this.#model.restore(state);
  }
}

/** When the load reaches `reach`. Asked once a day of event time: the answer moves with whole days of history. */
class ForecastLearner implements Learner {
  readonly #model: LoadForecaster;
  readonly #calendar: string;
  readonly #horizonUs: number;
  #day = Number.NaN;
  #reach = Number.NaN;
  #capacity: Capacity | null = null;

  constructor({ params }: LearnedMeasure, rule: RulePlan, factory: ForecasterFactory) {
    this.#model = factory.create({ stepUs: rule.window.slideUs, peak: numberOf(params['quantile']) });
    this.#calendar = factory.calendar ?? '';
    this.#horizonUs = numberOf(params['horizon']) ?? 30 * DAY_US;
  }

  learn(endUs: number, value: number, reach: number, parts: Float64Array, at: number): number {
    this.#model.update(endUs, value);
    const day = Math.floor(endUs / DAY_US);
    if (day !== this.#day || !Object.is(reach, this.#reach)) {
      this.#day = day;
      this.#reach = reach;
      this.#capacity = reach > 0 ? this.#model.capacity(reach, this.#horizonUs) : null;
    }
    const { etaUs, loUs, hiUs, probability } = this.#capacity ?? NOTHING;
    parts[at] = etaUs === null ? Number.NaN : etaUs - endUs;
    parts[at + 1] = etaUs ?? Number.NaN;
    parts[at + 2] = loUs ?? Number.NaN;
    parts[at + 3] = hiUs ?? Number.NaN;
    parts[at + 4] = probability;
    return parts[at];
  }

  save(out: StateWriter): void {
    const model = new StateWriter();
    this.#model.save(model);
    out.number(this.#day);
    out.number(this.#reach);
    out.json(this.#capacity);
    out.text(this.#calendar);
    out.bytes(model.concat());
  }

  restore(state: StateReader): void {
    this.#day = state.number();
    this.#reach = state.number();
    this.#capacity = state.json();
    // Under another calendar the days are other ones: the model learns them anew.
    const known = state.text() === this.#calendar;
    const model = new StateReader(state.bytes());
    if (known) this.#model.restore(model);
  }
}

const NOTHING = { etaUs: null, loUs: null, hiUs: null, probability: 0 };

class CusumLearner implements Learner {
  readonly #cusum: Cusum;

  constructor({ params }: LearnedMeasure) {
    this.#cusum = new Cusum({
      k: numberOf(params['k']) ?? 0.5,
      warmupUs: numberOf(params['warmup']) ?? 0,
      direction: params['direction'] === 'down' ? 'down' : 'up',
    });
  }

  learn(endUs: number, value: number): number {
    return this.#cusum.update(endUs, value);
  }

  save(out: StateWriter): void {
    this.#cusum.save(out);
  }

  restore(state: StateReader): void {
    this.#cusum.restore(state);
  }
}

function numberOf(value: number | number[] | string | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
