import { formatAddress, inPrefix, isMapped, maskAddress, parseAddress } from '../../src/model/address.ts';
import type { AggregateMeasure, KeyPart, Predicate, RulePlan } from '../../src/model/plan.ts';
import { type Row, rowsOf, type Slice } from './rows.ts';

/**
 * The oracle: every row is kept, every window is computed from all its rows, with strings, maps and closures. It shares
 * nothing with the engine but the plan and the addresses' text.
 */
export function naive(rule: RulePlan, slices: readonly Slice[]): Map<string, Record<string, number>> {
  const rows = slices.flatMap(rowsOf).filter((row) => holds(rule.match, row) && keyOf(rule.by, row) !== null);
  const answers = new Map<string, Record<string, number>>();
  if (rows.length === 0) return answers;
  const { sizeUs, slideUs } = rule.window;
  const pieces = rows.flatMap((row) => spread(row, gcd(sizeUs, slideUs)));
  const earliest = Math.min(...pieces.map((row) => row.startUs));
  const latest = Math.max(...pieces.map((row) => row.startUs));
  for (let endUs = Math.floor(earliest / slideUs) * slideUs; endUs - sizeUs <= latest; endUs += slideUs) {
    const inside = pieces.filter((row) => row.startUs >= endUs - sizeUs && row.startUs < endUs);
    for (const [key, own] of groupBy(inside, (row) => keyOf(rule.by, row) as string)) {
      const values: Record<string, number> = { samples: sum(own, (row) => row.samples) };
      for (const measure of rule.measures) {
        if (measure.kind === 'aggregate') {
          const before = pieces.filter((row) => row.startUs < endUs && keyOf(rule.by, row) === key);
          values[measure.name] = aggregate(measure, own, sizeUs / 1e6, before, endUs);
        }
      }
      answers.set(`${endUs} ${key}`, values);
    }
  }
  return answers;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** A long row, cut at the borders of panes; whole numbers that add up. */
function spread(row: Row, paneUs: number): Row[] {
  if (!row.long) return [row];
  const pieces: Row[] = [];
  const lasted = row.endUs - row.startUs;
  for (let pane = Math.floor(row.startUs / paneUs); pane * paneUs <= row.endUs; pane++) {
    const from = Math.max(row.startUs, pane * paneUs);
    const to = Math.min(row.endUs, (pane + 1) * paneUs);
    const cut = (total: number) =>
      Math.round((total * (to - row.startUs)) / lasted) - Math.round((total * (from - row.startUs)) / lasted);
    const isFirst = from === row.startUs;
    const packets = cut(row.packets);
    if (packets === 0 && !isFirst) continue;
    const bytes = cut(row.bytes);
    const samples = row.samples === row.packets ? packets : Math.round(packets / (row.packets / row.samples));
    const reverse = (name: string) => {
      const total = row.fields[name];
      return typeof total === 'number' ? cut(total) : undefined;
    };
    const others = { 'reverse.packets': reverse('reverse.packets'), 'reverse.bytes': reverse('reverse.bytes') };
    const fields = {
      ...row.fields,
      ...others,
      packets,
      bytes,
      bits: 8 * bytes,
      bpp: packets > 0 ? bytes / packets : undefined,
    };
    const first = isFirst ? row.fields['first'] : 0;
    const flows = isFirst ? row.flows : 0;
    pieces.push({ ...row, startUs: from, packets, bytes, samples, flows, fields: { ...fields, first } });
  }
  return pieces;
}

function groupBy(rows: readonly Row[], key: (row: Row) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) groups.set(key(row), [...(groups.get(key(row)) ?? []), row]);
  return groups;
}

function part({ field, prefix }: KeyPart, row: Row): string | null {
  const value = row.fields[field];
  if (value === undefined) return null;
  if (!field.endsWith('.ip')) return String(typeof value === 'number' ? Math.floor(value) : value);
  const words = new Int32Array(4);
  parseAddress(String(value), words);
  const v4 = isMapped(words, 0);
  const bits = prefix === null ? 128 : v4 ? prefix.ipv4 + 96 : prefix.ipv6;
  maskAddress(words, 0, bits);
  const whole = bits === 128;
  return whole ? formatAddress(words) : `${formatAddress(words)}/${v4 ? bits - 96 : bits}`;
}

