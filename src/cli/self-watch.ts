import type { Metrics } from '../core/metrics.ts';
import { Metrics as OwnMetrics } from '../core/metrics.ts';
import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import { Engine } from '../engine.ts';
import type { Transition } from '../model/alert.ts';
import { createFlowBatch, type FlowBatch } from '../model/flow-batch.ts';
import { Names } from '../model/names.ts';
import type { RuleSet } from '../model/plan.ts';

const ROWS = 512;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

export interface SelfWatchPorts {
  metrics: Metrics;
  nowUs: () => number;
  tell: (transition: Transition) => void;
  /** Hears of every gauge: `self/process_resident_memory_bytes`. */
  point: (name: string, timeUs: number, value: number) => void;
}

/**
 * weir's measurements of itself as rows for rules: a gauge with its value, a counter with how much it grew. They go
 * through an engine of their own, whose time is the wall clock's, so that the time of traffic is not touched by them.
 */
export class SelfWatch implements Stateful {
  readonly #ports: SelfWatchPorts;
  readonly #intervalMs: number;
  readonly #names = new Names();
  readonly #engine: Engine;
  readonly #seen = new Map<string, number>();
  /** What counters had before the first time did not grow just now. */
  #measured = false;
  #batch: FlowBatch = createFlowBatch(ROWS);
  #timer: NodeJS.Timeout | null = null;

  constructor(options: { rules: RuleSet; intervalMs: number }, ports: SelfWatchPorts) {
    this.#ports = ports;
    this.#intervalMs = options.intervalMs;
    this.#engine = new Engine(
      { rules: options.rules },
      { transition: ports.tell },
      { names: this.#names, metrics: new OwnMetrics() },
    );
  }

  start(): void {
    this.tick();
    this.#timer ??= setInterval(() => this.tick(), this.#intervalMs).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Alerts of weir about itself that are not over. */
  get active(): ReadonlySet<string> {
    return new Set(this.#engine.alerts.active().map(({ alertId }) => alertId));
  }

  /** What the rules know. What counters had is not in it: they begin anew with the process. */
  save(out: StateWriter): void {
    out.section('names', (section) => this.#names.save(section));
    out.section('engine', (section) => this.#engine.save(section));
  }

  restore(state: StateReader): void {
    const sections = state.sections();
    const [names, engine] = [sections.get('names'), sections.get('engine')];
    if (!names || !engine) return;
    this.#names.restore(names);
    this.#engine.restore(engine);
  }

  /** Measures once. */
  tick(): void {
    const nowUs = this.#ports.nowUs();
    for (const { name, value } of this.#ports.metrics.all()) {
      const grown = value - (this.#seen.get(name) ?? (this.#measured ? 0 : value));
      if (grown > 0) this.#row(name, nowUs, grown);
    }
    for (const { name, value } of this.#ports.metrics.all()) this.#seen.set(name, value);
    for (const { name, value } of this.#ports.metrics.gauges()) {
      if (!(value >= 0)) continue;
      this.#row(name, nowUs, value);
      this.#ports.point(`self/${name}`, nowUs, value);
    }
    this.#measured = true;
    this.#give();
  }

  #row(name: string, nowUs: number, value: number): void {
    const batch = this.#batch;
    const row = batch.length++;
    const [metric] = name.split('{', 1);
    const label = [...name.matchAll(LABEL)].map(([, , text]) => text).join(' ');
    batch.clearRow(row);
    batch.startUs[row] = nowUs;
    batch.endUs[row] = nowUs;
    batch.packetDeltaCount[row] = value;
    batch.sni[row] = this.#names.names.intern(metric);
    batch.dnsName[row] = label === '' ? 0 : this.#names.names.intern(label);
    batch.exporter[row] = this.#names.exporters.intern('weir');
    if (batch.length === batch.capacity) this.#give();
  }

  #give(): void {
    if (this.#batch.length > 0) this.#engine.flows(this.#batch);
    this.#batch.length = 0;
  }
}
