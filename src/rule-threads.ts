import type { Metrics } from './core/metrics.ts';
import type { Evaluation } from './model/alert.ts';
import { FIELDS } from './model/field.ts';
import type { FlowBatch } from './model/flow-batch.ts';
import type { Expr, Predicate, RulePlan, RuleSet } from './model/plan.ts';
import { ruleCost } from './rule/rule.ts';
import { type Closed, type RuleState, RuleThread } from './rule-thread.ts';
import { tableSets } from './window/window.ts';

/** Well below the leap of the watermark after which it counts as having stood still. */
const MOST_BEHIND_US = 1800e6;
/** What the engine does beside its own rules, in the steps of `RuleCost`: metering, evidence, loads. */
const ENGINE_STEPS = 40;

/** Positions of the rules of each thread. Whole sets of tables, so that none is filled twice. */
function share(rules: readonly RulePlan[], threads: number, stays: (index: number) => boolean): number[][] {
  const cost = (set: number[]): number => Math.max(...set.map((index) => ruleCost(rules[index]).rowSteps));
  const parts = Array.from({ length: threads + 1 }, (): { places: number[]; steps: number } => ({
    places: [],
    steps: 0,
  }));
  const [engine] = parts;
  engine.steps = ENGINE_STEPS;
  const sets = tableSets(rules);
  const fixed = sets.filter((set) => set.some((index) => stays(index) || !movable(rules[index])));
  for (const set of fixed) engine.steps += cost(set);
  for (const set of sets.filter((set) => !fixed.includes(set)).sort((a, b) => cost(b) - cost(a))) {
    const part = parts.reduce((least, each) => (each.steps < least.steps ? each : least));
    part.places.push(...set);
    part.steps += cost(set);
  }
  return parts.slice(1).flatMap(({ places }) => (places.length > 0 ? [places.sort((a, b) => a - b)] : []));
}

/** Rules that look at texts, whose ids are this thread's, at the speed of an interface or at the calendar stay here. */
function movable({ match, except, by, measures, levels, clear, follow, evidence }: RulePlan): boolean {
  const parts = [
    ...by,
    ...measures.flatMap((measure) => (measure.kind === 'aggregate' ? measure.of : [])),
    ...evidence.flatMap((item) => (item.fn === 'topk' ? item.of : [])),
  ];
  const where = measures.flatMap((measure) => (measure.kind === 'aggregate' ? [measure.where] : []));
  const conditions = [match, ...except.map((each) => each.match), ...where, ...(follow ? [follow.match] : [])];
  const fields = [...parts.map(({ field }) => field), ...conditions.flatMap(fieldsOf)];
  if (fields.some((field) => FIELDS[field]?.type === 'text' || field.startsWith('dns.'))) return false;
  if (measures.some((measure) => measure.kind === 'learned' && measure.fn === 'forecast')) return false;
  return ![...levels.map(({ when }) => when), ...(clear ? [clear] : [])].some(usesSpeed);
}

function fieldsOf(predicate: Predicate): string[] {
  if ('args' in predicate) return predicate.args.flatMap(fieldsOf);
  if ('arg' in predicate) return fieldsOf(predicate.arg);
  return 'field' in predicate ? [predicate.field] : [];
}

function usesSpeed(expr: Expr): boolean {
  if (expr.op === 'attribute') return true;
  if ('args' in expr) return expr.args.some(usesSpeed);
  if ('arg' in expr) return usesSpeed(expr.arg);
  return 'left' in expr && (usesSpeed(expr.left) || usesSpeed(expr.right));
}

export interface RuleThreadsOptions {
  threads: number;
  seed: number;
  /** Rules that have to stay with the engine, by position. */
  stays: (index: number) => boolean;
}

/**
 * Part of the rules on threads of their own: each thread has the windows of some of them and judges those. The engine
 * waits for them wherever a window may end, so alerts are the same, byte for byte, with any number of threads.
 */
export class RuleThreads {
  readonly #rules: readonly RulePlan[];
  readonly #metrics: Metrics;
  readonly #parts: number[][];
  readonly #threads: RuleThread[];
  readonly #moved: Set<number>;
  /** All windows end at multiples of it. */
  readonly #tickUs: number;
  readonly #counts = new Map<string, number>();
  /** What the engine was told, and what the threads were told, of the watermark. */
  #watermarkUs = Number.NEGATIVE_INFINITY;
  #toldUs = Number.NEGATIVE_INFINITY;
  #closing = false;

  constructor({ rules, home }: RuleSet, { threads, seed, stays }: RuleThreadsOptions, metrics: Metrics) {
    this.#rules = rules;
    this.#metrics = metrics;
    this.#parts = share(rules, threads, stays);
    this.#moved = new Set(this.#parts.flat());
    this.#threads = this.#parts.map((places) => new RuleThread({ rules: places.map((i) => rules[i]), home }, seed));
    const lengths = [...this.#moved].flatMap((i) => [rules[i].window.sizeUs, rules[i].window.slideUs]);
    this.#tickUs = lengths.reduce(commonDivisor, 0);
  }

  /** Whether a rule is on one of the threads. */
  has(index: number): boolean {
    return this.#moved.has(index);
  }

  add(batch: FlowBatch): void {
    for (const thread of this.#threads) thread.add(batch);
  }

  /** Event time has come to `watermarkUs`: threads begin to close what ends, while the caller closes its own windows. */
  advance(watermarkUs: number): void {
    const beforeUs = this.#watermarkUs;
    this.#watermarkUs = watermarkUs;
    this.#closing = Math.floor(watermarkUs / this.#tickUs) !== Math.floor(beforeUs / this.#tickUs);
    if (!this.#closing && watermarkUs - this.#toldUs <= MOST_BEHIND_US) return;
    // A thread has to see how far the watermark leapt, not how long it was not told.
    if (beforeUs > this.#toldUs) for (const thread of this.#threads) thread.advance(beforeUs);
    for (const thread of this.#threads) {
      if (this.#closing) thread.close(watermarkUs);
      else thread.advance(watermarkUs);
    }
    this.#toldUs = watermarkUs;
  }

  /** What the threads found at the ends of windows, together with what the engine found itself: in order of (end, rule). */
  merge(own: Evaluation[]): Evaluation[] {
    if (!this.#closing) return own;
    this.#closing = false;
    const all = [...own];
    this.#threads.forEach((thread, t) => {
      const { evaluations, counts } = thread.closed();
      for (const each of evaluations) all.push(this.#placed(each, this.#parts[t][each.ruleIndex]));
      this.#count(counts);
    });
    return all.sort((a, b) => a.endUs - b.endUs || a.ruleIndex - b.ruleIndex);
  }

  #placed(evaluation: Closed['evaluations'][number], ruleIndex: number): Evaluation {
    return { ...evaluation, rule: this.#rules[ruleIndex], ruleIndex };
  }

  #count(counts: Closed['counts']): void {
    for (const { name, help, value } of counts) {
      this.#metrics.counter(name, help).value += value - (this.#counts.get(name) ?? 0);
      this.#counts.set(name, value);
    }
  }

  /** What the threads hold. */
  states(): RuleState[] {
    return this.#threads.map((thread) => thread.state());
  }

  /** Each thread takes up its own rules of the whole state. */
  restore(state: RuleState, watermarkUs: number): void {
    this.#watermarkUs = watermarkUs;
    this.#toldUs = watermarkUs;
    for (const thread of this.#threads) thread.restore(state);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.stop()));
  }
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}