export function keyOf(by: readonly KeyPart[], row: Row): string | null {
  const parts = by.map((each) => part(each, row));
  return parts.includes(null) ? null : by.map(({ field }, i) => `${field}=${parts[i]}`).join(',');
}

export function holds(p: Predicate, row: Row): boolean {
  switch (p.op) {
    case 'true':
      return true;
    case 'and':
      return p.args.every((arg) => holds(arg, row));
    case 'or':
      return p.args.some((arg) => holds(arg, row));
    case 'not':
      return !holds(p.arg, row);
    case 'net': {
      const words = new Int32Array(4);
      const value = row.fields[p.field];
      return value !== undefined && parseAddress(String(value), words) && p.nets.some((net) => inPrefix(net, words, 0));
    }
    case 'in': {
      const value = row.fields[p.field];
      if (typeof value !== 'number') return false;
      return p.values.includes(value) || p.ranges.some(([from, to]) => value >= from && value <= to);
    }
    case 'compare': {
      const value = row.fields[p.field];
      if (typeof value !== 'number') return false;
      const tests = { '>': value > p.value, '>=': value >= p.value, '<': value < p.value, '<=': value <= p.value };
      return p.cmp === '==' ? value === p.value : p.cmp === '!=' ? value !== p.value : tests[p.cmp];
    }
    case 'flags': {
      const value = row.fields[p.field];
      return typeof value === 'number' && (value & p.mask) === p.value;
    }
    case 'is':
      return row.fields[p.field] !== 0 && row.fields[p.field] !== undefined;
    case 'text': {
      const value = row.fields[p.field];
      if (typeof value !== 'string') return false;
      if (p.test === 'equals') return p.values.includes(value);
      if (p.test === 'contains') return p.values.some((text) => value.includes(text));
      return p.values.some((text) => (p.test === 'prefix' ? value.startsWith(text) : value.endsWith(text)));
    }
    case 'mac':
      return false;
  }
}

function amount(summand: string, row: Row): number | undefined {
  if (summand === 'rows') return 1;
  if (summand === 'flows') return row.flows;
  const value = row.fields[summand];
  return typeof value === 'number' ? (summand === 'bpp' ? Math.round(1024 * value) / 1024 : value) : undefined;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

function tuple(of: readonly KeyPart[], row: Row): string | null {
  const parts = of.map((each) => part(each, row));
  return parts.includes(null) ? null : parts.join(' ');
}

function aggregate(
  m: AggregateMeasure,
  rows: readonly Row[],
  seconds: number,
  before: readonly Row[],
  endUs: number,
): number {
  const chosen = rows.filter((row) => holds(m.where, row));
  const amounts = chosen.map((row) => amount(m.summand, row)).filter((value) => value !== undefined);
  const exact = chosen.map((row) => row.fields[m.summand]).filter((value) => typeof value === 'number');
  const total = sum(amounts, (value) => value);
  switch (m.fn) {
    case 'sum':
      return total;
    case 'rate':
      return total / seconds;
    case 'count':
      return m.summand === 'flows' ? total : amounts.length;
    case 'avg':
      return amounts.length > 0 ? total / amounts.length : Number.NaN;
    case 'min':
      return exact.length > 0 ? Math.min(...exact) : Number.NaN;
    case 'max':
      return exact.length > 0 ? Math.max(...exact) : Number.NaN;
    case 'share': {
      const whole = sum(rows, (row) => amount(m.summand, row) ?? 0);
      return whole > 0 ? total / whole : Number.NaN;
    }
    case 'distinct':
      return new Set(chosen.map((row) => tuple(m.of, row)).filter((text) => text !== null)).size;
    case 'entropy':
    case 'topk':
      return weighted(m, chosen);
    case 'quantile':
      return quantile(exact, m.params['q']);
    case 'scan':
      return walk(m, rows, before);
    case 'first_seen':
      return fresh(m, rows, before, endUs);
    case 'beacon':
      return Number.NaN;
  }
}

function weighted(m: AggregateMeasure, rows: readonly Row[]): number {
  const weights = new Map<string, number>();
  for (const row of rows) {
    const text = tuple(m.of, row);
    const weight = amount(m.summand, row);
    if (text !== null && weight !== undefined) weights.set(text, (weights.get(text) ?? 0) + weight);
  }
  const all = sum([...weights.values()], (weight) => weight);
  if (all === 0) return Number.NaN;
  const sorted = [...weights.values()].sort((a, b) => b - a);
  if (m.fn === 'topk') return sum(sorted.slice(0, m.params['k']), (weight) => weight) / all;
  const bits = sum(sorted, (weight) => (weight > 0 ? -(weight / all) * Math.log2(weight / all) : 0));
  if (m.params['normalised'] !== 1) return bits;
  return weights.size > 1 ? bits / Math.log2(weights.size) : 0;
}

/** The exact quantile: the engine's may be 1 % off. */
function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(q * (sorted.length - 1))];
}

