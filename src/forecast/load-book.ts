import type { Counter, Metrics } from '../core/metrics.ts';
import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import type { ForecasterFactory, LoadForecaster } from '../model/series.ts';
import type { WindowResults } from '../model/window-result.ts';

/** Series of one recording rule that are kept of each window, the largest first. */
const TOP = 20;
/** Series whose silence is a zero; interface counters that say nothing are missing. */
const SILENCE_IS_ZERO = new Set(['total', 'inbound', 'outbound', 'service']);

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

export type SeriesSink = (series: string, timeUs: number, value: number) => void;

/**
 * The loads weir follows: turns windows of the recording rules into series and teaches each series' forecaster.
 * Bounded: past `maxSeries` a new series is refused and counted.
 */
export class LoadBook implements Stateful {
  readonly #forecasters: ForecasterFactory;
  readonly #sink: SeriesSink;
  readonly #maxSeries: number;
  readonly #maxRecent: number;
  readonly #refused: Counter;
  readonly #series = new Map<string, LoadSeries>();

  constructor(
    options: { maxSeries?: number; maxRecent?: number },
    deps: { forecasters: ForecasterFactory; metrics: Metrics; onPoint: SeriesSink },
  ) {
    this.#maxSeries = options.maxSeries ?? 2000;
    this.#maxRecent = options.maxRecent ?? 2016;
    this.#forecasters = deps.forecasters;
    this.#sink = deps.onPoint;
    this.#refused = deps.metrics.counter(
      'weir_series_refused_total',
      'New load series refused because the book is full.',
    );
  }

  /** One window of a recording rule. Answers whether empty windows matter: they do once a series is known. */
  results(results: WindowResults): boolean {
    const { rule, endUs, values } = results;
    const width = rule.measures.length;
    const split = rule.id !== 'service';
    for (const i of largest(results, width)) {
      const prefix = seriesPrefix(rule.id, Object.values(results.key(i)));
      if (!split)
        this.learn(`${prefix}.bps`, rule.id, rule.window.sizeUs, endUs, values[i * width] + values[i * width + 1]);
      else
        rule.measures.forEach((m, k) => {
          this.learn(`${prefix}.${m.name}`, rule.id, rule.window.sizeUs, endUs, values[i * width + k]);
        });
    }
    return this.#silence(rule.id, endUs);
  }

  /** A value of a series, new ones while there is room: the mean of the step that ends at `timeUs`. */
  learn(name: string, rule: string, stepUs: number, timeUs: number, value: number): void {
    let series = this.#series.get(name);
    if (!series) {
      if (this.#series.size >= this.#maxSeries) {
        this.#refused.value++;
        return;
      }
      const model = this.#forecasters.create({ stepUs });
      series = { name, rule, stepUs, points: 0, lastUs: 0, lastValue: 0, recent: [], model };
      this.#series.set(name, series);
    }
    this.#point(series, timeUs, value);
  }

  /** Followed series, in order of their names. */
  all(): LoadSeries[] {
    return [...this.#series.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  get(name: string): LoadSeries | undefined {
    return this.#series.get(name);
  }

  save(out: StateWriter): void {
    out.number(this.#series.size);
    for (const { name, rule, stepUs, points, lastUs, lastValue, recent, model } of this.#series.values()) {
      out.text(name);
      out.text(rule);
      out.array(Float64Array.of(stepUs, points, lastUs, lastValue));
      out.array(Float64Array.from(recent));
      model.save(out);
    }
  }

  /** Models that were `saved` under another calendar learn what is kept of their series anew. */
  restore(state: StateReader, saved: ForecasterFactory = this.#forecasters): void {
    this.#series.clear();
    for (let left = state.number(); left > 0; left--) {
      const name = state.text();
      const rule = state.text();
      const [stepUs, points, lastUs, lastValue] = state.array(Float64Array);
      const recent = [...state.array(Float64Array)];
      const model = saved.create({ stepUs });
      model.restore(state);
      const series = { name, rule, stepUs, points, lastUs, lastValue, recent, model };
      if (saved !== this.#forecasters) series.model = this.#relearned(series);
      this.#series.set(name, series);
    }
  }

  #relearned({ stepUs, lastUs, recent }: LoadSeries): LoadForecaster {
    const model = this.#forecasters.create({ stepUs });
    recent.forEach((value, i) => {
      model.update(lastUs - (recent.length - 1 - i) * stepUs, value);
    });
    return model;
  }

  #point(series: LoadSeries, timeUs: number, value: number): void {
    // Steps that were left out are missing, so that the newest values keep their places.
    const missing = series.points > 0 ? Math.round((timeUs - series.lastUs) / series.stepUs) - 1 : 0;
    for (let i = Math.min(missing, this.#maxRecent); i > 0; i--) series.recent.push(Number.NaN);
    series.model.update(timeUs, value);
    series.points++;
    series.lastUs = timeUs;
    series.lastValue = value;
    series.recent.push(value);
    const over = series.recent.length - this.#maxRecent;
    if (over > 0) series.recent.splice(0, over);
    this.#sink(series.name, timeUs, value);
  }

  /** Known series of the rule that this window did not mention carried nothing. */
  #silence(rule: string, endUs: number): boolean {
    if (!SILENCE_IS_ZERO.has(rule)) return false;
    let known = false;
    for (const series of this.#series.values()) {
      if (series.rule !== rule) continue;
      known = true;
      if (series.lastUs < endUs) this.#point(series, endUs, 0);
    }
    return known;
  }
}

function seriesPrefix(rule: string, key: (string | number)[]): string {
  return [rule, ...key].join('/');
}

/** Positions of the largest keys by their first measure, in the order of the results. */
function largest(results: WindowResults, width: number): number[] {
  const all = Array.from({ length: results.length }, (_, i) => i);
  if (all.length <= TOP) return all;
  return all
    .sort((a, b) => results.values[b * width] - results.values[a * width] || a - b)
    .slice(0, TOP)
    .sort((a, b) => a - b);
}
