import type { Finding } from '../core/errors.ts';
import { looseText, SourceFile } from '../core/source-file.ts';
import { DEFAULT_HOME, type Prefix, parsePrefix } from '../model/address.ts';
import type { KeyPart, Predicate, RulePlan, RuleSet } from '../model/plan.ts';
import { compileRule } from './compile.ts';
import { listFiles, readSource } from './files.ts';
import { compileKey } from './key.ts';
import { lintSet } from './lint.ts';
import { checkMacros, commonFor, type Definitions, type LoadedFile, readDefinitions } from './names.ts';
import { parse } from './parse.ts';
import { PredicateCompiler } from './predicate.ts';
import { EMPTY_SCOPE, type PortSet, type Scope } from './scope.ts';
import { readShape } from './shape.ts';
import { TRUE, unique } from './simplify.ts';
import type { Written } from './slots.ts';
import { suggestion } from './suggest.ts';

export { type RuleCost, ruleCost } from './cost.ts';
export { type FlowRowsOptions, flowRows, TEST_START_US } from './flow-rows.ts';
export { formatPredicate } from './format.ts';
export { judge, uncovered, type Verdict } from './judge.ts';
export { needsBiflow } from './lint.ts';
export { withReference } from './reference.ts';
export { generateSchema } from './schema.ts';
export { ANSI_PAINT, NO_PAINT, type Paint, showFinding } from './show.ts';
export { type Expectation, loadRuleTests, type RuleCase, TEST_HOME } from './test-file.ts';

export interface LoadOptions {
  /** `$home`, whatever the files say. */
  home?: Prefix[];
  /** `$home` when neither `home` nor a file says it; default private and documentation ranges. */
  defaultHome?: Prefix[];
  /** More nets by name, as a configuration gives them; they win over a file's. */
  nets?: Readonly<Record<string, Prefix[]>>;
}

export interface LoadedRules {
  /** Rules without errors, in the order of files and of rules in them. */
  rules: RuleSet;
  /** Everything wrong in any file, in the order of file, line and column. */
  findings: Finding[];
}

/**
 * Reads rule files and folders (`*.yaml`, not `*.test.yaml`), applies the overrides in them and compiles every rule.
 * Never throws for what is in the files: all errors of all files come back at once.
 */
export function loadRules(paths: readonly string[], options: LoadOptions = {}): LoadedRules {
  const findings: Finding[] = [];
  const files = listFiles(paths, 'rules', findings).flatMap((path) => readFile(path, findings));
  const loader = new Loader(files, options, findings);
  const rules = loader.compileAll();
  const set: RuleSet = { rules, home: loader.home };
  return { rules: set, findings: sortFindings(unique(findings)) };
}

/** The same from texts in memory: for tests and editors. */
export function loadRuleTexts(texts: Readonly<Record<string, string>>, options: LoadOptions = {}): LoadedRules {
  const findings: Finding[] = [];
  const files = Object.entries(texts).flatMap(([path, text]) => readText(path, text, findings));
  const loader = new Loader(files, options, findings);
  const rules = loader.compileAll();
  return { rules: { rules, home: loader.home }, findings: sortFindings(unique(findings)) };
}

function readFile(path: string, findings: Finding[]): LoadedFile[] {
  const text = readSource(path, findings);
  return text === null ? [] : readText(path, text, findings);
}

function readText(path: string, text: string, findings: Finding[]): LoadedFile[] {
  const before = findings.length;
  const source = new SourceFile(path, text, findings);
  if (source.data === null && findings.length === before) source.report([], 'rule.empty', 'the file is empty');
  if (source.data === null) return [];
  const shaped = readShape(source);
  return shaped ? [{ source, ...shaped }] : [];
}

/** Compiles the rules of all files against each other: names, overrides, ids. */
class Loader {
  readonly home: Prefix[];
  readonly #files: LoadedFile[];
  readonly #options: LoadOptions;
  readonly #findings: Finding[];
  readonly #definitions = new Map<string, Definitions>();

