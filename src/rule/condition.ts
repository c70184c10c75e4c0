import type { Text } from '../core/source-file.ts';
import { parseQuantity, type Unit } from '../core/units.ts';
import type { Comparison, Expr, Threshold } from '../model/plan.ts';
import { type Atom, type ExprNode, startOf } from './ast.ts';
import { own } from './own.ts';
import { parse } from './parse.ts';
import { suggestion } from './suggest.ts';
import { unitHint } from './unit-hint.ts';

/** What a name in a condition may be. */
export interface ConditionScope {
  measures: ReadonlyMap<string, { index: number; unit: Unit; fn: string }>;
  thresholds: Readonly<Record<string, Threshold>>;
  /** Filled with the names of thresholds that were used. */
  used: Set<string>;
}

interface Typed {
  expr: Expr;
  unit: Unit | 'bool';
  /** A plain number, which takes the unit of what it is compared with. */
  plain: boolean;
  literal: string | null;
}

/** Parts of learned measures, with their units; `same` is the unit of the measure learned from. */
const PARTS: Readonly<Record<string, Readonly<Record<string, Unit | 'same'>>>> = {
  forecast: { eta: 'time', date: 'time', lo: 'time', hi: 'time', probability: 'ratio' },
  baseline: { expected: 'same', low: 'same', high: 'same', deviation: 'ratio', p: 'ratio', score: 'ratio' },
};

/** `pps > 4 * $syn_pps and est < 0.2` as a typed tree; null when it has errors. */
export function compileCondition(text: Text, scope: ConditionScope): Expr | null {
  const node = parse('condition', text);
  if (!node) return null;
  const typed = new ConditionCompiler(text, scope).infer(node);
  if (!typed) return null;
  if (typed.unit === 'bool') return typed.expr;
  text.report(startOf(node), 'rule.type', 'this is a number, not a condition', 'compare it: > >= < <= == !=');
  return null;
}

/** A number over measures, such as `0.9 * if_speed`; `unit` is what it must be. */
export function compileNumber(node: ExprNode, text: Text, scope: ConditionScope, unit: Unit): Expr | null {
  const compiler = new ConditionCompiler(text, scope);
  const typed = compiler.infer(node);
  if (!typed || (typed.plain && typed.unit === 'none') || typed.unit === unit) return typed?.expr ?? null;
  text.report(startOf(node), 'rule.unit', `this is in ${typed.unit}, ${unit} is needed`);
  return null;
}

class ConditionCompiler {
  readonly #text: Text;
  readonly #scope: ConditionScope;

  constructor(text: Text, scope: ConditionScope) {
    this.#text = text;
    this.#scope = scope;
  }

