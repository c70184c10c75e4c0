import type { Counter } from '../core/metrics.ts';
import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import type { AggregateMeasure, LearnedMeasure, RulePlan } from '../model/plan.ts';
import { PARTS } from './expr-code.ts';
import type { JudgeCode, JudgeInput } from './judge-code.ts';
import { createLearner, type LearnDeps, type Learner } from './learned.ts';

interface Known {
  learners: Learner[];
  lastUs: number;
}

/** Measures whose value of a key without rows is 0; of the others there is none (NaN). */
const ZERO = new Set(['rate', 'sum', 'count', 'distinct', 'scan', 'beacon', 'first_seen']);

export function emptyValue(measure: AggregateMeasure): number {
  return ZERO.has(measure.fn) ? 0 : Number.NaN;
}

/** The learned measures of one rule: one set of learners a key, which sees every window of the key, empty ones too. */
export class LearnedKeys implements Stateful {
  readonly #rule: RulePlan;
  readonly #measures: { measure: LearnedMeasure; index: number; part: number; forecast: number }[] = [];
  readonly #reach: JudgeCode['reach'];
  readonly #deps: LearnDeps;
  readonly #refused: Counter;
  readonly #keys = new Map<string, Known>();

  constructor(rule: RulePlan, code: JudgeCode, deps: LearnDeps, refused: Counter) {
    this.#rule = rule;
    this.#reach = code.reach;
    this.#deps = deps;
    this.#refused = refused;
    let forecast = 0;
    let part = 0;
    rule.measures.forEach((measure, index) => {
      if (measure.kind !== 'learned') return;
      this.#measures.push({ measure, index, part, forecast: measure.fn === 'forecast' ? forecast++ : -1 });
      part += PARTS[measure.fn].length;
    });
  }

  get size(): number {
    return this.#keys.size;
  }

  /** Fills values and parts of key `i`; `text` is the key's. */
  learn(input: JudgeInput, i: number, text: string, endUs: number): void {
    const known = this.#keys.get(text) ?? this.#begin(text);
    const width = this.#rule.measures.length;
    if (known !== null) known.lastUs = endUs;
    this.#measures.forEach(({ measure, index, part, forecast }, k) => {
      const value = input.values[i * width + measure.of];
      const reach = forecast >= 0 ? this.#reach[forecast](input, i) : Number.NaN;
      const at = i * input.partWidth + part;
      if (known === null) input.parts.fill(Number.NaN, at, at + PARTS[measure.fn].length);
      else input.values[i * width + index] = known.learners[k].learn(endUs, value, reach, input.parts, at);
    });
  }

  #begin(text: string): Known | null {
    if (this.#keys.size >= this.#rule.maxKeys) {
      this.#refused.value++;
      return null;
    }
    return this.#enter(text, 0);
  }

  #enter(text: string, lastUs: number): Known {
    const learners = this.#measures.map(({ measure }) => createLearner(measure, this.#rule, this.#deps));
    const known = { learners, lastUs };
    this.#keys.set(text, known);
    return known;
  }

  save(out: StateWriter): void {
    out.number(this.#keys.size);
    for (const [text, { learners, lastUs }] of this.#keys) {
      out.json(text);
      out.number(lastUs);
      for (const learner of learners) learner.save(out);
    }
  }

  restore(state: StateReader): void {
    this.#keys.clear();
    for (let left = state.number(); left > 0; left--) {
      const { learners } = this.#enter(state.json(), state.number());
      for (const learner of learners) learner.restore(state);
    }
  }

  /** Keys that this window did not mention. */
  absent(endUs: number): string[] {
    const texts: string[] = [];
    for (const [text, { lastUs }] of this.#keys) if (lastUs < endUs) texts.push(text);
    return texts;
  }
}
