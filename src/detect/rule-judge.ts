import type { Metrics } from '../core/metrics.ts';
import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import type { Evaluation } from '../model/alert.ts';
import type { RulePlan } from '../model/plan.ts';
import type { Key, KeyHandle, WindowResults } from '../model/window-result.ts';
import { ActiveKeys } from './active-keys.ts';
import { CLEAR, compileJudge, type JudgeCode, type JudgeInput } from './judge-code.ts';
import type { LearnDeps } from './learned.ts';
import { emptyValue, LearnedKeys } from './learned-keys.ts';
import { restoreSubject, type Subject, saveSubject } from './subject.ts';
import { Thresholds } from './thresholds.ts';

export interface JudgeDeps extends LearnDeps {
  metrics: Metrics;
  interfaceSpeed: (key: Key) => number;
  onEvaluation: (evaluation: Evaluation) => void;
}

/** One key of one window on its way to an evaluation. `position` is its place in the judged arrays. */
interface Judged extends Subject {
  position: number;
}

/** Judges the windows of one rule. */
export class RuleJudge implements Stateful {
  readonly #rule: RulePlan;
  readonly #ruleIndex: number;
  readonly #deps: JudgeDeps;
  readonly #code: JudgeCode;
  readonly #thresholds: Thresholds;
  readonly #learned: LearnedKeys | null;
  readonly #active: ActiveKeys;
  /** Subjects of keys that learn, so that they are judged in windows without them. */
  readonly #subjects = new Map<string, Subject>();
  #masks = new Int32Array(0);

  constructor(rule: RulePlan, ruleIndex: number, deps: JudgeDeps) {
    this.#rule = rule;
    this.#ruleIndex = ruleIndex;
    this.#deps = deps;
    this.#code = compileJudge(rule);
    this.#thresholds = new Thresholds(rule, this.#code.thresholds);
    const refused = (what: string) =>
      deps.metrics.counter(
        `weir_detect_refused_total{rule="${rule.id}",cause="${what}"}`,
        'Keys refused because a table was full.',
      );
    const learns = rule.measures.some(({ kind }) => kind === 'learned');
    this.#learned = learns ? new LearnedKeys(rule, this.#code, deps, refused('learned_keys')) : null;
    this.#active = new ActiveKeys(rule, refused('active_keys'));
  }