  constructor(files: LoadedFile[], options: LoadOptions, findings: Finding[]) {
    this.#files = files;
    this.#options = options;
    this.#findings = findings;
    for (const file of files) this.#definitions.set(file.source.file, readDefinitions(file));
    const named = [...this.#definitions.values()].find(({ nets }) => nets.has('home'))?.nets.get('home');
    this.home = options.home ?? named ?? options.defaultHome ?? defaultHome();
  }

  compileAll(): RulePlan[] {
    for (const file of this.#files) checkMacros(this.#own(file), this.#scope(file));
    const overrides = this.#overrides();
    const seen = new Map<string, string>();
    const rules = this.#files.flatMap((file) => this.#compileFile(file, overrides, seen));
    for (const [id, list] of overrides) if (!seen.has(id)) this.#unknownOverride(id, list, seen.keys());
    lintSet(rules, seen.keys(), this.#findings);
    return rules;
  }

  #compileFile(file: LoadedFile, overrides: Map<string, Written[]>, seen: Map<string, string>): RulePlan[] {
    const scope = this.#scope(file);
    const used = new Set<string>();
    const thresholds = new Map(this.#layers(file).flatMap(({ thresholds }) => [...thresholds]));
    const plans = (file.raw.rules ?? []).flatMap((raw, i) => {
      const written: Written = { source: file.source, path: ['rules', i], raw, scope };
      if (file.broken.has(i) || !this.#isNewId(written, seen)) return [];
      const over = overrides.get(raw.id) ?? [];
      const before = this.#findings.length;
      const plan = compileRule(written, over, { thresholds, used });
      const good = !this.#findings.slice(before).some(({ level }) => level === undefined);
      const enabled = [written, ...over].findLast(({ raw }) => raw.enabled !== undefined)?.raw.enabled ?? true;
      return good && enabled ? [plan] : [];
    });
    if (plans.length === (file.raw.rules ?? []).length) this.#unusedThresholds(file, used);
    return plans;
  }

  #isNewId({ source, path, raw }: Written, seen: Map<string, string>): boolean {
    const place = `${source.file}:${source.line([...path, 'id'])}`;
    const first = seen.get(raw.id);
    if (first === undefined) return seen.set(raw.id, place) !== undefined;
    source.report(
      [...path, 'id'],
      'rule.duplicate_id',
      `the id ${raw.id} is taken`,
      `first in ${first}; to change that rule, use override`,
    );
    return false;
  }

  #overrides(): Map<string, Written[]> {
    const result = new Map<string, Written[]>();
    for (const file of this.#files) {
      const { override } = file.raw;
      const list = override === undefined ? [] : Array.isArray(override) ? override : [override];
      list.forEach((raw, i) => {
        const path = Array.isArray(override) ? ['override', i] : ['override'];
        const written = { source: file.source, path, raw, scope: this.#scope(file) };
        result.set(raw.id, [...(result.get(raw.id) ?? []), written]);
      });
    }
    return result;
  }

  #unknownOverride(id: string, list: Written[], known: Iterable<string>): void {
    const names = [...known];
    for (const { source, path } of list) {
      source.report([...path, 'id'], 'rule.unknown_rule', `there is no rule ${id} to override`, suggestion(id, names));
    }
  }

  #unusedThresholds(file: LoadedFile, used: Set<string>): void {
    if ((file.raw.rules ?? []).length === 0) return;
    for (const name of this.#own(file).thresholds.keys()) {
      if (used.has(name)) continue;
      file.source.report(
        ['thresholds', name],
        'rule.unused',
        `no rule uses the threshold ${name}`,
        undefined,
        'warning',
        true,
      );
    }
  }

  #own(file: LoadedFile): Definitions {
    return this.#definitions.get(file.source.file) as Definitions;
  }

  /** Common files first, the file itself last: what comes later wins. */
  #layers(file: LoadedFile): Definitions[] {
    return [...commonFor(file.source.file, this.#definitions).reverse(), this.#own(file)];
  }

  #scope(file: LoadedFile): Scope {
    const layers = this.#layers(file);
    const nets = new Map(layers.flatMap(({ nets }) => [...nets]));
    if (this.#options.home || !nets.has('home')) nets.set('home', this.home);
    for (const [name, list] of Object.entries(this.#options.nets ?? {})) if (name !== 'home') nets.set(name, list);
    return {
      nets,
      ports: new Map(layers.flatMap(({ ports }) => [...ports])),
      macros: new Map(layers.flatMap(({ macros }) => [...macros])),
      interfaces: new Map(layers.flatMap(({ interfaces }) => [...interfaces])),
      feeds: new Map(layers.flatMap(({ feeds }) => [...feeds])),
    };
  }
}

function defaultHome(): Prefix[] {
  return DEFAULT_HOME.map(parsePrefix).filter((prefix) => prefix !== null);
}

function sortFindings(findings: Finding[]): Finding[] {
  const rank = (a: Finding, b: Finding) => a.line - b.line || a.column - b.column;
  return findings.sort((a, b) => (a.file === b.file ? rank(a, b) : a.file < b.file ? -1 : 1));
}

export interface PredicateNames {
  nets?: Readonly<Record<string, Prefix[]>>;
  ports?: Readonly<Record<string, number[]>>;
  /** Named conditions, as text. */
  macros?: Readonly<Record<string, string>>;
  interfaces?: Readonly<Record<string, number[]>>;
}

/** One predicate, as `--filter` and `weir query` take it. Findings carry `file` as given (`--filter`), line 1. */
export function parsePredicate(
  source: string,
  names: PredicateNames = {},
  file = 'filter',
): { predicate: Predicate; findings: Finding[] } {
  const findings: Finding[] = [];
  const text = looseText(source, file, findings);
  const tree = parse('predicate', text);
  if (!tree) return { predicate: TRUE, findings };
  const predicate = new PredicateCompiler(scopeOf(names, file, findings)).compile(tree, text);
  return { predicate, findings: unique(findings) };
}

function scopeOf(names: PredicateNames, file: string, findings: Finding[]): Scope {
  const ports = (values: number[]): PortSet => ({ values, ranges: [] });
  const macro = (source: string) => {
    const text = looseText(source, file, findings);
    return { text, tree: parse('predicate', text) };
  };
  return {
    ...EMPTY_SCOPE,
    nets: new Map(Object.entries({ home: defaultHome(), ...names.nets })),
    ports: new Map(Object.entries(names.ports ?? {}).map(([name, values]) => [name, ports(values)])),
    macros: new Map(Object.entries(names.macros ?? {}).map(([name, source]) => [name, macro(source)])),
    interfaces: new Map(Object.entries(names.interfaces ?? {})),
  };
}

/** A key, fields joined by commas (`src.ip,dst.ip/24|64`), as `weir query --by` takes it. */
export function parseKey(source: string, file = '--by'): { key: KeyPart[]; findings: Finding[] } {
  const findings: Finding[] = [];
  const key: KeyPart[] = [];
  for (const field of source.split(',')) {
    const text = looseText(field.trim(), file, findings);
    const atom = parse('key', text);
    const part = atom && compileKey(atom, text, { use: 'key' });
    if (part) key.push(part);
  }
  return { key, findings };
}
