import { HAS_IP, HAS_PORTS, IS_ARP } from '../model/flow-batch.ts';
import type { Predicate } from '../model/plan.ts';
import { CHUNK, type Chunk } from './chunk.ts';
import { type Lookups, predicateCode } from './predicate-code.ts';

/** Conditions a dispatcher tells apart in one word of bits. */
const WORD = 32;
/** Candidate rows that a condition has room for. */
export const CANDIDATES = 2 * CHUNK;
const PORTS = 1 << 16;
const FLAGS = 256;
/** Tables of so many entries are split in two, so that they stay in the cache. */
const LARGE = 4096;
const MOST_CLASSES = 256;
/** Bits of `meta` that conditions look at, `FIRST` to `OPENED_BY_DESTINATION`, and the direction above them. */
const META_SHIFT = 4;
const META_BITS = 11;

/** A property of rows by which many conditions can be ruled out at once with one look into a table. */
interface Property {
  fields: readonly string[];
  /** How many, or how they follow from the net lists. */
  entries: number | ((lookups: Lookups) => number);
  /** Sets up the one row of `Probe` so that it shows entry `e`. */
  show(probe: Probe, e: number, lookups: Lookups): void;
}

/** One slice with its two rows, over which a condition's own code is tried out. */
class Probe {
  readonly meta = new Int32Array(1);
  readonly proto = new Uint8Array(1);
  readonly port = new Int32Array(2);
  readonly flags = new Int32Array(2);
  readonly nets: Int32Array;
  row = 0;

  constructor(netWords: number) {
    this.nets = new Int32Array(2 * netWords);
  }
}

const PROPERTIES: Readonly<Record<string, Property>> = {
  proto: {
    fields: ['proto'],
    entries: 257,
    show: (probe, e) => {
      probe.meta[0] = e < 256 ? HAS_IP : 0;
      probe.proto[0] = e;
    },
  },
  sourcePort: { fields: ['src.port'], entries: PORTS + 1, show: (probe, e) => showPort(probe, 0, e) },
  destinationPort: { fields: ['dst.port'], entries: PORTS + 1, show: (probe, e) => showPort(probe, 1, e) },
  flags: {
    fields: ['flags'],
    entries: FLAGS + 1,
    show: (probe, e) => {
      probe.proto[0] = e < FLAGS ? 6 : 17;
      probe.flags[0] = e % FLAGS;
    },
  },
  meta: {
    fields: ['first', 'initiator', 'established', 'unasked', 'biflow', 'arp', 'icmp_error', 'ipv6'],
    entries: 2 << META_BITS,
    show: (probe, e) => {
      probe.meta[0] = (e & ((1 << META_BITS) - 1)) << META_SHIFT;
      probe.row = e >> META_BITS;
    },
  },
  sourceNets: { fields: ['src.ip'], entries: intervals, show: (probe, e, lookups) => showNets(probe, 0, e, lookups) },
  destinationNets: {
    fields: ['dst.ip'],
    entries: intervals,
    show: (probe, e, lookups) => showNets(probe, 1, e, lookups),
  },
};

function showPort(probe: Probe, side: number, e: number): void {
  probe.meta[0] = e < PORTS ? HAS_PORTS : 0;
  probe.port[side] = e;
}

/** One more for rows without addresses. */
function intervals({ masks }: Lookups): number {
  return masks.intervals + 1;
}

function showNets(probe: Probe, side: number, e: number, { masks }: Lookups): void {
  probe.meta[0] = e < masks.intervals ? HAS_IP : 0;
  if (e < masks.intervals) masks.copyMask(e, probe.nets, side * masks.words);
}

/**
 * Tells for each row which conditions can hold at all, by tables over single properties (protocol, ports, flags, nets, kind
 * of flow) whose bits are joined by AND, as bit-vector packet classifiers do (Lakshman and Stiliadis 1998). A condition
 * then looks at its own candidates only, and at what the tables cannot tell (`undecided`).
 */
