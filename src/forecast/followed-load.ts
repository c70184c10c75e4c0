import type { StateReader, StateWriter } from '../core/state.ts';
import type { ForecasterFactory, LoadForecaster } from '../model/series.ts';

/** A load that weir follows. */
export interface LoadSeries {
  name: string;
  rule: string;
  stepUs: number;
  points: number;
  lastUs: number;
  lastValue: number;
  /** The newest values, oldest first, for a plot. */
  recent: number[];
  model: LoadForecaster;
}

/** Least share of a rolled-up step that its parts must cover; one of which less is known is missing. */
const LEAST_SHARE = 0.5;

/**
 * One load: values come `givenUs` apart and are kept as they are, or as means of longer steps of `stepUs`. A step is named by
 * its end.
 */
export class FollowedLoad implements LoadSeries {
  readonly name: string;
  readonly rule: string;
  readonly givenUs: number;
  readonly stepUs: number;
  points = 0;
  lastUs = 0;
  lastValue = 0;
  recent: number[] = [];
  model: LoadForecaster;
  /** The time up to which values were given; the open step's end, the sum and number of its values. */
  seenUs = 0;
  #endUs = 0;
  #sum = 0;
  #values = 0;

  constructor(name: string, rule: string, givenUs: number, stepUs: number, forecasters: ForecasterFactory) {
    this.name = name;
    this.rule = rule;
    this.givenUs = givenUs;
    this.stepUs = stepUs;
    this.model = forecasters.create({ stepUs });
  }

  /** A value of the step that ends at `timeUs`; `keep` hears of each step that is closed by it. */
  add(timeUs: number, value: number, mostRecent: number, keep: (timeUs: number, value: number) => void): void {
    this.seenUs = timeUs;
    if (this.stepUs === this.givenUs) {
      this.#point(timeUs, value, mostRecent);
      keep(timeUs, value);
      return;
    }
    const endUs = Math.ceil(timeUs / this.stepUs) * this.stepUs;
    if (endUs > this.#endUs) this.#close(mostRecent, keep);
    this.#endUs = endUs;
    this.#sum += value;
    this.#values++;
    if (timeUs === endUs) this.#close(mostRecent, keep);
  }

  #close(mostRecent: number, keep: (timeUs: number, value: number) => void): void {
    const mean = this.#sum / this.#values;
    const known = this.#values * this.givenUs >= LEAST_SHARE * this.stepUs;
    this.#sum = this.#values = 0;
    if (!known) return;
    this.#point(this.#endUs, mean, mostRecent);
    keep(this.#endUs, mean);
  }

  #point(timeUs: number, value: number, mostRecent: number): void {
    // Steps that were left out are missing, so that the newest values keep their places.
    const missing = this.points > 0 ? Math.round((timeUs - this.lastUs) / this.stepUs) - 1 : 0;
    if (missing >= mostRecent) this.recent.length = 0;
    else for (let i = missing; i > 0; i--) this.recent.push(Number.NaN);
    this.model.update(timeUs, value);
    this.points++;
    this.lastUs = timeUs;
    this.lastValue = value;
    this.recent.push(value);
    const over = this.recent.length - mostRecent;
    if (over > 0) this.recent.splice(0, over);
  }

  /** Learns what is kept of the series anew. */
  relearn(forecasters: ForecasterFactory): void {
    this.model = forecasters.create({ stepUs: this.stepUs });
    this.recent.forEach((value, i) => {
      this.model.update(this.lastUs - (this.recent.length - 1 - i) * this.stepUs, value);
    });
  }

  save(out: StateWriter): void {
    const { givenUs, stepUs, points, lastUs, lastValue, seenUs } = this;
    out.text(this.name);
    out.text(this.rule);
    out.array(
      Float64Array.of(givenUs, stepUs, points, lastUs, lastValue, seenUs, this.#endUs, this.#sum, this.#values),
    );
    out.array(Float64Array.from(this.recent));
    this.model.save(out);
  }

  static restored(state: StateReader, forecasters: ForecasterFactory): FollowedLoad {
    const name = state.text();
    const rule = state.text();
    const [givenUs, stepUs, points, lastUs, lastValue, ...open] = state.array(Float64Array);
    const load = new FollowedLoad(name, rule, givenUs, stepUs, forecasters);
    [load.seenUs, load.#endUs, load.#sum, load.#values] = open;
    load.points = points;
    load.lastUs = lastUs;
    load.lastValue = lastValue;
    load.recent = [...state.array(Float64Array)];
    load.model.restore(state);
    return load;
  }
}
