import type { Text } from '../core/source-file.ts';
import { parseQuantity, type Unit } from '../core/units.ts';
import { FIELDS } from '../model/field.ts';
import type {
  AggregateMeasure,
  AggregateName,
  KeyPart,
  LearnedMeasure,
  Measure,
  Predicate,
  Summand,
} from '../model/plan.ts';
import type { ArgumentNode, Atom, CallNode } from './ast.ts';
import { startOf } from './ast.ts';
import { type ConditionScope, compileNumber } from './condition.ts';
import { FUNCTIONS, type FunctionSpec } from './functions.ts';
import { compileKey } from './key.ts';
import { own } from './own.ts';
import { parse } from './parse.ts';
import { PredicateCompiler } from './predicate.ts';
import type { Scope } from './scope.ts';
import { TRUE } from './simplify.ts';
import { suggestion } from './suggest.ts';

export interface MeasureScope {
  names: Scope;
  /** Measures before this one, and thresholds, for `reach`. */
  conditions: ConditionScope;
}

/** `share(flows) where flags A`; null when it has errors. */
export function compileMeasure(name: string, text: Text, scope: MeasureScope): Measure | null {
  const node = parse('measure', text);
  if (!node) return null;
  const spec = own(FUNCTIONS, node.call.name.text);
  if (!spec) {
    const known = Object.keys(FUNCTIONS);
    text.report(
      node.call.start,
      'rule.unknown_function',
      `there is no measure ${node.call.name.text}(...)`,
      suggestion(node.call.name.text, known),
    );
    return null;
  }
  const where = node.where ? new PredicateCompiler(scope.names).compile(node.where, text) : TRUE;
  const call = new CallReader(node.call, spec, text);
  if (spec.kind === 'aggregate') return aggregate(name, call, where);
  if (node.where) text.report(node.call.end, 'rule.syntax', 'where belongs to the measure this one learns from');
  return learned(name, call, scope.conditions);
}

function aggregate(name: string, call: CallReader, where: Predicate): AggregateMeasure | null {
  const fn = call.node.name.text as AggregateName;
  const params = call.numbers();
  const { of, summand } = call.fields();
  if (!call.ok) return null;
  return { kind: 'aggregate', name, fn, summand, of, where, params, unit: unitOf(fn, summand) };
}

const RATES: Readonly<Record<string, Unit>> = { packets: 'pps', bytes: 'Bps', bits: 'bps', flows: 'fps' };

function unitOf(fn: AggregateName, summand: Summand): Unit {
  const unit: Unit = summand === 'flows' ? 'flows' : summand === 'rows' ? 'none' : FIELDS[summand].unit;
  if (fn === 'rate') return RATES[unit] ?? 'none';
  if (fn === 'share' || fn === 'topk' || fn === 'beacon') return 'ratio';
  return ['sum', 'min', 'max', 'avg', 'quantile', 'count'].includes(fn) ? unit : 'none';
}

function learned(name: string, call: CallReader, scope: ConditionScope): LearnedMeasure | null {
  const fn = call.node.name.text as LearnedMeasure['fn'];
  const [first] = call.positional;
  const atom = first?.value.kind === 'atom' ? first.value.atom : null;
  const of = atom && scope.measures.get(atom.text);
  if (!of) {
    const hint = suggestion(atom?.text ?? '', scope.measures.keys());
    call.fail(atom?.start ?? call.node.start, 'rule.unknown_name', `${fn} learns from a measure named before it`, hint);
    return null;
  }
  const reachNode = call.take('reach');
  const reach = reachNode ? compileNumber(reachNode.value, call.text, scope, of.unit) : null;
  if (fn === 'forecast' && !reachNode) call.fail(call.node.start, 'rule.argument', 'forecast needs reach=...');
  const params = call.mixed();
  call.none();
  if (!call.ok || (reachNode && !reach)) return null;
  return { kind: 'learned', name, fn, of: of.index, params, reach, unit: 'none' };
}

/** Reads the arguments of a call against its function's description. */
class CallReader {
  readonly node: CallNode;
  readonly text: Text;
  readonly positional: ArgumentNode[];
  readonly #named: ArgumentNode[];
  readonly #spec: FunctionSpec;
  ok = true;

  constructor(node: CallNode, spec: FunctionSpec, text: Text) {
    this.node = node;
    this.text = text;
    this.#spec = spec;
    this.positional = node.args.filter((arg) => arg.name === null);
    this.#named = node.args.filter((arg) => arg.name !== null);
  }

  fail(at: number, code: string, message: string, hint?: string): void {
    this.text.report(at, code, message, hint);
    this.ok = false;
  }

  take(name: string): ArgumentNode | null {
    const at = this.#named.findIndex((arg) => arg.name?.text === name);
    return at < 0 ? null : this.#named.splice(at, 1)[0];
  }

