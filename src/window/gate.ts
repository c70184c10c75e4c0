import type { Expr, RulePlan } from '../model/plan.ts';
import type { KeyedTable } from './keyed-table.ts';
import { SAMPLES } from './layout.ts';
import type { MeasureCode } from './measure/measure.ts';
import { number } from './predicate-code.ts';

/** Writes the rows of a pane for which a level may hold in a window that the pane is part of; answers how many. */
export type Gate = (table: KeyedTable, seconds: number, out: Int32Array) => number;

/** What rounding may take from a sum. */
const SLACK = 1 - 1e-9;

/**
 * Most keys are far from every threshold, and a window need not be made of them. When a sum over `n` panes reaches a threshold, one
 * of the panes reaches the n-th part of it: so a key for which no pane does cannot hold any level (the pigeonhole principle). The
 * gate is sound: what it leaves out holds nothing; what it lets through is evaluated as ever.
 *
 * @param rules all that have these tables
 * @param panes of a window
 * @returns null when some level gives no such test
 */
export function compileGate(rules: readonly RulePlan[], measures: readonly MeasureCode[], panes: number): Gate | null {
  const tests = rules.map((rule) => ruleTest(rule, measures, panes));
  if (tests.includes(null)) return null;
  const test = [...new Set(tests)].join('||');
  const loop = `for(let row=0;row<rows;row=row+1|0){const d=row*S+F;if(${test}){out[n]=row;n=n+1|0;}}`;
  return new Function(
    't',
    'seconds',
    'out',
    `'use strict';const D=t.doubles,S=t.stride,F=t.first,rows=t.count;let n=0;${loop}return n;`,
  ) as Gate;
}

/**
 * A test of the same kind that holds for sums over many keys, too, and asks for few different accumulators; the window's length is part of the
 * text.
 */
export function bucketTest(
  rules: readonly RulePlan[],
  measures: readonly MeasureCode[],
  panes: number,
  seconds: number,
): string | null {
  const known = new Set<string>();
  const tests = rules.flatMap((rule) =>
    hasGate(rule) ? rule.levels.map(({ when }) => new LevelTest(rule, measures, panes, known).of(when)) : [null],
  );
  if (tests.length === 0 || tests.includes(null)) return null;
  return `(${[...new Set(tests)].join('||').replaceAll('seconds', number(seconds))})`;
}

function hasGate(rule: RulePlan): boolean {
  // Whoever learns sees every window of every key, and without levels windows are recorded.
  if (rule.levels.length === 0 || rule.measures.some(({ kind }) => kind === 'learned')) return false;
  return rule.window.kind !== 'session';
}

function ruleTest(rule: RulePlan, measures: readonly MeasureCode[], panes: number): string | null {
  if (!hasGate(rule)) return null;
  const tests = rule.levels.map(({ when }) => new LevelTest(rule, measures, panes).of(when));
  if (tests.includes(null)) return null;
  const samples = rule.minSamples > 0 && panes === 1 ? `D[d+${SAMPLES}]>=${number(rule.minSamples)}&&` : '';
  return `(${samples}(${tests.join('||')}))`;
}

/** A test of one pane that some pane of a window passes when the level holds in the window. */
class LevelTest {
  readonly #rule: RulePlan;
  readonly #measures: readonly MeasureCode[];
  readonly #panes: number;
  readonly #known: Set<string> | null;

  /** @param known accumulators that are asked for anyway: of tests joined by `and` the one that asks for no others is enough */
  constructor(rule: RulePlan, measures: readonly MeasureCode[], panes: number, known: Set<string> | null = null) {
    this.#rule = rule;
    this.#measures = measures;
    this.#panes = panes;
    this.#known = known;
  }

  /** Null: nothing is known that a pane has to pass. */
  of(expr: Expr): string | null {
    switch (expr.op) {
      case 'and': {
        const tests = expr.args.map((arg) => this.of(arg)).filter((test) => test !== null);
        if (tests.length === 0) return null;
        if (this.#known) return this.#cheapest(tests, this.#known);
        // Of several panes each may pass another test; the first is what the author thought of first.
        return this.#panes === 1 ? `(${tests.join('&&')})` : tests[0];
      }
      case 'or': {
        const tests = expr.args.map((arg) => this.of(arg));
        if (tests.includes(null)) return null;
        for (const test of tests) if (this.#known) for (const each of accumulatorsOf(test ?? '')) this.#known.add(each);
        return `(${tests.join('||')})`;
      }
      case '>':
      case '>=':
        return this.#reaches(expr.left, expr.right);
      case '<':
      case '<=':
        return this.#reaches(expr.right, expr.left);
      default:
        return null;
    }
  }

  #cheapest(tests: string[], known: Set<string>): string {
    const cheap = tests.find((test) => accumulatorsOf(test).every((each) => known.has(each))) ?? tests[0];
    for (const each of accumulatorsOf(cheap)) known.add(each);
    return cheap;
  }

  #reaches(measure: Expr, limit: Expr): string | null {
    if (measure.op !== 'measure' || measure.part !== null) return null;
    const { bound, peak } = this.#measures[measure.index];
    const least = SLACK * this.#least(limit);
    if (!(least > 0)) return null;
    if (peak !== undefined) return `${peak}>=${number(least)}`;
    return bound === undefined ? null : `${bound}>=${number(least / this.#panes)}`;
  }

  /** The least that a limit is for any key; NaN where that is not known. */
  #least(limit: Expr): number {
    switch (limit.op) {
      case 'number':
        return limit.value;
      case 'threshold': {
        const { default: value, prefixes } = this.#rule.thresholds[limit.name];
        return Math.min(value, ...prefixes.map((each) => each.value));
      }
      case '*':
      case '+': {
        const [left, right] = [this.#least(limit.left), this.#least(limit.right)];
        if (!(left >= 0 && right >= 0)) return Number.NaN;
        return limit.op === '*' ? left * right : left + right;
      }
      default:
        return Number.NaN;
    }
  }
}

function accumulatorsOf(test: string): string[] {
  return test.match(/D\[d\+\d+\]/g) ?? [];
}
