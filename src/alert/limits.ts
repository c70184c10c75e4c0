import { inPrefix, parsePrefix } from '../model/address.ts';
import type { Comparison, Expr, RulePlan } from '../model/plan.ts';
import type { Key } from '../model/window-result.ts';
import type { Episode } from './episode.ts';

/** `pps > 20000`: one comparison of a condition, with the limit that was in force for the key. */
export interface Limit {
  /** Name of the value, as `values` has it (`pps`, `full.eta`). */
  name: string;
  cmp: Comparison;
  limit: number;
  held: boolean;
}

const TURNED: Record<Comparison, Comparison> = { '>': '<', '>=': '<=', '<': '>', '<=': '>=', '==': '==', '!=': '!=' };

/** The comparisons between a measure and a constant in the condition of the episode's severity, as written. */
export function limitsOf(episode: Episode, values: Record<string, number | string | null>): Limit[] {
  const level = episode.rule.levels.find((each) => each.severity === episode.severity);
  const limits: Limit[] = [];
  if (level) collect(level.when, episode, values, limits);
  return limits;
}

function collect(expr: Expr, episode: Episode, values: Record<string, number | string | null>, into: Limit[]): void {
  if (expr.op === 'and' || expr.op === 'or') for (const arg of expr.args) collect(arg, episode, values, into);
  if (!('left' in expr) || !Object.hasOwn(TURNED, expr.op)) return;
  const cmp = expr.op as Comparison;
  const straight = expr.left.op === 'measure';
  const [measure, other] = straight ? [expr.left, expr.right] : [expr.right, expr.left];
  if (measure.op !== 'measure') return;
  const name = nameOf(episode.rule, measure);
  const limit = constant(other, episode.rule, episode.key);
  const value = values[name];
  const turned = straight ? cmp : TURNED[cmp];
  const held = typeof value === 'number' && compare(value, turned, limit);
  if (!Number.isNaN(limit) && !into.some((known) => known.name === name && known.held)) {
    into.push({ name, cmp: turned, limit, held });
  }
}

function nameOf(rule: RulePlan, expr: { index: number; part: string | null }): string {
  const { name } = rule.measures[expr.index];
  return expr.part === null ? name : `${name}.${expr.part}`;
}

/** The value of an expression without measures; NaN when it has one, or an attribute that is not known here. */
function constant(expr: Expr, rule: RulePlan, key: Key): number {
  switch (expr.op) {
    case 'number':
      return expr.value;
    case 'threshold':
      return thresholdOf(rule, expr.name, key);
    case 'neg':
      return -constant(expr.arg, rule, key);
    case '+':
      return constant(expr.left, rule, key) + constant(expr.right, rule, key);
    case '-':
      return constant(expr.left, rule, key) - constant(expr.right, rule, key);
    case '*':
      return constant(expr.left, rule, key) * constant(expr.right, rule, key);
    case '/':
      return constant(expr.left, rule, key) / constant(expr.right, rule, key);
    default:
      return Number.NaN;
  }
}

/** The longest prefix that holds the key's first address lying in any of them. */
function thresholdOf(rule: RulePlan, name: string, key: Key): number {
  const threshold = rule.thresholds[name];
  if (!threshold) return Number.NaN;
  for (const value of Object.values(key)) {
    const address = parsePrefix(String(value));
    if (!address) continue;
    const words = Int32Array.from(address.words);
    const found = threshold.prefixes.find(({ prefix }) => address.bits >= prefix.bits && inPrefix(prefix, words, 0));
    if (found) return found.value;
  }
  return threshold.default;
}

function compare(value: number, cmp: Comparison, limit: number): boolean {
  switch (cmp) {
    case '>':
      return value > limit;
    case '>=':
      return value >= limit;
    case '<':
      return value < limit;
    case '<=':
      return value <= limit;
    case '==':
      return value === limit;
    default:
      return value !== limit;
  }
}
