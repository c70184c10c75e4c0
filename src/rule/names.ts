import { dirname, sep } from 'node:path';
import type { Path, SourceFile } from '../core/source-file.ts';
import { parseQuantity, type Quantity, type Unit } from '../core/units.ts';
import { formatPrefix, type Prefix, parsePrefix } from '../model/address.ts';
import type { Threshold } from '../model/plan.ts';
import { readFeed } from './feed.ts';
import { isCommon } from './files.ts';
import { parse } from './parse.ts';
import { PredicateCompiler } from './predicate.ts';
import type { RawFile, RawThreshold } from './schema.ts';
import type { Macro, PortSet, Scope } from './scope.ts';
import { portNumber } from './selector.ts';

/** One rule file, read and in shape. */
export interface LoadedFile {
  source: SourceFile;
  raw: RawFile;
  /** Indices of rules that are not in shape. */
  broken: Set<number>;
}

/** What one file defines. */
export interface Definitions {
  nets: Map<string, Prefix[]>;
  ports: Map<string, PortSet>;
  interfaces: Map<string, number[]>;
  feeds: Map<string, Prefix[]>;
  macros: Map<string, Macro>;
  thresholds: Map<string, Threshold>;
}

export function readDefinitions({ source, raw }: LoadedFile): Definitions {
  const entries = <T>(record: Record<string, T> | undefined) => Object.entries(record ?? {});
  return {
    nets: new Map(entries(raw.nets).map(([name, list]) => [name, readNets(source, ['nets', name], list)])),
    ports: new Map(entries(raw.ports).map(([name, list]) => [name, readPorts(source, ['ports', name], list)])),
    interfaces: new Map(entries(raw.interfaces)),
    feeds: new Map(entries(raw.feeds).map(([name, file]) => [name, readFeed(source, ['feeds', name], file)])),
    macros: new Map(entries(raw.macros).map(([name]) => [name, readMacro(source, name)])),
    thresholds: new Map(
      entries(raw.thresholds).map(([name, value]) => [name, readThreshold(source, ['thresholds', name], value)]),
    ),
  };
}

function readNets(source: SourceFile, path: Path, list: string[]): Prefix[] {
  return list.flatMap((text, i) => {
    const prefix = parsePrefix(text);
    if (prefix) return [prefix];
    source.report([...path, i], 'rule.address', `'${text}' is no address and no net`);
    return [];
  });
}

function readPorts(source: SourceFile, path: Path, list: (number | string)[]): PortSet {
  const set: PortSet = { values: [], ranges: [] };
  list.forEach((item, i) => {
    const [from, to] = String(item)
      .split('-')
      .map((text) => portNumber(text.trim()));
    if (Number.isNaN(from) || (to !== undefined && !(to >= from))) {
      source.report([...path, i], 'rule.value', `'${item}' is no port (0-65535) and no range`);
    } else if (to === undefined) set.values.push(from);
    else set.ranges.push([from, to]);
  });
  return set;
}

function readMacro(source: SourceFile, name: string): Macro {
  const text = source.text(['macros', name]) ?? { value: '', report: () => {} };
  return { text, tree: parse('predicate', text) };
}

/**
 * `5kpps`, or `{default: 5kpps, "192.0.2.80/32": 80kpps}`: all in one unit. With `old`, an override: what is not
 * given stays.
 */
export function readThreshold(source: SourceFile, path: Path, raw: RawThreshold, old?: Threshold): Threshold {
  const byName = typeof raw === 'object' ? raw : { default: raw };
  const threshold: Threshold = { unit: 'none', default: old?.default ?? Number.NaN, prefixes: [] };
  let unit: Threshold['unit'] | null = null;
  for (const [name, literal] of Object.entries(byName)) {
    const at = typeof raw === 'object' ? [...path, name] : path;
    const quantity = readQuantity(source, at, literal, unit);
    const prefix = name === 'default' ? null : parsePrefix(name);
    if (name !== 'default' && !prefix) {
      source.report(at, 'rule.address', `'${name}' is no prefix`, undefined, undefined, true);
    }
    if (!quantity) continue;
    unit ??= quantity.unit;
    if (prefix) threshold.prefixes.push({ prefix, value: quantity.value });
    else threshold.default = quantity.value;
  }
  if (!old && !Object.hasOwn(byName, 'default')) source.report(path, 'rule.threshold', 'a default is missing');
  threshold.prefixes = longestFirst(threshold.prefixes, old?.prefixes ?? []);
  return { ...threshold, unit: unit ?? old?.unit ?? 'none' };
}

function readQuantity(source: SourceFile, at: Path, literal: string | number, unit: Unit | null): Quantity | null {
  const quantity = parseQuantity(String(literal));
  if (!quantity) source.report(at, 'rule.unit', `'${literal}' is no number with a unit`);
  else if (unit !== null && quantity.unit !== unit) {
    source.report(at, 'rule.unit', `in ${quantity.unit}, not in ${unit}`);
  }
  return quantity;
}

/** Prefixes given anew, and those of before that were not. */
function longestFirst(given: Threshold['prefixes'], before: Threshold['prefixes']): Threshold['prefixes'] {
  const named = new Set(given.map(({ prefix }) => formatPrefix(prefix)));
  const kept = before.filter(({ prefix }) => !named.has(formatPrefix(prefix)));
  const text = ({ prefix }: Threshold['prefixes'][number]) => formatPrefix(prefix);
  return [...given, ...kept].sort((a, b) => b.prefix.bits - a.prefix.bits || (text(a) < text(b) ? -1 : 1));
}

/** Checks the macros of a file where they are written, so that an error in one is told once. */
export function checkMacros(definitions: Definitions, scope: Scope): void {
  for (const { text, tree } of definitions.macros.values()) {
    if (tree) new PredicateCompiler(scope).compile(tree, text);
  }
}

/** Definitions of the common files of a folder and of the folders above it, nearest first. */
export function commonFor(file: string, all: ReadonlyMap<string, Definitions>): Definitions[] {
  const folder = dirname(file);
  const inside = (common: string) => folder === common || folder.startsWith(common === '.' ? '' : common + sep);
  return [...all.keys()]
    .filter((path) => isCommon(path) && path !== file && inside(dirname(path)))
    .sort((a, b) => dirname(b).length - dirname(a).length || (a < b ? -1 : 1))
    .map((path) => all.get(path) as Definitions);
}
