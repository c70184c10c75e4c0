import { Alerts } from './alert/alert.ts';
import { WeirError } from './core/errors.ts';
import type { Metrics } from './core/metrics.ts';
import type { Stateful, StateReader, StateWriter } from './core/state.ts';
import { CounterRules, isCounterRule } from './counter-rules.ts';
import { Detect } from './detect/detect.ts';
import {
  baselines,
  type CalendarOptions,
  CounterLoads,
  calendarForecasters,
  forecasters,
  LoadBook,
  loadPlans,
  type SeriesSink,
} from './forecast/forecast.ts';
import { Meter } from './meter/meter.ts';
import type { Evaluation, Transition } from './model/alert.ts';
import type { FlowBatch, FlowSink } from './model/flow-batch.ts';
import type { CounterFacts } from './model/intake.ts';
import type { Names } from './model/names.ts';
import { type PacketRows, TIME_F64 } from './model/packet-rows.ts';
import type { RulePlan, RuleSet } from './model/plan.ts';
import { SampledTime } from './model/sampling-error.ts';
import type { ForecasterFactory } from './model/series.ts';
import type { Key, WindowResults } from './model/window-result.ts';
import { WindowStage } from './window/window.ts';

/** The watermark stays this far behind the newest event: it covers the hold of first slices and small disorder. */
export const WATERMARK_BOUND_US = 3e6;

/** Where results go. Batches are the giver's again when the call returns. */
export interface Sinks {
  transition(transition: Transition): void;
  evaluation?(evaluation: Evaluation): void;
  records?: FlowSink;
  series?: SeriesSink;
}

export interface EngineOptions {
  rules: RuleSet;
  /** The watermark once `maxEventUs` was seen; default that minus the bound. With many sources it is the least of theirs. */
  watermark?: (maxEventUs: number) => number;
  /** What `if_speed` is for a key, bits per second; NaN where unknown. */
  interfaceSpeed?: (key: Key) => number;
  /** What the forecasts of loads and rules know of the calendar. */
  calendar?: CalendarOptions;
  /** Distance of the points of loads; default five minutes. */
  loadStepUs?: number;
  /** Flows that the meter has room for; default 2^20. */
  maxFlows?: number;
}

export interface EngineDeps {
  names: Names;
  metrics: Metrics;
}

/**
 * The whole data flow behind the decoder, top to bottom: packets are metered into slices; slices and exporters' records go
 * through windows; window results are judged, judgements move alerts. Everything follows event time.
 */
export class Engine implements Stateful {
  readonly alerts: Alerts;
  readonly loads: LoadBook;
  readonly #counters: CounterLoads;
  /** Null without rules on counters. */
  readonly #counterRules: CounterRules | null;
  readonly #onSeries: SeriesSink;
  /** Zone in whose time the loads' models live; empty without a calendar. */
  readonly #zone: string;
  readonly #meter: Meter;
  readonly #windows: WindowStage;
  readonly #sampled = new SampledTime();
  packets = 0;
  /** Event time of the first row, microseconds; NaN before. */
  firstEventUs = Number.NaN;
  #maxEventUs = Number.NEGATIVE_INFINITY;
  #watermarkUs = Number.NEGATIVE_INFINITY;
  readonly #rules: readonly RulePlan[];
  readonly #detect: Detect;
  readonly #watermark: (maxEventUs: number) => number;

  constructor(options: EngineOptions, sinks: Sinks, { names, metrics }: EngineDeps) {
    const { rules, home } = options.rules;
    const recording = loadPlans(home, options.loadStepUs);
    this.#rules = rules;
    this.#watermark = options.watermark ?? ((maxEventUs) => maxEventUs - WATERMARK_BOUND_US);
    this.alerts = new Alerts(
      {},
      {
        metrics,
        evidence: (e) => this.#windows.evidence(e),
        onTransition: (transition) => sinks.transition(transition),
      },
    );
    const { zone, holidays = [] } = options.calendar ?? {};
    this.#zone = zone ?? ([...holidays].length > 0 ? 'UTC' : '');
    const forecast = forecastersIn(this.#zone, holidays);
    this.#detect = new Detect(options.rules, {
      baseline: baselines,
      forecast,
      metrics,
      interfaceSpeed: options.interfaceSpeed ?? (() => Number.NaN),
      onEvaluation: (evaluation) => {
        this.#sampled.tell(evaluation);
        sinks.evaluation?.(evaluation);
        this.alerts.evaluate(evaluation);
      },
    });
    this.#onSeries = sinks.series ?? (() => {});
    this.loads = new LoadBook({}, { forecasters: forecast, metrics, onPoint: this.#onSeries });
    this.#counters = new CounterLoads(
      (name, stepUs, timeUs, value) => this.loads.learn(name, 'interface', stepUs, timeUs, value),
      options.loadStepUs,
      (...reading) => this.#counterRules?.add(...reading),
    );
    const onCounters = new Set(rules.filter(isCounterRule));
    const route = (results: WindowResults): boolean => {
      if (results.ruleIndex >= rules.length) return this.loads.results(results);
      return !onCounters.has(results.rule) && this.#detect.results(results);
    };
    const counterPorts = {
      names,
      metrics,
      onResults: (results: WindowResults) => this.#detect.results(results),
      watched: (index: number) => this.#detect.watched(index),
    };
    this.#counterRules = onCounters.size > 0 ? new CounterRules(options.rules, counterPorts) : null;
    this.#windows = new WindowStage(
      { rules: [...rules, ...recording], home },
      {
        names,
        metrics,
        onResults: route,
        watched: (index) => (index < rules.length ? this.#detect.watched(index) : []),
      },
    );
    this.#meter = new Meter(
      { maxFlows: options.maxFlows },
      { names, metrics, onSlices: (batch) => this.#windows.add(batch), onRecords: sinks.records ?? (() => {}) },
    );
  }