  infer(node: ExprNode): Typed | null {
    switch (node.kind) {
      case 'atom':
        return this.#atom(node.atom);
      case 'call':
        return this.#fail(
          node.start,
          'rule.type',
          `${node.name.text}(...) belongs in measure`,
          'name it there, then use the name',
        );
      case 'logic':
        return this.#logic(node);
      case 'binary':
        return '+-*/'.includes(node.op.text) ? this.#arithmetic(node) : this.#compare(node);
      default:
        return this.#unary(node);
    }
  }

  #fail(at: number, code: string, message: string, hint?: string): null {
    this.#text.report(at, code, message, hint);
    return null;
  }

  #atom(atom: Atom): Typed | null {
    if (atom.kind === 'quantity') return this.#literal(atom);
    if (atom.kind === 'variable') return this.#threshold(atom);
    if (atom.text === 'if_speed') return value({ op: 'attribute', name: 'if_speed' }, 'bps');
    const [name, part] = splitPart(atom.text);
    const measure = this.#scope.measures.get(name);
    if (!measure) {
      const names = [...this.#scope.measures.keys(), 'if_speed'];
      return this.#fail(atom.start, 'rule.unknown_name', `there is no measure ${name}`, suggestion(name, names));
    }
    if (part === null) {
      if (measure.fn !== 'forecast') return value({ op: 'measure', index: measure.index, part }, measure.unit);
      return this.#fail(
        atom.start,
        'rule.type',
        `${name} is a forecast`,
        `use one of its parts: ${Object.keys(PARTS.forecast).join(', ')}`,
      );
    }
    const unit = own(own(PARTS, measure.fn) ?? {}, part);
    if (unit)
      return value({ op: 'measure', index: measure.index, part }, unit === 'same' ? 'none' : unit, unit === 'same');
    const hint = suggestion(part, Object.keys(PARTS[measure.fn] ?? {}));
    return this.#fail(atom.start + name.length + 1, 'rule.unknown_name', `${name} has no part ${part}`, hint);
  }

  #literal(atom: Atom): Typed | null {
    const quantity = parseQuantity(atom.text);
    if (!quantity) return this.#fail(atom.start, 'rule.unit', `'${atom.text}' has no unit I know`, UNITS_HINT);
    const expr: Expr = { op: 'number', ...quantity };
    return { expr, unit: quantity.unit, plain: quantity.unit === 'none', literal: atom.text };
  }

  #threshold(atom: Atom): Typed | null {
    const name = atom.text.slice(1);
    const threshold = own(this.#scope.thresholds, name);
    if (!threshold) {
      const names = Object.keys(this.#scope.thresholds).map((known) => `$${known}`);
      return this.#fail(
        atom.start,
        'rule.unknown_name',
        `there is no threshold ${atom.text}`,
        suggestion(atom.text, names),
      );
    }
    this.#scope.used.add(name);
    return { expr: { op: 'threshold', name }, unit: threshold.unit, plain: threshold.unit === 'none', literal: null };
  }

  #logic(node: Extract<ExprNode, { kind: 'logic' }>): Typed | null {
    const args = node.args.map((arg) => this.#condition(arg));
    return args.every((arg) => arg !== null) ? condition({ op: node.op, args }) : null;
  }

  #condition(node: ExprNode): Expr | null {
    const typed = this.infer(node);
    if (typed && typed.unit !== 'bool')
      return this.#fail(startOf(node), 'rule.type', 'this is a number, not a condition');
    return typed?.expr ?? null;
  }

  #unary(node: Extract<ExprNode, { kind: 'not' | 'neg' }>): Typed | null {
    if (node.kind === 'not') {
      const arg = this.#condition(node.arg);
      return arg && condition({ op: 'not', arg });
    }
    const typed = this.#number(node.arg);
    return typed && { ...typed, expr: { op: 'neg', arg: typed.expr }, literal: null };
  }

  #number(node: ExprNode): (Typed & { unit: Unit }) | null {
    const typed = this.infer(node);
    if (typed?.unit === 'bool') return this.#fail(startOf(node), 'rule.type', 'this is a condition, not a number');
    return typed as (Typed & { unit: Unit }) | null;
  }

  #arithmetic(node: Extract<ExprNode, { kind: 'binary' }>): Typed | null {
    const left = this.#number(node.left);
    const right = this.#number(node.right);
    if (!left || !right) return null;
    const op = node.op.text as '+' | '-' | '*' | '/';
    const unit = op === '+' || op === '-' ? sumUnit(left, right) : productUnit(op, left.unit, right.unit);
    if (unit === null) {
      const message = `${left.unit} ${op} ${right.unit} has no meaning`;
      return this.#fail(node.op.start, 'rule.unit', message);
    }
    return { expr: { op, left: left.expr, right: right.expr }, unit, plain: left.plain && right.plain, literal: null };
  }

  #compare(node: Extract<ExprNode, { kind: 'binary' }>): Typed | null {
    const left = this.#number(node.left);
    const right = this.#number(node.right);
    if (!left || !right) return null;
    if (sumUnit(left, right) === null) {
      const [odd, other, place] = right.literal !== null ? [right, left, node.right] : [left, right, node.left];
      const message = `${describe(other)} cannot be compared with ${odd.literal ?? describe(odd)} (${odd.unit})`;
      return this.#fail(startOf(place), 'rule.unit', message, this.#unitHint(odd, other));
    }
    const op = (node.op.text === '=' ? '==' : node.op.text) as Comparison;
    return condition({ op, left: left.expr, right: right.expr });
  }

  /** A measure that has the literal's unit may be what was meant; else the literal in the measure's unit. */
  #unitHint(odd: Typed & { unit: Unit }, other: Typed & { unit: Unit }): string | undefined {
    for (const [name, { unit }] of this.#scope.measures) if (unit === odd.unit) return `did you mean ${name}?`;
    if (odd.literal === null) return undefined;
    const wanted = unitHint(odd.literal, other.unit);
    return other.unit === 'pps' && odd.unit === 'bps' && wanted
      ? `${wanted.slice(0, -1)}, or a measure rate(bits)?`
      : wanted;
  }
}

const UNITS_HINT = 'known: pps bps Bps fps, B b p, % and us ms s m h d w, with k M G T before them';

function value(expr: Expr, unit: Unit, plain = false): Typed {
  return { expr, unit, plain, literal: null };
}

function condition(expr: Expr): Typed {
  return { expr, unit: 'bool', plain: false, literal: null };
}

function splitPart(text: string): [string, string | null] {
  const dot = text.indexOf('.');
  return dot < 0 ? [text, null] : [text.slice(0, dot), text.slice(dot + 1)];
}

const describe = (typed: Typed): string => (typed.unit === 'none' ? 'a plain count' : `a number of ${typed.unit}`);

/** Packets, flows and plain counts are numbers of things: they compare with each other, and divide anything. */
const COUNTS: readonly Unit[] = ['none', 'flows', 'packets'];

/** The unit two numbers share, for comparing and adding; null when they have none. */
function sumUnit(a: Typed & { unit: Unit }, b: Typed & { unit: Unit }): Unit | null {
  if (a.unit === b.unit || b.plain) return a.unit;
  if (a.plain) return b.unit;
  return COUNTS.includes(a.unit) && COUNTS.includes(b.unit) ? a.unit : null;
}

function productUnit(op: '*' | '/', a: Unit, b: Unit): Unit | null {
  if (op === '/' && a === b) return 'none';
  if (b === 'ratio' || COUNTS.includes(b)) return a;
  return op === '*' && (a === 'ratio' || COUNTS.includes(a)) ? b : null;
}
