import type { Expr, LearnedMeasure, RulePlan } from '../model/plan.ts';

/**
 * Conditions as generated code over plain arrays: `V[o+n]` measures, `T[t+n]` thresholds, `P[p+n]` parts of learned
 * measures, `s` the interface's speed. Only numbers and positions enter the text.
 */
export class ExprCompiler {
  readonly thresholds: string[];
  /** Parts that are looked at, in the order of their column: measure index and part. */
  readonly parts: { index: number; part: string }[] = [];
  readonly #rule: RulePlan;

  constructor(rule: RulePlan) {
    this.#rule = rule;
    this.thresholds = Object.keys(rule.thresholds);
    rule.measures.forEach((measure, index) => {
      if (measure.kind !== 'learned') return;
      for (const part of PARTS[measure.fn]) this.parts.push({ index, part });
    });
  }

  code(expr: Expr): string {
    switch (expr.op) {
      case 'number':
        return number(expr.value);
      case 'measure':
        return this.#measure(expr.index, expr.part);
      case 'threshold':
        return `T[t+${position(this.thresholds.indexOf(expr.name), expr.name)}]`;
      case 'attribute':
        return 's';
      case 'and':
      case 'or':
        return `(${expr.args.map((arg) => this.code(arg)).join(expr.op === 'and' ? '&&' : '||')})`;
      case 'not':
        return `!(${this.code(expr.arg)})`;
      case 'neg':
        return `(-${this.code(expr.arg)})`;
      default:
        return binary(expr.op, this.code(expr.left), this.code(expr.right));
    }
  }

  #measure(index: number, part: string | null): string {
    if (part === null) return `V[o+${position(this.#rule.measures[index] ? index : -1, String(index))}]`;
    const column = this.parts.findIndex((known) => known.index === index && known.part === part);
    return `P[p+${position(column, part)}]`;
  }
}

/** Parts of each learned measure, as the plan's documentation names them. */
export const PARTS: Readonly<Record<LearnedMeasure['fn'], readonly string[]>> = {
  baseline: ['z', 'expected', 'low', 'high', 'deviation', 'p', 'score'],
  forecast: ['eta', 'date', 'lo', 'hi', 'probability'],
  cusum: [],
};

/** A comparison with NaN is false, whatever it is. */
function binary(op: string, left: string, right: string): string {
  switch (op) {
    case '==':
      return `(${left}===${right})`;
    case '!=':
      return `(${left}<${right}||${left}>${right})`;
    case '>':
    case '>=':
    case '<':
    case '<=':
    case '+':
    case '-':
    case '*':
    case '/':
      return `(${left}${op}${right})`;
    default:
      throw new RangeError(`no such operator: ${op}`);
  }
}

function number(value: number): string {
  if (typeof value !== 'number' || Number.isNaN(value)) throw new RangeError(`not a number in a rule plan: ${value}`);
  return `(${value})`;
}

function position(index: number, name: string): number {
  if (index < 0) throw new RangeError(`nothing is called ${name} in this rule`);
  return index;
}
