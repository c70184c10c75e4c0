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

function ruleTest(rule: RulePlan, measures: readonly MeasureCode[], panes: number): string | null {
  // Whoever learns sees every window of every key, and without levels windows are recorded.
  if (rule.levels.length === 0 || rule.measures.some(({ kind }) => kind === 'learned')) return null;
  if (rule.window.kind === 'session') return null;
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

  constructor(rule: RulePlan, measures: readonly MeasureCode[], panes: number) {
    this.#rule = rule;
    this.#measures = measures;
    this.#panes = panes;
  }

  /** Null: nothing is known that a pane has to pass. */
  of(expr: Expr): string | null {
    switch (expr.op) {
      case 'and': {
        const tests = expr.args.map((arg) => this.of(arg)).filter((test) => test !== null);
        if (tests.length === 0) return null;
        // Of several panes each may pass another test; the first is what the author thought of first.
        return this.#panes === 1 ? `(${tests.join('&&')})` : tests[0];
      }
      case 'or': {
        const tests = expr.args.map((arg) => this.of(arg));
        return tests.includes(null) ? null : `(${tests.join('||')})`;
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
