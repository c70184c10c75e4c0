import type { Text } from '../core/source-file.ts';
import { FIELDS } from '../model/field.ts';
import type { Comparison, Predicate } from '../model/plan.ts';
import type { Atom, PredicateNode, TermNode } from './ast.ts';
import { addressTest, flagsTest, macTest, numberTest, type Operand, textTest } from './operand.ts';
import { own } from './own.ts';
import { allNames, kindOfName, type Scope } from './scope.ts';
import { BARE, findSelector, protocolNumbers, type Selector, selectorNames } from './selector.ts';
import { and, not, or, TRUE } from './simplify.ts';
import { suggestion } from './suggest.ts';

/** Turns the tree of a predicate into a checked one. Errors are reported and answered with `true`, to find them all. */
export class PredicateCompiler {
  readonly #scope: Scope;
  /** Macros being expanded, to catch one that names itself. */
  readonly #open: string[] = [];

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  compile(node: PredicateNode, text: Text): Predicate {
    switch (node.kind) {
      case 'and':
        return and(node.args.map((arg) => this.compile(arg, text)));
      case 'or':
        return or(node.args.map((arg) => this.compile(arg, text)));
      case 'not':
        return not(this.compile(node.arg, text));
      case 'macro':
        return this.#macro(node.name, text);
      default:
        return this.#term(node, text);
    }
  }

  /** Errors inside a macro are told where it is written, once, and not at each use. */
  #macro(name: Atom, text: Text): Predicate {
    const bare = name.text.slice(1);
    const macro = this.#scope.macros.get(bare);
    if (!macro) {
      const kind = kindOfName(this.#scope, bare);
      const hint = kind
        ? `${name.text} is a ${kind}: write ${kind === 'net' ? `dst net ${name.text}` : `dst port in ${name.text}`}`
        : suggestion(name.text, allNames(this.#scope));
      text.report(name.start, 'rule.unknown_name', `${name.text} is no macro`, hint);
      return TRUE;
    }
    if (this.#open.includes(bare)) {
      const round = [...this.#open.slice(this.#open.indexOf(bare)), bare].join(' -> ');
      macro.text.report(0, 'rule.macro_loop', `${round}: a macro cannot use itself`);
      return TRUE;
    }
    if (macro.tree === null) return TRUE;
    this.#open.push(bare);
    const result = this.compile(macro.tree, { value: macro.text.value, report: () => {} });
    this.#open.pop();
    return result;
  }

  #term(term: TermNode, text: Text): Predicate {
    const bare = term.words.length === 1 && term.op === null && term.values.length === 0;
    const word = term.words[0];
    if (bare) {
      const whole = bareWord(word.text);
      if (whole) return whole;
    }
    const protocol = portOfProtocol(term);
    if (protocol) return and([protocol.predicate, this.#term(protocol.rest, text)]);
    const selector = findSelector(term.words);
    if (!selector) {
      const hint = suggestion(word.text, selectorNames());
      text.report(word.start, 'rule.unknown_field', `'${word.text}' is no field`, hint);
      return TRUE;
    }
    return this.#field(selector, term, text);
  }

  #field(selector: Selector, term: TermNode, text: Text): Predicate {
    const operand = this.#operand(selector, term, text);
    if (!operand) return TRUE;
    const tests = selector.fields.map((field, i) => testOf(field, i === 0 ? operand : silenced(operand)));
    const result = or(tests);
    return operand.negated ? not(result) : result;
  }

  /** The words after the selector are the operand: a value, or a test of texts and then a value. */
  #operand(selector: Selector, term: TermNode, text: Text): Operand | null {
    const rest = term.words.slice(selector.words);
    const isText = FIELDS[selector.fields[0]].type === 'text';
    const word =
      isText && rest.length > 0 && (rest.length > 1 || term.values.length > 0) ? (rest.shift() ?? null) : null;
    const values = [...rest.map((from) => ({ from, to: null })), ...term.values];
    const at = term.words[0].start;
    if (rest.length > 0 && term.values.length + rest.length > 1) {
      const extra = rest.length > 1 ? rest[1] : term.values[0].from;
      text.report(extra.start, 'rule.syntax', `'${extra.text}' does not fit here; join conditions with and, or`);
      return null;
    }
    const cmp = term.op === null ? null : comparisonOf(term.op.text);
    return { cmp, negated: term.negated, word, values, at, text, scope: this.#scope };
  }
}

function comparisonOf(op: string): Comparison | 'in' {
  if (op === 'in' || op === 'within') return 'in';
  return op === '=' ? '==' : (op as Comparison);
}

/** A field that several sides have is tested on each, but an error in its operand is told once. */
function silenced(operand: Operand): Operand {
  return { ...operand, text: { value: operand.text.value, report: () => {} } };
}

function testOf(field: string, operand: Operand): Predicate {
  switch (FIELDS[field].type) {
    case 'ip':
      return addressTest(field, operand);
    case 'flags':
      return flagsTest(field, operand);
    case 'text':
      return textTest(field, operand);
    case 'mac':
      return macTest(field, operand);
    case 'bool':
      operand.text.report(operand.at, 'rule.type', `${field} is true or false: write '${field}' or 'not ${field}'`);
      return TRUE;
    default:
      return numberTest(field, operand);
  }
}

/** `tcp`, `established`, `ipv4`: a condition in one word. */
function bareWord(text: string): Predicate | null {
  if (text === 'any') return TRUE;
  const name = own(BARE, text) ?? text;
  if (own(FIELDS, name)?.type === 'bool') return { op: 'is', field: name };
  if (name === 'ipv4') return { op: 'net', field: 'src.ip', nets: [{ words: [0, 0, 0xffff, 0], bits: 96 }] };
  const numbers = /^\d/.test(name) ? null : protocolNumbers(name);
  return numbers && { op: 'in', field: 'proto', values: numbers, ranges: [] };
}

/** pcap-filter's `tcp port 80` is `tcp and port 80`. */
function portOfProtocol(term: TermNode): { predicate: Predicate; rest: TermNode } | null {
  const [first, second, third] = term.words;
  const next = second?.text === 'src' || second?.text === 'dst' ? third : second;
  if (next?.text !== 'port' || !['tcp', 'udp', 'sctp'].includes(first.text)) return null;
  const predicate = bareWord(first.text);
  return predicate && { predicate, rest: { ...term, words: term.words.slice(1) } };
}