const looseTuple = (of: readonly KeyPart[], row: Row): string => of.map((each) => part(each, row) ?? '0').join(' ');

interface Contact {
  row: Row;
  tuple: string;
  failed: boolean;
}

function contactsOf(m: AggregateMeasure, rows: readonly Row[]): Contact[] {
  const contacts: Contact[] = [];
  for (const row of rows) {
    const f = row.fields;
    const flags = Number(f['flags'] ?? 0);
    const reverse = Number(f['reverse.flags'] ?? 0);
    if (f['first'] !== 1 || f['unasked'] === 1 || !holds(m.where, row)) continue;
    if (f['biflow'] === 1 ? f['initiator'] !== 1 : f['proto'] === 6 && (flags & 18) !== 2) continue;
    const answered =
      f['proto'] === 6
        ? (reverse & 2) !== 0 || ((flags & 2) === 0 && (reverse & 20) === 16)
        : Number(f['reverse.packets']) > 0;
    contacts.push({ row, tuple: looseTuple(m.of, row), failed: !answered });
  }
  return contacts.sort((a, b) => a.row.startUs - b.row.startUs || Number(a.failed) - Number(b.failed));
}

function walk(m: AggregateMeasure, rows: readonly Row[], before: readonly Row[]): number {
  const { t0, t1, a, b, keep } = m.params;
  const seen = new Map<string, number>();
  const own = new Set(rows);
  let last = Number.NEGATIVE_INFINITY;
  let likelihood = 0;
  let now = false;
  for (const { row, tuple: text, failed } of contactsOf(m, before)) {
    const known = seen.get(text);
    seen.set(text, Math.max(row.startUs, known ?? 0));
    if (known !== undefined && row.startUs - known <= keep) continue;
    if (row.startUs - last > keep) likelihood = 0;
    last = row.startUs;
    likelihood += failed ? Math.log((1 - t1) / (1 - t0)) : Math.log(t1 / t0);
    if (likelihood <= Math.log((1 - b) / (1 - a))) likelihood = 0;
    if (own.has(row)) now = true;
  }
  return now ? Math.max(0, likelihood / Math.log((1 - t1) / (1 - t0))) : 0;
}

/** Without learning: the tests give `learn` 0. */
function fresh(m: AggregateMeasure, rows: readonly Row[], before: readonly Row[], _endUs: number): number {
  const own = new Set(rows);
  const seen = new Set<string>();
  let count = 0;
  for (const row of [...before].sort((a, b) => a.startUs - b.startUs)) {
    if (!holds(m.where, row) || part(m.of[0], row) === null) continue;
    const text = looseTuple(m.of, row);
    if (!seen.has(text) && own.has(row)) count++;
    seen.add(text);
  }
  return count;
}
