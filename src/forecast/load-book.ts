import type { Counter, Metrics } from '../core/metrics.ts';
import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import type { ForecasterFactory } from '../model/series.ts';
import type { WindowResults } from '../model/window-result.ts';
import { FollowedLoad, type LoadSeries } from './followed-load.ts';
import { pooledForecaster } from './pooled.ts';
import { DAY_US } from './steps.ts';

const HOUR_US = DAY_US / 24;
/** New series that one window of a recording rule may begin, the largest first. */
const TOP = 20;
/** Series whose silence is a zero; interface counters that say nothing are missing. */
const SILENCE_IS_ZERO = new Set(['total', 'inbound', 'outbound', 'service']);
/** Of which all others are a part, and what they borrow their first day from. */
const WHOLE = 'total.bps';
/** Age at which a series borrows, and the least age of the one it borrows from. */
const BORROW_US = HOUR_US;
const GROWN_US = 2 * DAY_US;

export type SeriesSink = (series: string, timeUs: number, value: number) => void;

export interface LoadBookOptions {
  /** Series at most; past it new ones are refused and counted. */
  maxSeries?: number;
  /** Series that are kept in the steps in which they come; later ones are kept as hourly means. */
  maxFine?: number;
  /** Values kept of a series, for plots and to judge forecasts by; of an hourly one two days. */
  maxRecent?: number;
}

/**
 * The loads weir follows: turns windows of the recording rules into series and teaches each series' forecaster.
 * Bounded: the first few thousand series are kept in their own steps, the next ones hourly, the rest is refused and counted.
 */
export class LoadBook implements Stateful {
  readonly #forecasters: ForecasterFactory;
  readonly #sink: SeriesSink;
  readonly #maxSeries: number;
  readonly #maxFine: number;
  readonly #maxRecent: number;
  readonly #refused: Counter;
  readonly #series = new Map<string, FollowedLoad>();
  #fine = 0;

  constructor(
    options: LoadBookOptions,
    deps: { forecasters: ForecasterFactory; metrics: Metrics; onPoint: SeriesSink },
  ) {
    this.#maxSeries = options.maxSeries ?? 100_000;
    this.#maxFine = options.maxFine ?? 2000;
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
    const begins = largest(results, width);
    for (let i = 0; i < results.length; i++) {
      const prefix = seriesPrefix(rule.id, Object.values(results.key(i)));
      const give = (measure: string, value: number) => {
        const name = `${prefix}.${measure}`;
        if (begins(i) || this.#series.has(name)) this.learn(name, rule.id, rule.window.sizeUs, endUs, value);
      };
      if (rule.id === 'service') give('bps', values[i * width] + values[i * width + 1]);
      else for (let k = 0; k < width; k++) give(rule.measures[k].name, values[i * width + k]);
    }
    return this.#silence(rule.id, endUs);
  }

  /** A value of a series, new ones while there is room: the mean of the step that ends at `timeUs`. */
  learn(name: string, rule: string, givenUs: number, timeUs: number, value: number): void {
    const known = this.#series.get(name);
    const series = known?.givenUs === givenUs ? known : this.#begin(name, rule, givenUs);
    if (series) this.#add(series, timeUs, value);
  }

  /** Null when there is no room. A series whose step has changed begins anew. */
  #begin(name: string, rule: string, givenUs: number): FollowedLoad | null {
    if (this.#series.has(name)) this.#fine -= this.#isFine(this.#series.get(name)!) ? 1 : 0;
    else if (this.#series.size >= this.#maxSeries) {
      this.#refused.value++;
      return null;
    }
    const stepUs = this.#fine < this.#maxFine ? givenUs : Math.max(givenUs, HOUR_US);
    return this.#enter(new FollowedLoad(name, rule, givenUs, stepUs, this.#forecasters));
  }

  #enter(series: FollowedLoad): FollowedLoad {
    this.#series.set(series.name, series);
    if (this.#isFine(series)) this.#fine++;
    return series;
  }

  #isFine({ stepUs }: LoadSeries): boolean {
    return stepUs < HOUR_US;
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
    for (const series of this.#series.values()) series.save(out);
  }

  /** Models that were `saved` under another calendar learn what is kept of their series anew. */
  restore(state: StateReader, saved: ForecasterFactory = this.#forecasters): void {
    this.#series.clear();
    this.#fine = 0;
    for (let left = state.number(); left > 0; left--) {
      const series = this.#enter(FollowedLoad.restored(state, saved));
      if (saved !== this.#forecasters) series.relearn(this.#forecasters);
    }
  }

  #add(series: FollowedLoad, timeUs: number, value: number): void {
    const most = this.#isFine(series) ? this.#maxRecent : Math.min(this.#maxRecent, (2 * DAY_US) / HOUR_US);
    series.add(timeUs, value, most, (endUs, mean) => this.#sink(series.name, endUs, mean));
    if (series.points * series.stepUs === BORROW_US && series.stepUs < BORROW_US) this.#borrow(series);
  }

  /** Cold start: a series that is an hour old lives through the past of the whole, at its own size. */
  #borrow(series: FollowedLoad): void {
    const whole = this.#series.get(WHOLE);
    if (!whole || whole === series || whole.points * whole.stepUs < GROWN_US) return;
    series.model = pooledForecaster(series, whole, this.#forecasters) ?? series.model;
  }

  /** Known series of the rule that this window did not mention carried nothing. */
  #silence(rule: string, endUs: number): boolean {
    if (!SILENCE_IS_ZERO.has(rule)) return false;
    let known = false;
    for (const series of this.#series.values()) {
      if (series.rule !== rule) continue;
      known = true;
      if (series.seenUs < endUs) this.#add(series, endUs, 0);
    }
    return known;
  }
}

function seriesPrefix(rule: string, key: (string | number)[]): string {
  return [rule, ...key].join('/');
}

/** Tells whether a key is among the largest by its first measure; equals in the order of the results. */
function largest({ length, values }: WindowResults, width: number): (i: number) => boolean {
  if (length <= TOP) return () => true;
  const order = Array.from({ length }, (_, i) => i).sort((a, b) => values[b * width] - values[a * width] || a - b);
  const top = new Set(order.slice(0, TOP));
  return (i) => top.has(i);
}