  /** Judges one window; answers whether empty windows matter from here on. */
  results(results: WindowResults): boolean {
    const absent = this.#absent(results);
    const input = this.#input(results, absent);
    if (this.#learned) this.#learn(this.#learned, input, results, absent);
    if (this.#masks.length < input.n) this.#masks = new Int32Array(2 * input.n);
    this.#code.judge(input, this.#masks);
    for (const judged of this.#candidates(results, absent, input)) this.#evaluate(judged, results, input);
    return this.#active.size > 0 || (this.#learned?.size ?? 0) > 0;
  }

  watched(): Iterable<KeyHandle> {
    return this.#active.watched();
  }

  /** Keys that are of interest and have no rows in this window. */
  #absent(results: WindowResults): Subject[] {
    const absent = new Map<string, Subject>();
    for (const subject of this.#active.all())
      if (results.indexOf(subject.handle) < 0) absent.set(subject.text, subject);
    for (const subject of this.#subjects.values())
      if (results.indexOf(subject.handle) < 0) absent.set(subject.text, subject);
    return [...absent.values()];
  }

  /** The window's arrays, with a row of zeros for each absent key behind them. */
  #input(results: WindowResults, absent: readonly Subject[]): JudgeInput {
    const { length } = results;
    const n = length + absent.length;
    const { measures } = this.#rule;
    const { values, samples } = absent.length === 0 ? results : withRoom(results, n, measures.length);
    for (let i = length; i < n; i++) {
      measures.forEach((measure, m) => {
        values[i * measures.length + m] = measure.kind === 'learned' ? Number.NaN : emptyValue(measure);
      });
    }
    const partWidth = this.#code.parts.length;
    const input: JudgeInput = {
      n,
      values,
      samples,
      thresholds: this.#thresholds.same ?? new Float64Array(n * this.#thresholds.width),
      thresholdWidth: this.#thresholds.same ? 0 : this.#thresholds.width,
      parts: partWidth > 0 ? new Float64Array(n * partWidth).fill(Number.NaN) : NONE,
      partWidth,
      speeds: this.#code.usesSpeed ? new Float64Array(n) : NONE,
    };
    this.#fillKeyed(input, results, absent);
    return input;
  }

  /** Numbers that differ from key to key. */
  #fillKeyed(input: JudgeInput, results: WindowResults, absent: readonly Subject[]): void {
    for (let i = 0; i < input.n; i++) {
      const subject = i < results.length ? null : absent[i - results.length];
      if (input.thresholdWidth > 0) {
        this.#thresholds.write(subject?.handle ?? results.handle(i), input.thresholds, i * input.thresholdWidth);
      } else if (input.speeds.length === 0) return;
      if (input.speeds.length > 0) input.speeds[i] = this.#deps.interfaceSpeed(subject?.key ?? results.key(i));
    }
  }

  #learn(learned: LearnedKeys, input: JudgeInput, results: WindowResults, absent: readonly Subject[]): void {
    for (let i = 0; i < input.n; i++) {
      const text = i < results.length ? results.keyText(i) : absent[i - results.length].text;
      learned.learn(input, i, text, results.endUs);
      if (i < results.length && !this.#subjects.has(text) && this.#subjects.size < learned.size) {
        this.#subjects.set(text, subjectOf(results, i));
      }
    }
  }

  /** Keys that hold something or are watched, in the order of their texts. */
  #candidates(results: WindowResults, absent: readonly Subject[], input: JudgeInput): Judged[] {
    const found = new Map<string, Judged>();
    const add = (subject: Subject, position: number): void => void found.set(subject.text, { ...subject, position });
    const levels = CLEAR - 1;
    for (let i = 0; i < results.length; i++) {
      // A key that only followed up has no row of the rule's own in this window.
      if ((this.#masks[i] & levels) === 0 || results.matchedUs?.[i] === Number.POSITIVE_INFINITY) continue;
      add(subjectOf(results, i), i);
    }
    for (const subject of [...this.#active.all(), ...this.#active.waiting(results.startUs)]) {
      const i = results.indexOf(subject.handle);
      if (i >= 0) add(subject, i);
    }
    for (let i = results.length; i < input.n; i++) add(absent[i - results.length], i);
    return [...found.values()].sort((a, b) => (a.text < b.text ? -1 : 1));
  }

  #evaluate(judged: Judged, results: WindowResults, input: JudgeInput): void {
    const { position, text } = judged;
    const { startUs, endUs, matchedUs, followedUs } = results;
    const mask = this.#masks[position];
    const holds = this.#rule.levels.map((_, i) => (mask & (1 << i)) !== 0);
    const held = holds.includes(true);
    const present = position < results.length;
    if (held && present && matchedUs) this.#active.remember(judged, matchedUs[position], endUs);
    const raised = present && followedUs !== null && this.#active.followed(text, followedUs[position]);
    // A key that has gone silent is clear even where `clear` looks at what only rows have.
    const clear = (mask & CLEAR) !== 0 || (!present && !held);
    const raise = raised ? (this.#rule.follow?.severity ?? null) : null;
    if (!this.#active.note(judged, endUs, held || raised, clear)) return;
    this.#deps.onEvaluation({
      rule: this.#rule,
      ruleIndex: this.#ruleIndex,
      key: judged.key,
      keyText: text,
      startUs,
      endUs,
      holds,
      clear,
      missing: false,
      values: this.#valuesOf(input, position),
      samples: input.samples[position],
      expected: this.#expectedOf(input, position),
      raise,
    });
  }

  #valuesOf(input: JudgeInput, position: number): Evaluation['values'] {
    const values: Evaluation['values'] = {};
    const { measures } = this.#rule;
    measures.forEach(({ name }, m) => {
      values[name] = finite(input.values[position * measures.length + m]);
    });
    this.#code.parts.forEach(({ index, part }, k) => {
      values[`${measures[index].name}.${part}`] = finite(input.parts[position * input.partWidth + k]);
    });
    return values;
  }

  /** What baselines expected, under the name of the measure they follow. */
  #expectedOf(input: JudgeInput, position: number): Evaluation['expected'] {
    const expected: Record<string, number> = {};
    const { measures } = this.#rule;
    this.#code.parts.forEach(({ index, part }, k) => {
      const measure = measures[index];
      const value = input.parts[position * input.partWidth + k];
      if (measure.kind === 'learned' && part === 'expected' && Number.isFinite(value)) {
        expected[measures[measure.of].name] = value;
      }
    });
    return Object.keys(expected).length > 0 ? expected : null;
  }

  /** The source gave no data in this time: every watched key hears of it, and `no_data` decides. */
  missing(fromUs: number, toUs: number): void {
    const subjects = new Map<string, Subject>();
    for (const subject of this.#active.all()) subjects.set(subject.text, subject);
    if (this.#rule.noData === 'alert')
      for (const subject of this.#subjects.values()) subjects.set(subject.text, subject);
    const none = { holds: this.#rule.levels.map(() => false), clear: false, expected: null, raise: null };
    for (const subject of [...subjects.values()].sort((a, b) => (a.text < b.text ? -1 : 1))) {
      const { key, text: keyText } = subject;
      const values = Object.fromEntries(this.#rule.measures.map(({ name }) => [name, null]));
      const place = { rule: this.#rule, ruleIndex: this.#ruleIndex, key, keyText, startUs: fromUs, endUs: toUs };
      this.#deps.onEvaluation({ ...place, ...none, missing: true, values });
    }
    this.#active.missing(subjects.values(), toUs);
  }

  save(out: StateWriter): void {
    this.#active.save(out);
    out.number(this.#subjects.size);
    for (const subject of this.#subjects.values()) saveSubject(subject, out);
    this.#learned?.save(out);
  }

  restore(state: StateReader): void {
    this.#active.restore(state);
    this.#subjects.clear();
    for (let left = state.number(); left > 0; left--) {
      const subject = restoreSubject(state);
      this.#subjects.set(subject.text, subject);
    }
    this.#learned?.restore(state);
  }
}

const NONE = new Float64Array(0);

function subjectOf(results: WindowResults, i: number): Subject {
  return { key: results.key(i), text: results.keyText(i), handle: results.handle(i) };
}

function withRoom(results: WindowResults, n: number, width: number): { values: Float64Array; samples: Float64Array } {
  const values = new Float64Array(n * width);
  values.set(results.values);
  const samples = new Float64Array(n);
  samples.set(results.samples);
  return { values, samples };
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
