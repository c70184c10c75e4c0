import type { Predicate } from '../model/plan.ts';
import { addressColumn, fieldCode } from './field-code.ts';
import type { NetMasks } from './net-masks.ts';
import type { Texts } from './texts.ts';

const FEW = 4;
const TABLE = 1 << 16;

/** What generated code may look at besides columns: tables and tests by number. */
export class Lookups {
  readonly masks: NetMasks;
  readonly texts: Texts;
  readonly uses = new Set<string>();
  /** Number sets as byte tables where all values fit, else as functions. */
  readonly tables: Uint8Array[] = [];
  readonly sets: ((value: number) => boolean)[] = [];
  readonly #known = new Map<string, string>();

  constructor(masks: NetMasks, texts: Texts) {
    this.masks = masks;
    this.texts = texts;
  }

  field(name: string): { value: string; there: string | null } {
    const code = fieldCode(name);
    for (const column of code.uses) this.uses.add(column);
    return code;
  }

  /** Code that tests `value` for being in a set; `whole`: the value is an integer. */
  member(value: string, whole: boolean, values: number[], ranges: [number, number][]): string {
    if (values.length + ranges.length <= FEW) return few(value, values, ranges);
    const id = JSON.stringify([whole, values, ranges]);
    const known = this.#known.get(id) ?? this.#addSet(whole, values, ranges);
    this.#known.set(id, known);
    return known.replace('V', value);
  }

  #addSet(whole: boolean, values: number[], ranges: [number, number][]): string {
    if (!whole || [...values, ...ranges.flat()].some((v) => !(v >= 0 && v < TABLE))) {
      const set = new Set(values);
      this.sets.push((v) => set.has(v) || ranges.some(([from, to]) => v >= from && v <= to));
      return `sets[${this.sets.length - 1}](V)`;
    }
    const table = new Uint8Array(TABLE);
    for (const value of values) table[value] = 1;
    for (const [from, to] of ranges) table.fill(1, Math.ceil(from), Math.floor(to) + 1);
    this.tables.push(table);
    return `table${this.tables.length - 1}[V]===1`;
  }
}

function few(value: string, values: number[], ranges: [number, number][]): string {
  const tests = values.map((v) => `${value}===${number(v)}`);
  for (const [from, to] of ranges) tests.push(`(${value}>=${number(from)}&&${value}<=${number(to)})`);
  return tests.length === 0 ? 'false' : `(${tests.join('||')})`;
}

/** A number as source text; anything else is refused, so that nothing but numbers reaches generated code. */
export function number(value: number): string {
  if (typeof value !== 'number' || Number.isNaN(value)) throw new RangeError(`not a number in a rule plan: ${value}`);
  return value < 0 ? `(${value})` : String(value);
}

const COMPARISONS: Readonly<Record<string, string>> = {
  '>': '>',
  '>=': '>=',
  '<': '<',
  '<=': '<=',
  '==': '===',
  '!=': '!==',
};

/** A predicate as a JavaScript expression over row `r` of slice `i`. A field that is not there makes its test false. */
export function predicateCode(predicate: Predicate, lookups: Lookups): string {
  switch (predicate.op) {
    case 'true':
      return 'true';
    case 'and':
    case 'or':
      return joined(predicate.op, predicate.args, lookups);
    case 'not':
      return `!(${predicateCode(predicate.arg, lookups)})`;
    case 'net':
      return netCode(predicate.field, lookups.masks.bit(predicate.nets), lookups);
    case 'in': {
      const { value, there } = lookups.field(predicate.field);
      return guarded(there, lookups.member(value, predicate.field !== 'bpp', predicate.values, predicate.ranges));
    }
    case 'compare': {
      const { value, there } = lookups.field(predicate.field);
      if (!Object.hasOwn(COMPARISONS, predicate.cmp)) throw new RangeError(`no such comparison: ${predicate.cmp}`);
      return guarded(there, `${value}${COMPARISONS[predicate.cmp]}${number(predicate.value)}`);
    }
    default:
      return otherCode(predicate, lookups);
  }
}

type Other = Extract<Predicate, { op: 'flags' | 'is' | 'text' | 'mac' }>;

function otherCode(predicate: Other, lookups: Lookups): string {
  const { value, there } = lookups.field(predicate.field);
  switch (predicate.op) {
    case 'flags':
      // The flags decide most rows, so they are looked at before the protocol: exporters fill them in for others, too.
      return `((${value}&${number(predicate.mask)})===${number(predicate.value)}&&${there ?? 'true'})`;
    case 'is':
      return guarded(there, `${value}!==0`);
    case 'mac':
      return guarded(there, few(value, predicate.values, []));
    case 'text': {
      const test = lookups.texts.addTest(predicate.field, predicate.test, predicate.values);
      return guarded(there, `texts.test(${test},${value})`);
    }
  }
}

function joined(op: 'and' | 'or', args: Predicate[], lookups: Lookups): string {
  if (args.length === 0) return op === 'and' ? 'true' : 'false';
  const sign = op === 'and' ? '&&' : '||';
  return `(${args.map((arg) => predicateCode(arg, lookups)).join(sign)})`;
}

function netCode(field: string, bit: number, lookups: Lookups): string {
  const { value, there } = lookups.field(field);
  if (addressColumn(field) === 'outer') return guarded(there, `masks.has(outer,4*${value},${bit})`);
  return guarded(there, `(nets[${value}*NET_WORDS+${bit >> 5}]&${1 << (bit & 31)})!==0`);
}

export function guarded(there: string | null, test: string): string {
  return there === null ? `(${test})` : `(${there}&&${test})`;
}
