import { formatPrefix, type Prefix } from '../model/address.ts';
import { FIELDS, FLAG_LETTERS, protocolName } from '../model/field.ts';
import type { Predicate } from '../model/plan.ts';

/** A predicate as text that `parsePredicate` reads back to the same predicate. */
export function formatPredicate(predicate: Predicate): string {
  return format(predicate, 0);
}

/** `binding`: 0 or, 1 and, 2 not: what stands inside a stronger one is bracketed. */
function format(predicate: Predicate, binding: number): string {
  switch (predicate.op) {
    case 'true':
      return 'any';
    case 'and':
    case 'or': {
      const own = predicate.op === 'or' ? 0 : 1;
      const text = predicate.args.map((arg) => format(arg, own + 1)).join(` ${predicate.op} `);
      return own < binding ? `(${text})` : text;
    }
    case 'not':
      return `not ${format(predicate.arg, 2)}`;
    default:
      return formatTest(predicate);
  }
}

type Test = Exclude<Predicate, { op: 'true' | 'and' | 'or' | 'not' }>;

function formatTest(test: Test): string {
  const name = spoken(test.field);
  switch (test.op) {
    case 'is':
      return test.field;
    case 'net':
      return formatNets(name, test.nets);
    case 'in':
      return formatNumbers(name, test);
    case 'compare':
      return `${name} ${test.cmp} ${formatNumber(test.field, test.value)}`;
    case 'flags':
      return formatFlagTest(name, test.mask, test.value);
    case 'text':
      return formatTextTest(name, test);
    case 'mac':
      return `${name} ${list(test.values.map(formatMac))}`;
  }
}

const spoken = (field: string): string => field.replaceAll('.', ' ');

/** What follows the name: one item alone, several as a list. */
const list = (items: string[]): string => (items.length === 1 ? items[0] : `in (${items.join(', ')})`);

/** `dst ip 192.0.2.7`, `dst net 192.0.2.0/24`, `dst net in (...)`. */
function formatNets(name: string, nets: Prefix[]): string {
  const whole = nets.every(({ bits }) => bits === 128);
  const texts = nets.map(formatPrefix).map((text) => (whole ? text.slice(0, text.indexOf('/')) : text));
  return `${whole ? name : name.replace(/ip$/, 'net')} ${list(texts)}`;
}

function formatNumbers(name: string, test: Extract<Test, { op: 'in' }>): string {
  if (test.field === 'proto' && test.ranges.length === 0) {
    if (test.values.join() === '1,58') return 'icmp';
    if (test.values.length === 1) return `proto ${test.values[0] === 1 ? 'icmp4' : protocolName(test.values[0])}`;
    return `proto ${list(test.values.map((value) => (value === 1 ? 'icmp4' : protocolName(value))))}`;
  }
  const values = test.values.map((value) => formatNumber(test.field, value));
  const ranges = test.ranges.map(([from, to]) => `${formatNumber(test.field, from)}-${formatNumber(test.field, to)}`);
  return `${name} ${list([...values, ...ranges])}`;
}

const formatNumber = (field: string, value: number): string =>
  FIELDS[field]?.unit === 'time' ? `${value}us` : String(value);

/** One `flags` word per wish: what must be on together, what must be off one by one. */
function formatFlagTest(name: string, mask: number, value: number): string {
  if (mask === 0xff) return `${name} = ${letters(value) || 'none'}`;
  const on = value === 0 ? [] : [`${name} ${letters(value)}`];
  const off = [...letters(mask & ~value)].map((letter) => `not ${name} ${letter}`);
  const parts = [...on, ...off];
  return parts.length === 1 ? parts[0] : `(${parts.join(' and ')})`;
}

const letters = (bits: number): string => [...FLAG_LETTERS].filter((_, i) => bits & (1 << i)).join('');

function formatTextTest(name: string, test: Extract<Test, { op: 'text' }>): string {
  const quoted = test.values.map((value) => (value.includes('"') ? `'${value}'` : `"${value}"`));
  if (test.test === 'equals') return `${name} ${list(quoted)}`;
  const word = { prefix: 'startswith', suffix: 'endswith', contains: 'contains' }[test.test];
  return `${name} ${word} ${list(quoted)}`;
}

function formatMac(value: number): string {
  return (value.toString(16).padStart(12, '0').match(/../g) ?? []).join(':');
}