  /** Leading numbers (`topk(10, ...)`) and named ones, with defaults. */
  numbers(): Record<string, number> {
    const params: Record<string, number> = {};
    for (const [name, param] of Object.entries(this.#spec.params)) {
      const leading = param.leading ? this.positional.shift() : null;
      const given = leading ?? this.take(name);
      if (typeof param.default === 'number') params[name] = param.default;
      if (given) params[name] = this.#number(given, name);
      else if (param.default === null)
        this.fail(this.node.end - 1, 'rule.argument', `${this.node.name.text} needs ${name}`);
    }
    this.#unknown();
    return params;
  }

  mixed(): Record<string, number | number[] | string> {
    const params: Record<string, number | number[] | string> = {};
    for (const [name, param] of Object.entries(this.#spec.params)) {
      if (param.default !== null) params[name] = param.default;
      const given = this.take(name);
      if (!given) continue;
      if (param.words) params[name] = this.#word(given, param.words);
      else if (Array.isArray(param.default)) params[name] = this.#list(given, name);
      else params[name] = this.#number(given, name);
    }
    this.#unknown();
    return params;
  }

  #unknown(): void {
    for (const { name } of this.#named) {
      const known = [...Object.keys(this.#spec.params), ...(this.node.name.text === 'forecast' ? ['reach'] : [])];
      if (name)
        this.fail(
          name.start,
          'rule.argument',
          `${this.node.name.text} has no ${name.text}`,
          suggestion(name.text, known),
        );
    }
  }

  #number(arg: ArgumentNode, name: string): number {
    const { unit, min, max } = this.#spec.params[name];
    const quantity =
      arg.value.kind === 'atom' && arg.value.atom.kind === 'quantity' ? parseQuantity(arg.value.atom.text) : null;
    const right = quantity && (quantity.unit === unit || (unit === 'none' && quantity.unit === 'ratio'));
    if (!quantity || !right) {
      this.fail(
        startOf(arg.value),
        'rule.argument',
        `${name} is ${unit === 'time' ? 'a time such as 6h' : 'a number'}`,
      );
      return Number.NaN;
    }
    if (quantity.value < min || quantity.value > max)
      this.fail(startOf(arg.value), 'rule.argument', `${name} is out of range`);
    return quantity.value;
  }

  #word(arg: ArgumentNode, words: readonly string[]): string {
    const text = arg.value.kind === 'atom' ? arg.value.atom.text : '';
    if (!words.includes(text))
      this.fail(startOf(arg.value), 'rule.argument', `one of ${words.join(', ')}`, suggestion(text, words));
    return text;
  }

  /** `1d+1w` is a list of two times. */
  #list(arg: ArgumentNode, name: string): number[] {
    if (arg.value.kind !== 'binary') return [this.#number(arg, name)];
    const parts = [arg.value.left, arg.value.right].flatMap((value) => this.#list({ name: null, value }, name));
    return [...new Set(parts)].sort((a, b) => a - b);
  }

  /** What stands in the brackets besides numbers: fields to tell apart, and what is added up. */
  fields(): { of: KeyPart[]; summand: Summand } {
    const { of: wantsOf, summand: fallback } = this.#spec;
    const atoms = this.positional.map((arg) => this.#atom(arg)).filter((atom) => atom !== null);
    let summand: Summand = fallback ?? 'packets';
    if (fallback !== undefined && (!wantsOf || atoms.length > 1) && isSummand(atoms.at(-1)))
      summand = (atoms.pop() as Atom).text;
    else if (!wantsOf && (atoms.length > 0 || fallback === null)) this.#badSummand(atoms[0]);
    if (!wantsOf && atoms.length > 0 && this.ok) this.fail(atoms[0].start, 'rule.argument', 'one argument is enough');
    const of = (this.ok ? atoms : []).map((atom) => this.#key(atom)).filter((part) => part !== null);
    if (wantsOf === 'some' && atoms.length === 0)
      this.fail(this.node.end - 1, 'rule.argument', `${this.node.name.text} needs a field`);
    return { of, summand };
  }

  none(): void {
    if (this.positional.length > 1) this.fail(startOf(this.positional[1].value), 'rule.argument', 'name this argument');
  }

  #badSummand(atom: Atom | undefined): void {
    const names = ['flows', 'rows', ...Object.keys(FIELDS).filter((name) => FIELDS[name].type === 'number')];
    const message = atom ? `'${atom.text}' cannot be added up` : `${this.node.name.text} needs what to add up`;
    this.fail(atom?.start ?? this.node.end - 1, 'rule.unknown_field', message, suggestion(atom?.text ?? '', names));
  }

  #atom(arg: ArgumentNode): Atom | null {
    if (arg.value.kind === 'atom' && ['word', 'key'].includes(arg.value.atom.kind)) return arg.value.atom;
    this.fail(startOf(arg.value), 'rule.argument', 'a field is wanted here');
    return null;
  }

  #key(atom: Atom): KeyPart | null {
    const part = compileKey(atom, this.text, { use: 'values' });
    if (!part) this.ok = false;
    return part;
  }
}

/** A number that can be added up, and no name such as a port. */
function isAmount(name: string): boolean {
  const field = own(FIELDS, name);
  return field?.type === 'number' && !field.key;
}

function isSummand(atom: Atom | undefined): boolean {
  if (!atom) return false;
  return atom.text === 'flows' || atom.text === 'rows' || isAmount(atom.text);
}

/** Evidence of an alert: `topk(10, src.ip, packets)`, `flows(20)`. */
export function readTopk(call: CallNode, text: Text): { k: number; of: KeyPart[]; summand: Summand } | null {
  const reader = new CallReader(call, FUNCTIONS.topk, text);
  const { k } = reader.numbers();
  const fields = reader.fields();
  return reader.ok ? { k, ...fields } : null;
}