export class Dispatcher {
  /** Candidate rows of the condition at place `c` begin at `c * CANDIDATES`. */
  readonly candidates: Int32Array;
  readonly counts: Int32Array;
  /** The place of each condition; -1 when the tables tell nothing of it, so that every row is a candidate. */
  readonly places: readonly number[];
  readonly #passes: (() => void)[] = [];

  constructor(conditions: readonly Predicate[], lookups: Lookups, chunk: Chunk) {
    const told = conditions.filter(isTold);
    this.places = conditions.map((condition) => told.indexOf(condition));
    this.candidates = new Int32Array(CANDIDATES * told.length);
    this.counts = new Int32Array(told.length);
    for (let from = 0; from < told.length; from += WORD) {
      const tables = tablesOf(told.slice(from, from + WORD), lookups);
      this.#passes.push(generatePass(tables, from, lookups.masks.intervals, chunk, this.candidates, this.counts));
    }
  }

  /** Sorts the chunk's rows to the conditions they may satisfy. */
  sort(): void {
    this.counts.fill(0);
    for (const pass of this.#passes) pass();
  }
}

function tablesOf(conditions: readonly Predicate[], lookups: Lookups): Record<string, Int32Array> {
  const tables: Record<string, Int32Array> = {};
  for (const [name, property] of Object.entries(PROPERTIES)) {
    const { entries } = property;
    const table = new Int32Array(typeof entries === 'number' ? entries : entries(lookups)).fill(-1);
    let telling = false;
    conditions.forEach((condition, bit) => {
      for (const part of conjuncts(condition)) {
        if (!isAbout(part, property.fields)) continue;
        telling = true;
        ruleOut(table, bit, property, part, lookups);
      }
    });
    if (telling) tables[name] = table;
  }
  return tables;
}

/** What is left of a condition when the tables have ruled out what they can. */
export function undecided(condition: Predicate): Predicate {
  const known = (part: Predicate): boolean => part.op === 'true' || isKnown(part);
  return { op: 'and', args: conjuncts(condition).filter((part) => !known(part)) };
}

function isKnown(part: Predicate): boolean {
  return Object.values(PROPERTIES).some(({ fields }) => isAbout(part, fields));
}

function isTold(condition: Predicate): boolean {
  return conjuncts(condition).some(isKnown);
}

/** Fields without which a condition cannot hold. */
export function neededFields(condition: Predicate): string[] {
  return conjuncts(condition).flatMap((part) => ('field' in part ? [part.field] : []));
}

/** A large table as bytes that say which of a few values an entry has; null when it has many. */
function classesOf(table: Int32Array): { classes: Uint8Array; values: Int32Array } | null {
  if (table.length < LARGE) return null;
  const numbers = new Map<number, number>();
  const classes = new Uint8Array(table.length);
  for (let e = 0; e < table.length; e++) {
    const known = numbers.get(table[e]) ?? numbers.size;
    if (known >= MOST_CLASSES) return null;
    numbers.set(table[e], known);
    classes[e] = known;
  }
  const values = new Int32Array(MOST_CLASSES);
  for (const [value, number] of numbers) values[number] = value;
  return { classes, values };
}

function conjuncts(predicate: Predicate): Predicate[] {
  return predicate.op === 'and' ? predicate.args.flatMap(conjuncts) : [predicate];
}

/** True when the predicate looks at nothing but these fields, in a way that the tables can show. */
function isAbout(predicate: Predicate, fields: readonly string[]): boolean {
  switch (predicate.op) {
    case 'true':
    case 'text':
    case 'mac':
      return false;
    case 'and':
    case 'or':
      return predicate.args.length > 0 && predicate.args.every((arg) => isAbout(arg, fields));
    case 'not':
      return isAbout(predicate.arg, fields);
    case 'flags':
      return fields.includes(predicate.field) && predicate.mask < FLAGS;
    default:
      return fields.includes(predicate.field);
  }
}

/** Takes the condition's bit out of every entry under which its part cannot hold. */
function ruleOut(table: Int32Array, bit: number, property: Property, part: Predicate, lookups: Lookups): void {
  const probe = new Probe(lookups.masks.words);
  const scope: Record<string, unknown> = {
    meta: probe.meta,
    proto: probe.proto,
    port: probe.port,
    flags: probe.flags,
    nets: probe.nets,
    NET_WORDS: lookups.masks.words,
    sets: lookups.sets,
  };
  const code = predicateCode(part, lookups);
  lookups.tables.forEach((known, t) => {
    scope[`table${t}`] = known;
  });
  const test = new Function(...Object.keys(scope), `'use strict';return (r)=>{const i=0;return ${code};};`);
  const holds = test(...Object.values(scope)) as (row: number) => boolean;
  // Between two numbers that the condition names, a port's answer does not change.
  const steps = property.entries === PORTS + 1 ? turningPoints(part) : null;
  let held = true;
  for (let e = 0; e < table.length; e++) {
    if (steps === null || steps.has(e)) {
      property.show(probe, e, lookups);
      held = holds(probe.row);
    }
    if (!held) table[e] &= ~(1 << bit);
  }
}

function turningPoints(predicate: Predicate, points: Set<number> = new Set([0, PORTS])): Set<number> {
  const add = (value: number): void => {
    points.add(Math.ceil(value)).add(Math.floor(value) + 1);
  };
  if (predicate.op === 'and' || predicate.op === 'or') for (const arg of predicate.args) turningPoints(arg, points);
  else if (predicate.op === 'not') turningPoints(predicate.arg, points);
  else if (predicate.op === 'compare') add(predicate.value);
  else if (predicate.op === 'in') for (const value of [...predicate.values, ...predicate.ranges.flat()]) add(value);
  return points;
}

const INDEX: Readonly<Record<string, string>> = {
  proto: `(meta[i]&${HAS_IP})!==0?proto[i]:256`,
  sourcePort: `(meta[i]&${HAS_PORTS})!==0?port[r]:${PORTS}`,
  destinationPort: `(meta[i]&${HAS_PORTS})!==0?port[r^1]:${PORTS}`,
  flags: `proto[i]===6?flags[r]&${FLAGS - 1}:${FLAGS}`,
  meta: `(meta[i]>>${META_SHIFT}&${(1 << META_BITS) - 1})|(r&1)<<${META_BITS}`,
  sourceNets: `(meta[i]&${HAS_IP | IS_ARP})!==0?interval[r]:NOWHERE`,
  destinationNets: `(meta[i]&${HAS_IP | IS_ARP})!==0?interval[r^1]:NOWHERE`,
};

function generatePass(
  tables: Record<string, Int32Array>,
  from: number,
  nowhere: number,
  chunk: Chunk,
  candidates: Int32Array,
  counts: Int32Array,
): () => void {
  const names = Object.keys(tables);
  const split = new Map(names.map((name) => [name, classesOf(tables[name])]));
  const look = (name: string): string => (split.get(name) ? `C_${name}[${INDEX[name]}]` : INDEX[name]);
  const join = names.map((name) => `&T_${name}[${look(name)}]`).join('');
  const give = `const c=${from + WORD - 1}-Math.clz32(m)|0;m^=1<<c-${from};OUT[Math.imul(c,${CANDIDATES})+N[c]]=r;N[c]++;`;
  const limit = counts.length - from >= WORD ? -1 : (1 << (counts.length - from)) - 1;
  const text = `'use strict';return ()=>{const n=chunk.length;for(let q=0;q<n;q=q+1|0){const r=rows[q],i=r>>1;let m=${limit}${join};while(m!==0){${give}}}};`;
  const { rows, meta, proto, port, flags, interval } = chunk;
  const scope = { chunk, rows, meta, proto, port, flags, interval, NOWHERE: nowhere, OUT: candidates, N: counts };
  const all: Record<string, unknown> = { ...scope };
  for (const [name, parts] of split) {
    all[`T_${name}`] = parts?.values ?? tables[name];
    if (parts) all[`C_${name}`] = parts.classes;
  }
  return new Function(...Object.keys(all), text)(...Object.values(all)) as () => void;
}
