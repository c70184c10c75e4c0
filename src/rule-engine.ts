import { randomInt } from 'node:crypto';
import type { Metrics } from './core/metrics.ts';
import { required, type StateReader, type StateWriter } from './core/state.ts';
import { CounterRules, isCounterRule } from './counter-rules.ts';
import { Detect } from './detect/detect.ts';
import { baselines } from './forecast/forecast.ts';
import type { Evaluation, EvidenceItem } from './model/alert.ts';
import type { FlowBatch } from './model/flow-batch.ts';
import type { Names } from './model/names.ts';
import type { RulePlan, RuleSet } from './model/plan.ts';
import type { ForecasterFactory } from './model/series.ts';
import type { Key, WindowResults } from './model/window-result.ts';
import { RuleThreads } from './rule-threads.ts';
import { WindowStage } from './window/window.ts';

export interface RuleEngineOptions {
  rules: RuleSet;
  /** Rules that only record: their windows are given out, in the order of the rules. */
  recording: readonly RulePlan[];
  interfaceSpeed: (key: Key) => number;
  forecast: ForecasterFactory;
  /** Threads that have part of the rules. */
  threads: number;
}

export interface RuleEnginePorts {
  names: Names;
  metrics: Metrics;
  /** What is judged, in the order (window end, rule). */
  onEvaluation: (evaluation: Evaluation) => void;
  onRecorded: (results: WindowResults) => boolean;
}

/** All rules in force: their windows, their judges, on this thread and on others. */
export class RuleEngine {
  readonly #windows: WindowStage;
  readonly #detect: Detect;
  readonly #threads: RuleThreads | null;
  /** Null without rules on counters. */
  readonly #counters: CounterRules | null;
  readonly #onEvaluation: (evaluation: Evaluation) => void;
  /** What was found here, until what the threads found is there, too. */
  #found: Evaluation[] = [];

  constructor(options: RuleEngineOptions, { names, metrics, onEvaluation, onRecorded }: RuleEnginePorts) {
    const { rules, home } = options.rules;
    const onCounters = new Set(rules.flatMap((rule, index) => (isCounterRule(rule) ? [index] : [])));
    const seed = randomInt(2 ** 31);
    const { threads } = options;
    const stays = (index: number): boolean => onCounters.has(index);
    this.#threads = threads > 0 ? new RuleThreads(options.rules, { threads, seed, stays }, metrics) : null;
    const elsewhere = (index: number): boolean => this.#threads?.has(index) ?? false;
    this.#onEvaluation = onEvaluation;
    this.#detect = new Detect(options.rules, {
      baseline: baselines,
      forecast: options.forecast,
      metrics,
      interfaceSpeed: options.interfaceSpeed,
      onEvaluation: (evaluation) => {
        if (this.#threads && !onCounters.has(evaluation.ruleIndex)) this.#found.push(evaluation);
        else onEvaluation(evaluation);
      },
      elsewhere,
    });
    const ports = {
      names,
      metrics,
      onResults: (results: WindowResults) => this.#detect.results(results),
      watched: (index: number) => this.#detect.watched(index),
    };
    this.#counters = onCounters.size > 0 ? new CounterRules(options.rules, ports) : null;
    this.#windows = new WindowStage(
      { rules: [...rules, ...options.recording], home },
      {
        names,
        metrics,
        onResults: (results) => {
          if (results.ruleIndex >= rules.length) return onRecorded(results);
          return !onCounters.has(results.ruleIndex) && this.#detect.results(results);
        },
        watched: (index) => (index < rules.length ? this.#detect.watched(index) : []),
        elsewhere,
        limits: { seed },
      },
    );
  }

  /** Slices or records. The batch is the giver's again when the call returns. */
  add(batch: FlowBatch): void {
    this.#threads?.add(batch);
    this.#windows.add(batch);
  }

  /** What an interface carried between two readings of its counter; without rules on counters nobody asks. */
  addReading(...reading: Parameters<CounterRules['add']>): void {
    this.#counters?.add(...reading);
  }

  get wantsReadings(): boolean {
    return this.#counters !== null;
  }

  /** Closes and judges what ends at this watermark, here and on the threads at the same time. */
  advance(watermarkUs: number): void {
    this.#threads?.advance(watermarkUs);
    this.#windows.advance(watermarkUs);
    if (this.#threads) {
      const found = this.#threads.merge(this.#found);
      this.#found = [];
      for (const evaluation of found) this.#onEvaluation(evaluation);
    }
    this.#counters?.advance(watermarkUs);
  }

  evidence(evaluation: Evaluation): EvidenceItem[] {
    return this.#windows.evidence(evaluation);
  }

  /** The same sections, whatever threads there are. */
  save(out: StateWriter): void {
    const others = this.#threads?.states() ?? [];
    out.section('windows', (section) => {
      this.#windows.save(section);
      for (const { windows } of others) section.append(windows);
    });
    out.section('detect', (section) => {
      this.#detect.save(section);
      for (const { detect } of others) section.append(detect);
    });
    out.section('counter rules', (section) => this.#counters?.save(section));
  }

  restore(sections: ReadonlyMap<string, StateReader>, watermarkUs: number): void {
    const windows = required(sections, 'windows');
    const detect = required(sections, 'detect');
    this.#threads?.restore({ windows: windows.rest, detect: detect.rest }, watermarkUs);
    this.#windows.restore(windows);
    this.#detect.restore(detect);
    const counters = sections.get('counter rules');
    if (counters && !counters.done) this.#counters?.restore(counters);
  }

  async stop(): Promise<void> {
    await this.#threads?.stop();
  }
}
