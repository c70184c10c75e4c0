import type { Metrics } from './core/metrics.ts';
import type { Stateful, StateReader, StateWriter } from './core/state.ts';
import { COUNTERS, createFlowBatch } from './model/flow-batch.ts';
import type { Names } from './model/names.ts';
import type { Predicate, RulePlan, RuleSet } from './model/plan.ts';
import type { KeyHandle, WindowResults } from './model/window-result.ts';
import { WindowStage } from './window/window.ts';

export interface CounterPorts {
  names: Names;
  metrics: Metrics;
  onResults: (results: WindowResults) => boolean;
  watched: (ruleIndex: number) => Iterable<KeyHandle>;
}

/** True for rules whose rows are what interfaces carried between two readings of their octet counters. */
export function isCounterRule({ match }: RulePlan): boolean {
  return conjuncts(match).some((part) => part.op === 'is' && part.field === 'counters');
}

function conjuncts(match: Predicate): Predicate[] {
  return match.op === 'and' ? match.args.flatMap(conjuncts) : [match];
}

/**
 * The rules on interface counters. Their rows are kept from all other rules, which would count the traffic twice; so they
 * have windows of their own. Those stay open for as long as readings have been apart: a reading tells of the time before it.
 */
export class CounterRules implements Stateful {
  readonly #windows: WindowStage;
  readonly #names: Names;
  readonly #batch = createFlowBatch(1);
  #lagUs = 0;

  constructor({ rules, home }: RuleSet, { names, metrics, onResults, watched }: CounterPorts) {
    const own = rules.filter(isCounterRule);
    const places = own.map((rule) => rules.indexOf(rule));
    this.#names = names;
    this.#windows = new WindowStage(
      { rules: own, home },
      {
        names,
        metrics,
        onResults: (results) => {
          results.ruleIndex = rules.indexOf(results.rule);
          return onResults(results);
        },
        watched: (index) => watched(places[index]),
      },
    );
  }

  /** What interface `port` of an exporter carried into (`in`) or out of it between two readings. */
  add(exporter: string, port: number, way: 'in' | 'out', fromUs: number, untilUs: number, octets: number): void {
    const batch = this.#batch;
    const row = 0;
    batch.length = 1;
    batch.clearRow(row);
    batch.startUs[row] = fromUs;
    batch.endUs[row] = untilUs;
    batch.meta[row] = COUNTERS;
    batch.packetDeltaCount[row] = 1;
    batch.octetDeltaCount[row] = octets;
    batch.exporter[row] = this.#names.exporters.intern(exporter);
    if (way === 'in') batch.ingressInterface[row] = port;
    else batch.egressInterface[row] = port;
    this.#lagUs = Math.max(this.#lagUs, untilUs - fromUs);
    this.#windows.add(batch);
  }

  advance(watermarkUs: number): void {
    this.#windows.advance(watermarkUs - this.#lagUs);
  }

  save(out: StateWriter): void {
    out.number(this.#lagUs);
    this.#windows.save(out);
  }

  restore(state: StateReader): void {
    this.#lagUs = state.number();
    this.#windows.restore(state);
  }
}
