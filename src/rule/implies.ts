import type { Comparison, Expr, Predicate, Threshold } from '../model/plan.ts';
import { isFalse } from './simplify.ts';

/** What one row test says of a row that passed another: always true, always false, or open. */
export type Certainty = 'always' | 'never' | 'open';

/** Does every row that `given` selects pass `asked`? Answers "open" when it cannot tell. */
export function certainty(given: Predicate, asked: Predicate): Certainty {
  if (asked.op === 'true') return 'always';
  const facts = conjuncts(given);
  const answers = conjuncts(asked).map((test) => one(facts, test));
  if (answers.includes('never')) return 'never';
  return answers.every((answer) => answer === 'always') ? 'always' : 'open';
}

/** A predicate that no row can pass. */
export function isContradiction(predicate: Predicate): boolean {
  const parts = conjuncts(predicate);
  return isFalse(predicate) || parts.some((part, i) => one(parts.slice(0, i), part) === 'never');
}

function conjuncts(predicate: Predicate): Predicate[] {
  return predicate.op === 'and' ? predicate.args : [predicate];
}

function one(facts: readonly Predicate[], test: Predicate): Certainty {
  const text = JSON.stringify(test);
  const opposite = JSON.stringify(test.op === 'not' ? test.arg : { op: 'not', arg: test });
  for (const fact of facts) {
    const known = JSON.stringify(fact);
    if (known === text) return 'always';
    if (known === opposite) return 'never';
    const answer = sameField(fact, test);
    if (answer !== 'open') return answer;
  }
  return 'open';
}

function sameField(fact: Predicate, test: Predicate): Certainty {
  if (fact.op === 'flags' && test.op === 'flags' && fact.field === test.field) {
    const shared = fact.mask & test.mask;
    if (((fact.value ^ test.value) & shared) !== 0) return 'never';
    return shared === test.mask ? 'always' : 'open';
  }
  if (fact.op === 'in' && test.op === 'in' && fact.field === test.field && fact.ranges.length === 0) {
    const inside = fact.values.filter((value) => holds(test, value));
    if (inside.length === 0) return 'never';
    return inside.length === fact.values.length ? 'always' : 'open';
  }
  return 'open';
}

function holds(test: Extract<Predicate, { op: 'in' }>, value: number): boolean {
  return test.values.includes(value) || test.ranges.some(([from, to]) => value >= from && value <= to);
}

/** `measure > number`, with thresholds at their default. */
interface Bound {
  subject: string;
  cmp: Comparison;
  value: number;
}

type Thresholds = Readonly<Record<string, Threshold>>;

/** Whenever `a` holds, `b` holds too: told only where it is certain. */
export function implies(a: Expr, b: Expr, thresholds: Thresholds): boolean {
  if (b.op === 'or') return b.args.some((arg) => implies(a, arg, thresholds));
  if (a.op === 'or') return a.args.every((arg) => implies(arg, b, thresholds));
  const facts = all(a).map((expr) => boundOf(expr, thresholds));
  return all(b).every((expr) => {
    const wanted = boundOf(expr, thresholds);
    return facts.some((fact) => fact !== null && wanted !== null && stronger(fact, wanted));
  });
}

/** Two bounds of one measure that exclude each other. */
export function isImpossible(expr: Expr, thresholds: Thresholds): boolean {
  if (expr.op === 'or') return expr.args.every((arg) => isImpossible(arg, thresholds));
  const bounds = all(expr)
    .map((part) => boundOf(part, thresholds))
    .filter((bound) => bound !== null);
  return bounds.some((a) => bounds.some((b) => a.subject === b.subject && exclude(a, b)));
}

const all = (expr: Expr): Expr[] => (expr.op === 'and' ? expr.args.flatMap(all) : [expr]);

const TURNED: Readonly<Record<string, Comparison>> = {
  '>': '<',
  '>=': '<=',
  '<': '>',
  '<=': '>=',
  '==': '==',
  '!=': '!=',
};

function boundOf(expr: Expr, thresholds: Thresholds): Bound | null {
  if (!Object.hasOwn(TURNED, expr.op) || !('left' in expr)) return null;
  const cmp = expr.op as Comparison;
  const left = numberOf(expr.left, thresholds);
  const right = numberOf(expr.right, thresholds);
  if (left === null && right !== null) return { subject: JSON.stringify(expr.left), cmp, value: right };
  if (left !== null && right === null) return { subject: JSON.stringify(expr.right), cmp: TURNED[cmp], value: left };
  return null;
}

/** The number an expression always has, thresholds at their default; null when it depends on measures. */
function numberOf(expr: Expr, thresholds: Thresholds): number | null {
  if (expr.op === 'number') return expr.value;
  if (expr.op === 'threshold') return thresholds[expr.name]?.default ?? null;
  if (expr.op === 'neg') {
    const arg = numberOf(expr.arg, thresholds);
    return arg === null ? null : -arg;
  }
  if (!('left' in expr)) return null;
  const left = numberOf(expr.left, thresholds);
  const right = numberOf(expr.right, thresholds);
  if (left === null || right === null) return null;
  if (expr.op === '+') return left + right;
  if (expr.op === '-') return left - right;
  return expr.op === '*' ? left * right : expr.op === '/' ? left / right : null;
}

function stronger(fact: Bound, wanted: Bound): boolean {
  if (fact.subject !== wanted.subject) return false;
  const [up, above] = [fact.cmp[0] === '>', wanted.cmp[0] === '>'];
  const [down, below] = [fact.cmp[0] === '<', wanted.cmp[0] === '<'];
  const touches = fact.cmp.length === 1 || wanted.cmp.length === 2;
  if (up && above) return fact.value > wanted.value || (fact.value === wanted.value && touches);
  if (down && below) return fact.value < wanted.value || (fact.value === wanted.value && touches);
  return fact.cmp === wanted.cmp && fact.value === wanted.value;
}

function exclude(low: Bound, high: Bound): boolean {
  if (low.cmp[0] !== '>' || high.cmp[0] !== '<') return false;
  return low.value > high.value || (low.value === high.value && (low.cmp.length === 1 || high.cmp.length === 1));
}