  /** Decoded packets, in order of time. */
  rows(rows: PacketRows): void {
    if (rows.length === 0) return;
    this.packets += rows.length;
    if (Number.isNaN(this.firstEventUs)) this.firstEventUs = rows.doubles[TIME_F64];
    this.#meter.add(rows);
    this.advance(this.#meter.maxEventUs);
  }

  /** Slices of packets that another thread meters; `advance` says how far its time has come. */
  slices(batch: FlowBatch): void {
    this.#windows.add(batch);
  }

  /** Event time has come to that of a row. */
  advance(eventUs: number): void {
    if (eventUs > this.#maxEventUs) this.#maxEventUs = eventUs;
    const watermarkUs = this.#watermark(this.#maxEventUs);
    if (watermarkUs <= this.#watermarkUs) return;
    this.#watermarkUs = watermarkUs;
    this.#windows.advance(watermarkUs);
    this.#counterRules?.advance(watermarkUs);
    this.alerts.advance(watermarkUs);
  }

  /** Records of an exporter, in order of their ends. `seen` hears of each end before event time moves on to it. */
  flows(batch: FlowBatch, seen?: (endUs: number) => void): void {
    this.#sampled.note(batch);
    this.#windows.add(batch);
    for (let row = 0; row < batch.length; row++) {
      seen?.(batch.endUs[row]);
      this.advance(batch.endUs[row]);
    }
  }

  /** Records of a finite log, in order of their starts: event time follows the starts, so no part of a record is late. */
  flowsByStart(batch: FlowBatch): void {
    this.#sampled.note(batch);
    this.#windows.add(batch);
    this.advance(batch.startUs[batch.length - 1]);
  }

  /** A source's own series: counters of interfaces become loads, others are told as they are. */
  series(name: string, timeUs: number, value: number, facts?: CounterFacts): void {
    if (!this.#counters.read(name, timeUs, value, facts)) this.#onSeries(name, timeUs, value);
    // An exporter may tell nothing but its counters.
    else if (this.#counterRules) this.advance(timeUs);
  }

  /** End of input: the watermark is at the end of time; every window closes, every detector judges what it has. */
  end(): void {
    this.#meter.end();
    this.#windows.advance(Number.POSITIVE_INFINITY);
    this.#counterRules?.advance(Number.POSITIVE_INFINITY);
    this.alerts.end();
  }

  get maxEventUs(): number {
    return this.#maxEventUs;
  }

  get watermarkUs(): number {
    return this.#watermarkUs;
  }

  /** Silent sources: event time has come to `timeUs` without a row, as far as the watermark allows. */
  pass(timeUs: number): void {
    this.#meter.advance(timeUs);
    this.advance(timeUs);
  }

  /** Rules are known by id and fingerprint, so that a changed rule begins anew and the others go on. */
  save(out: StateWriter): void {
    out.section('time', (time) => {
      time.number(this.packets);
      time.number(this.firstEventUs);
      time.number(this.#maxEventUs);
      time.number(this.#watermarkUs);
      this.#sampled.save(time);
    });
    out.section('meter', (meter) => this.#meter.save(meter));
    out.section('windows', (windows) => this.#windows.save(windows));
    out.section('detect', (detect) => this.#detect.save(detect));
    out.section('alerts', (alerts) => alerts.bytes(this.alerts.save()));
    out.section('zone', (zone) => zone.text(this.#zone));
    out.section('loads', (loads) => this.loads.save(loads));
    out.section('counters', (counters) => this.#counters.save(counters));
    out.section('counter rules', (rules) => this.#counterRules?.save(rules));
  }

  restore(state: StateReader): void {
    const sections = state.sections();
    const time = required(sections, 'time');
    this.packets = time.number();
    this.firstEventUs = time.number();
    this.#maxEventUs = time.number();
    this.#watermarkUs = time.number();
    this.#sampled.restore(time);
    this.#meter.restore(required(sections, 'meter'));
    this.#windows.restore(required(sections, 'windows'));
    this.#detect.restore(required(sections, 'detect'));
    this.alerts.restore(required(sections, 'alerts').bytes(), this.#rules);
    const zone = sections.get('zone')?.text() ?? '';
    this.loads.restore(required(sections, 'loads'), zone === this.#zone ? undefined : forecastersIn(zone));
    const counters = sections.get('counters');
    if (counters) this.#counters.restore(counters);
    const counterRules = sections.get('counter rules');
    if (counterRules && !counterRules.done) this.#counterRules?.restore(counterRules);
  }
}

function forecastersIn(zone: string, holidays: CalendarOptions['holidays'] = []): ForecasterFactory {
  return zone === '' ? forecasters : calendarForecasters(forecasters, { zone, holidays });
}

function required(sections: ReadonlyMap<string, StateReader>, name: string): StateReader {
  const section = sections.get(name);
  if (section) return section;
  throw new WeirError('state.damaged', `the saved state has no section ${name}`);
}
