import type { Text } from '../core/source-file.ts';
import { parseQuantity } from '../core/units.ts';
import { formatPrefix, type Prefix, parsePrefix } from '../model/address.ts';
import { FIELDS, FLAG_LETTERS, PROTOCOLS } from '../model/field.ts';
import type { Comparison, Predicate } from '../model/plan.ts';
import type { Atom, TermNode } from './ast.ts';
import { allNames, kindOfName, type Scope } from './scope.ts';
import { portNumber, protocolNumbers, SERVICE_NAMES } from './selector.ts';
import { not, TRUE } from './simplify.ts';
import { suggestion } from './suggest.ts';
import { unitHint } from './unit-hint.ts';

/** What a term says, ready for a field: the operator, and the operand words and values that follow it. */
export interface Operand {
  cmp: Comparison | 'in' | null;
  negated: boolean;
  /** A test of texts: `endswith` and its like. */
  word: Atom | null;
  values: TermNode['values'];
  /** Where the whole term begins. */
  at: number;
  text: Text;
  scope: Scope;
}

type Of<Op extends Predicate['op']> = Extract<Predicate, { op: Op }>;

/** `src net $home`, `host 192.0.2.7`, `dst ip in (10.0.0.0/8, 2001:db8::/32)`, `src.ip != 192.0.2.7`. */
export function addressTest(field: string, operand: Operand): Predicate {
  if (!needsValues(field, operand, 'an address')) return TRUE;
  if (!['in', '==', '!=', null].includes(operand.cmp)) return wrongComparison(field, operand);
  if (isFeed(operand)) return { op: 'net', field, nets: feedOf(operand) };
  const nets: Prefix[] = [];
  for (const { from } of operand.values) {
    if (from.kind === 'variable') nets.push(...(lookup(from, operand, 'net', operand.scope.nets) ?? []));
    else {
      const prefix = parsePrefix(from.text);
      if (prefix) nets.push(prefix);
      else operand.text.report(from.start, 'rule.address', `'${from.text}' is no address and no net`);
    }
    if (from.kind === 'address') warnHostBits(from, operand);
  }
  const test: Predicate = { op: 'net', field, nets };
  return operand.cmp === '!=' ? not(test) : test;
}

/** `src ip in feed NAME`. */
function isFeed({ cmp, values }: Operand): boolean {
  return cmp === 'in' && values.length === 2 && values[0].from.kind === 'word' && values[0].from.text === 'feed';
}

function feedOf({ values, text, scope }: Operand): Prefix[] {
  const { from } = values[1];
  const nets = scope.feeds.get(from.text);
  if (nets) return [...nets];
  text.report(
    from.start,
    'rule.unknown_name',
    `there is no feed ${from.text}`,
    suggestion(from.text, scope.feeds.keys()),
  );
  return [];
}

function warnHostBits(atom: Atom, operand: Operand): void {
  const prefix = atom.text.includes('/') ? parsePrefix(atom.text) : null;
  const whole = prefix && parsePrefix(atom.text.slice(0, atom.text.indexOf('/')));
  if (!prefix || !whole || whole.words.every((word, i) => word === prefix.words[i])) return;
  const message = `${atom.text} has bits beyond its prefix length`;
  operand.text.report(atom.start, 'rule.host_bits', message, `did you mean ${formatPrefix(prefix)}?`, 'warning');
}

/** Ports, protocols, interfaces and every other number: `port 53`, `bytes > 20k`, `vlan in (7, 10-20)`. */
export function numberTest(field: string, operand: Operand): Predicate {
  if (!needsValues(field, operand, 'a number')) return TRUE;
  const { cmp } = operand;
  if (cmp !== null && cmp !== 'in' && cmp !== '==' && cmp !== '!=') {
    const value = quantityOf(field, operand.values[0].from, operand);
    if (operand.values[0].to) wrongComparison(field, operand);
    return { op: 'compare', field, cmp, value };
  }
  const test: Of<'in'> = { op: 'in', field, values: [], ranges: [] };
  for (const value of operand.values) addNumbers(test, value, operand);
  test.values = [...new Set(test.values)].sort((a, b) => a - b);
  return cmp === '!=' ? not(test) : test;
}

function addNumbers(test: Of<'in'>, { from, to }: Operand['values'][number], operand: Operand): void {
  if (from.kind === 'variable') {
    const set = lookup(from, operand, 'port list', operand.scope.ports);
    if (set) test.values.push(...set.values);
    if (set) test.ranges.push(...set.ranges);
    return;
  }
  const numbers = numbersOf(test.field, from, operand);
  if (to === null) {
    test.values.push(...numbers);
    return;
  }
  const [end] = numbersOf(test.field, to, operand);
  if (numbers[0] > end) operand.text.report(from.start, 'rule.range', `${from.text}-${to.text} is an empty range`);
  test.ranges.push([numbers[0], end]);
}

/** The numbers a literal stands for: a protocol or service by name, an interface group, a plain number. */
function numbersOf(field: string, atom: Atom, operand: Operand): number[] {
  const report = (message: string, names: Iterable<string>) => {
    operand.text.report(atom.start, 'rule.value', message, suggestion(atom.text, names));
    return [0];
  };
  if (field === 'proto')
    return protocolNumbers(atom.text) ?? report(`'${atom.text}' is no IP protocol`, Object.keys(PROTOCOLS));
  if (field.endsWith('.port')) {
    const port = portNumber(atom.text);
    return Number.isNaN(port) ? report(`'${atom.text}' is no port (0-65535)`, SERVICE_NAMES) : [port];
  }
  if (field.endsWith('_if') && atom.kind === 'word') {
    const group = operand.scope.interfaces.get(atom.text);
    return group ? [...group] : report(`'${atom.text}' is no group of interfaces`, operand.scope.interfaces.keys());
  }
  return [quantityOf(field, atom, operand)];
}

