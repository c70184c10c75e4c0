import type { Metrics } from '../core/metrics.ts';
import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import type { Evaluation } from '../model/alert.ts';
import type { RuleSet } from '../model/plan.ts';
import type { BaselineFactory, ForecasterFactory } from '../model/series.ts';
import type { Key, KeyHandle, WindowResults } from '../model/window-result.ts';
import { RuleJudge } from './rule-judge.ts';

export interface DetectDeps {
  baseline: BaselineFactory;
  forecast: ForecasterFactory;
  metrics: Metrics;
  /** What `if_speed` is for a key, bits per second; NaN where unknown. */
  interfaceSpeed: (key: Key) => number;
  onEvaluation: (evaluation: Evaluation) => void;
}

/**
 * Judges window results: which levels of a rule hold for which keys, against thresholds, learned baselines and
 * forecasts. A key whose level held is evaluated in every window from then on, empty ones too, until it is clear.
 */
export class Detect implements Stateful {
  readonly #sections: string[];
  readonly #judges: RuleJudge[];

  constructor(ruleSet: RuleSet, deps: DetectDeps) {
    this.#sections = ruleSet.rules.map(({ fingerprint }) => `rule ${fingerprint}`);
    this.#judges = ruleSet.rules.map((rule, index) => new RuleJudge(rule, index, deps));
  }

  /** A `WindowSink`: answers whether empty windows of the rule matter now. */
  results(results: WindowResults): boolean {
    return this.#judges[results.ruleIndex].results(results);
  }

  /** Keys of a rule that have to be in every window's results. */
  watched(ruleIndex: number): Iterable<KeyHandle> {
    return this.#judges[ruleIndex].watched();
  }

  /** The watermark stood still between these times: watched keys are missing, not zero. */
  sourceMissing(fromUs: number, toUs: number): void {
    for (const judge of this.#judges) judge.missing(fromUs, toUs);
  }

  save(out: StateWriter): void {
    this.#judges.forEach((judge, i) => {
      out.section(this.#sections[i], (rule) => judge.save(rule));
    });
  }

  /** Handles of keys are those of the windows, which are restored beside. Rules that the state does not know begin anew. */
  restore(state: StateReader): void {
    const sections = state.sections();
    this.#judges.forEach((judge, i) => {
      const section = sections.get(this.#sections[i]);
      if (section) judge.restore(section);
    });
  }
}
