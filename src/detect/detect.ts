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
  /** Rules that are judged elsewhere; default none. */
  elsewhere?: (ruleIndex: number) => boolean;
}

/**
 * Judges window results: which levels of a rule hold for which keys, against thresholds, learned baselines and
 * forecasts. A key whose level held is evaluated in every window from then on, empty ones too, until it is clear.
 */
export class Detect implements Stateful {
  /** By position of the rule; those judged elsewhere are left out. */
  readonly #judges = new Map<number, { judge: RuleJudge; section: string }>();

  constructor(ruleSet: RuleSet, deps: DetectDeps) {
    ruleSet.rules.forEach((rule, index) => {
      if (deps.elsewhere?.(index)) return;
      this.#judges.set(index, { judge: new RuleJudge(rule, index, deps), section: `rule ${rule.fingerprint}` });
    });
  }

  /** A `WindowSink`: answers whether empty windows of the rule matter now. */
  results(results: WindowResults): boolean {
    return this.#judges.get(results.ruleIndex)?.judge.results(results) ?? false;
  }

  /** Keys of a rule that have to be in every window's results. */
  watched(ruleIndex: number): Iterable<KeyHandle> {
    return this.#judges.get(ruleIndex)?.judge.watched() ?? [];
  }

  /** The watermark stood still between these times: watched keys are missing, not zero. */
  sourceMissing(fromUs: number, toUs: number): void {
    for (const { judge } of this.#judges.values()) judge.missing(fromUs, toUs);
  }

  save(out: StateWriter): void {
    for (const { judge, section } of this.#judges.values()) out.section(section, (rule) => judge.save(rule));
  }

  /** Handles of keys are those of the windows, which are restored beside. Rules that the state does not know begin anew. */
  restore(state: StateReader): void {
    const sections = state.sections();
    for (const { judge, section } of this.#judges.values()) {
      const saved = sections.get(section);
      if (saved) judge.restore(saved);
    }
  }
}