function quantityOf(field: string, atom: Atom, operand: Operand): number {
  if (field.endsWith('.port') || field === 'proto') return numbersOf(field, { ...atom }, operand)[0];
  const quantity = atom.kind === 'quantity' ? parseQuantity(atom.text) : null;
  const { unit } = FIELDS[field];
  if (!quantity) {
    operand.text.report(atom.start, 'rule.value', `${field} is compared with a number, not '${atom.text}'`);
    return 0;
  }
  const plain = quantity.unit === 'none' && unit !== 'time';
  if (plain || quantity.unit === unit) return quantity.value;
  const is = unit === 'none' ? 'a plain number' : `in ${unit}`;
  operand.text.report(
    atom.start,
    'rule.unit',
    `${field} is ${is}, ${atom.text} is in ${quantity.unit}`,
    unitHint(atom.text, unit),
  );
  return 0;
}

/** `flags S` (S is on), `flags SA` (both are), `flags = S` (S and nothing else), `flags none`. */
export function flagsTest(field: string, operand: Operand): Predicate {
  if (!needsValues(field, operand, `letters of ${FLAG_LETTERS}`)) return TRUE;
  const exact = operand.cmp === '==' || operand.cmp === '!=';
  if (operand.cmp !== null && !exact) return wrongComparison(field, operand);
  const { from } = operand.values[0];
  const bits = flagBits(from.text);
  if (Number.isNaN(bits)) {
    const hint = `letters of ${FLAG_LETTERS}, or none`;
    operand.text.report(from.start, 'rule.flags', `'${from.text}' are no TCP flags`, hint);
    return TRUE;
  }
  const test: Predicate = { op: 'flags', field, mask: exact || bits === 0 ? 0xff : bits, value: bits };
  return operand.cmp === '!=' ? not(test) : test;
}

/** Flag letters as bits; NaN when a letter is none. */
export function flagBits(text: string): number {
  if (text === 'none' || text === '0') return 0;
  let bits = 0;
  for (const letter of text) {
    const at = FLAG_LETTERS.indexOf(letter);
    if (at < 0) return Number.NaN;
    bits |= 1 << at;
  }
  return bits;
}

const TEXT_TESTS: Readonly<Record<string, Of<'text'>['test']>> = {
  is: 'equals',
  startswith: 'prefix',
  endswith: 'suffix',
  contains: 'contains',
};

/** `dns name "example.net"`, `dns name endswith ".example.net"`, `exporter 192.0.2.1`. Letter case never counts. */
export function textTest(field: string, operand: Operand): Predicate {
  if (!needsValues(field, operand, 'a text')) return TRUE;
  if (!['in', '==', '!=', null].includes(operand.cmp)) return wrongComparison(field, operand);
  const word = operand.word;
  if (word && !Object.hasOwn(TEXT_TESTS, word.text)) {
    const hint = suggestion(word.text, Object.keys(TEXT_TESTS));
    operand.text.report(word.start, 'rule.syntax', `'${word.text}' is no test of a text`, hint);
    return TRUE;
  }
  const values = operand.values.map(({ from }) => from.text.toLowerCase());
  const test: Predicate = { op: 'text', field, test: word ? TEXT_TESTS[word.text] : 'equals', values };
  return operand.cmp === '!=' ? not(test) : test;
}

export function macTest(field: string, operand: Operand): Predicate {
  if (!needsValues(field, operand, 'a MAC address')) return TRUE;
  if (!['in', '==', '!=', null].includes(operand.cmp)) return wrongComparison(field, operand);
  const values = operand.values.map(({ from }) => {
    if (from.kind !== 'mac') operand.text.report(from.start, 'rule.value', `'${from.text}' is no MAC address`);
    return Number.parseInt(from.text.replaceAll(':', ''), 16);
  });
  const test: Predicate = { op: 'mac', field, values };
  return operand.cmp === '!=' ? not(test) : test;
}

function needsValues(field: string, operand: Operand, what: string): boolean {
  if (operand.values.length > 0) return true;
  operand.text.report(operand.at, 'rule.syntax', `${field} needs ${what} to compare with`);
  return false;
}

function wrongComparison(field: string, operand: Operand): Predicate {
  operand.text.report(operand.at, 'rule.type', `${field} cannot be compared with '${operand.cmp}'`);
  return TRUE;
}

function lookup<T>(atom: Atom, operand: Operand, wanted: string, table: ReadonlyMap<string, T>): T | null {
  const name = atom.text.slice(1);
  const found = table.get(name);
  if (found !== undefined) return found;
  const kind = kindOfName(operand.scope, name);
  const message = kind ? `${atom.text} is a ${kind}, not a ${wanted}` : `there is no ${wanted} ${atom.text}`;
  operand.text.report(
    atom.start,
    'rule.unknown_name',
    message,
    kind ? undefined : suggestion(atom.text, allNames(operand.scope)),
  );
  return null;
}
