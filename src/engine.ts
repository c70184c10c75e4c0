import { Alerts } from './alert/alert.ts';
import type { Metrics } from './core/metrics.ts';
import { required, type Stateful, type StateReader, type StateWriter } from './core/state.ts';
import {
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
import type { Key } from './model/window-result.ts';
import { RuleEngine } from './rule-engine.ts';

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
  /** Threads that have part of the rules; default 0. What is found is the same. */
  ruleThreads?: number;
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
  readonly #onSeries: SeriesSink;
  /** Zone in whose time the loads' models live; empty without a calendar. */
  readonly #zone: string;
  readonly #meter: Meter;
  readonly #judging: RuleEngine;
  readonly #sampled = new SampledTime();
  packets = 0;
  /** Event time of the first row, microseconds; NaN before. */
  firstEventUs = Number.NaN;
  #maxEventUs = Number.NEGATIVE_INFINITY;
  #watermarkUs = Number.NEGATIVE_INFINITY;
  readonly #rules: readonly RulePlan[];
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
        evidence: (e) => this.#judging.evidence(e),
        onTransition: (transition) => sinks.transition(transition),
      },
    );
    const { zone, holidays = [] } = options.calendar ?? {};
    this.#zone = zone ?? ([...holidays].length > 0 ? 'UTC' : '');
    const forecast = forecastersIn(this.#zone, holidays);
    this.#onSeries = sinks.series ?? (() => {});
    this.loads = new LoadBook({}, { forecasters: forecast, metrics, onPoint: this.#onSeries });
    this.#counters = new CounterLoads(
      (name, stepUs, timeUs, value) => this.loads.learn(name, 'interface', stepUs, timeUs, value),
      options.loadStepUs,
      (...reading) => this.#judging.addReading(...reading),
    );
    this.#judging = new RuleEngine(
      {
        rules: options.rules,
        recording,
        forecast,
        interfaceSpeed: options.interfaceSpeed ?? (() => Number.NaN),
        threads: options.ruleThreads ?? 0,
      },
      {
        names,
        metrics,
        onEvaluation: (evaluation) => {
          this.#sampled.tell(evaluation);
          sinks.evaluation?.(evaluation);
          this.alerts.evaluate(evaluation);
        },
        onRecorded: (results) => this.loads.results(results),
      },
    );
    this.#meter = new Meter(
      { maxFlows: options.maxFlows },
      { names, metrics, onSlices: (batch) => this.slices(batch), onRecords: sinks.records ?? (() => {}) },
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
    this.#judging.add(batch);
  }

  /** Event time has come to that of a row. */
  advance(eventUs: number): void {
    if (eventUs > this.#maxEventUs) this.#maxEventUs = eventUs;
    const watermarkUs = this.#watermark(this.#maxEventUs);
    if (watermarkUs <= this.#watermarkUs) return;
    this.#watermarkUs = watermarkUs;
    this.#judging.advance(watermarkUs);
    this.alerts.advance(watermarkUs);
  }

  /** Records of an exporter, in order of their ends. `seen` hears of each end before event time moves on to it. */
  flows(batch: FlowBatch, seen?: (endUs: number) => void): void {
    this.#sampled.note(batch);
    this.#judging.add(batch);
    for (let row = 0; row < batch.length; row++) {
      seen?.(batch.endUs[row]);
      this.advance(batch.endUs[row]);
    }
  }

  /** Records of a finite log, in order of their starts: event time follows the starts, so no part of a record is late. */
  flowsByStart(batch: FlowBatch): void {
    this.#sampled.note(batch);
    this.#judging.add(batch);
    this.advance(batch.startUs[batch.length - 1]);
  }

  /** A source's own series: counters of interfaces become loads, others are told as they are. */
  series(name: string, timeUs: number, value: number, facts?: CounterFacts): void {
    if (!this.#counters.read(name, timeUs, value, facts)) this.#onSeries(name, timeUs, value);
    // An exporter may tell nothing but its counters.
    else if (this.#judging.wantsReadings) this.advance(timeUs);
  }

  /** End of input: the watermark is at the end of time; every window closes, every detector judges what it has. */
  end(): void {
    this.#meter.end();
    this.#judging.advance(Number.POSITIVE_INFINITY);
    this.alerts.end();
  }

  /** Its threads end. What was found stays. */
  async stop(): Promise<void> {
    await this.#judging.stop();
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
    this.#judging.save(out);
    out.section('alerts', (alerts) => alerts.bytes(this.alerts.save()));
    out.section('zone', (zone) => zone.text(this.#zone));
    out.section('loads', (loads) => this.loads.save(loads));
    out.section('counters', (counters) => this.#counters.save(counters));
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
    this.#judging.restore(sections, this.#watermarkUs);
    this.alerts.restore(required(sections, 'alerts').bytes(), this.#rules);
    const zone = sections.get('zone')?.text() ?? '';
    this.loads.restore(required(sections, 'loads'), zone === this.#zone ? undefined : forecastersIn(zone));
    const counters = sections.get('counters');
    if (counters) this.#counters.restore(counters);
  }
}

function forecastersIn(zone: string, holidays: CalendarOptions['holidays'] = []): ForecasterFactory {
  return zone === '' ? forecasters : calendarForecasters(forecasters, { zone, holidays });
}
