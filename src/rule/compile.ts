import { parseTimeUs } from '../core/time.ts';
import { parseDurationUs, parseQuantity } from '../core/units.ts';
import {
  type Evidence,
  type FollowUp,
  type KeyPart,
  type Level,
  type Measure,
  type Predicate,
  type RuleException,
  type RulePlan,
  SEVERITIES,
  type Suppression,
  type Threshold,
  type WindowSpec,
} from '../model/plan.ts';
import { type ConditionScope, compileCondition } from './condition.ts';
import { FINGERPRINT_EMPTY, fingerprint } from './fingerprint.ts';
import { formatPredicate } from './format.ts';
import { compileKey } from './key.ts';
import { lintRule } from './lint.ts';
import { compileMeasure, readTopk } from './measure.ts';
import { readThreshold } from './names.ts';
import { own } from './own.ts';
import { parse } from './parse.ts';
import { PredicateCompiler } from './predicate.ts';
import { TRUE } from './simplify.ts';
import { type Slot, Slots, textAt, type Written } from './slots.ts';
import { suggestion } from './suggest.ts';

/** Keys kept by a rule that names no limit: enough for a /16, bounded for a flood of spoofed sources. */
const DEFAULT_MAX_KEYS = 100_000;

const KEYWORDS: ReadonlySet<string> = new Set(['and', 'or', 'not', 'in', 'within', 'where', 'if_speed']);

export interface CompileContext {
  /** Thresholds that the rule's file and its common files name. */
  thresholds: ReadonlyMap<string, Threshold>;
  /** Filled with the names of those that were used. */
  used: Set<string>;
}

/** One rule with its overrides as a plan. Every error is reported; the plan is only good when there were none. */
export function compileRule(rule: Written, overrides: Written[], context: CompileContext): RulePlan {
  const slots = new Slots(rule, overrides);
  const thresholds = mergeThresholds(slots, context.thresholds);
  const conditions: ConditionScope = { measures: new Map(), thresholds, used: new Set() };
  const by = compileBy(slots);
  const match = compileMatch(slots);
  const measures = compileMeasures(slots, conditions);
  const id = slots.get('id')?.value ?? '';
  const plan: RulePlan = {
    id,
    title: slots.get('title')?.value ?? id,
    file: rule.source.file,
    line: rule.source.line(rule.path),
    tags: slots.get('tags')?.value ?? [],
    annotations: slots.get('annotations')?.value ?? {},
    match,
    matchText: formatPredicate(match),
    except: slots.all('except').flatMap(compileExceptions),
    by,
    window: compileWindow(slots),
    latenessUs: compileLateness(slots),
    measures,
    levels: compileLevels(slots, conditions),
    clear: compileClear(slots, conditions),
    keepFiringForUs: duration(slots.get('keep_firing_for')),
    noData: slots.get('no_data')?.value ?? 'keep',
    minSamples: slots.get('min_samples')?.value ?? 0,
    thresholds: {},
    follow: compileFollowUp(slots),
    suppresses: compileSuppressions(slots, by),
    maxKeys: compileMaxKeys(slots),
    evidence: compileEvidence(slots),
    measureAgainst: slots.get('advice')?.value ?? '',
    fingerprint: FINGERPRINT_EMPTY,
  };
  const used = new Set<string>();
  for (const name of Object.keys(thresholds)) {
    if (!conditions.used.has(name)) continue;
    plan.thresholds[name] = thresholds[name];
    used.add(name);
    context.used.add(name);
  }
  lintRule(plan, slots, used);
  return { ...plan, fingerprint: fingerprint(plan) };
}

/** An override's values replace the default and single prefixes; the rest stays. */
function mergeThresholds(slots: Slots, shared: ReadonlyMap<string, Threshold>): Record<string, Threshold> {
  const result: Record<string, Threshold> = Object.fromEntries(shared);
  for (const slot of slots.all('thresholds')) {
    for (const [name, raw] of Object.entries(slot.value)) {
      const isOverride = slot.from !== slots.rule;
      const old = own(result, name);
      const path = [...slot.path, name];
      if (isOverride && !old) {
        const hint = suggestion(name, Object.keys(result));
        slot.from.source.report(path, 'rule.unknown_name', `the rule has no threshold ${name}`, hint, undefined, true);
      }
      const given = readThreshold(slot.from.source, path, raw, isOverride ? old : undefined);
      if (old && isOverride && old.unit !== given.unit) {
        slot.from.source.report(path, 'rule.unit', `in ${given.unit}, the rule's ${name} is in ${old.unit}`);
      }
      result[name] = given;
    }
  }
  return result;
}

function compileBy(slots: Slots): KeyPart[] {
  const slot = slots.get('by');
  return (slot?.value ?? []).flatMap((_, i) => {
    const text = textAt(slot as Slot<string[]>, i);
    const atom = parse('key', text);
    const part = atom && compileKey(atom, text, { use: 'key' });
    return part ? [part] : [];
  });
}

function predicateAt(slot: Slot<unknown>, ...below: (string | number)[]): Predicate {
  const text = textAt(slot, ...below);
  const tree = parse('predicate', text);
  return tree ? new PredicateCompiler(slot.from.scope).compile(tree, text) : TRUE;
}

function compileMatch(slots: Slots): Predicate {
  const slot = slots.get('match');
  return slot ? predicateAt(slot) : TRUE;
}

function compileMeasures(slots: Slots, conditions: ConditionScope): Measure[] {
  const slot = slots.get('measure');
  const measures: Measure[] = [];
  const known = conditions.measures as Map<string, { index: number; unit: Measure['unit']; fn: string }>;
  for (const name of Object.keys(slot?.value ?? {})) {
    const text = textAt(slot as Slot<unknown>, name);
    if (KEYWORDS.has(name)) {
      slots.rule.source.report(
        [...slots.rule.path, 'measure', name],
        'rule.shape',
        `${name} is a word of the language`,
        'take another name',
        undefined,
        true,
      );
    }
    const measure = compileMeasure(name, text, { names: slots.rule.scope, conditions });
    if (!measure) known.set(name, { index: -1, unit: 'none', fn: 'broken' });
    else known.set(name, { index: measures.push(measure) - 1, unit: measure.unit, fn: measure.fn });
  }
  if (known.size === 0) slots.report('measure', 'rule.shape', 'a rule needs at least one measure');
  return measures;
}

/** `30s` tumbling, `60s/10s` sliding, `session 5m`. Whole seconds: rows are slices of one second. */
function compileWindow(slots: Slots): WindowSpec {
  const slot = slots.get('window') as Slot<string>;
  const text = textAt(slot);
  const node = parse('window', text);
  const nothing: WindowSpec = { kind: 'tumbling', sizeUs: 1e6, slideUs: 1e6 };
  if (!node) return nothing;
  if (node.word && node.word.text !== 'session') {
    text.report(
      node.word.start,
      'rule.window',
      `'${node.word.text}' is no kind of window`,
      'write 30s, 60s/10s or session 5m',
    );
    return nothing;
  }
  const [sizeUs, slideUs] = [node.size, node.slide ?? node.size].map((atom) => {
    const us = parseDurationUs(atom.text);
    if (us > 0 && us % 1e6 === 0) return us;
    text.report(atom.start, 'rule.window', `'${atom.text}' is no time in whole seconds`);
    return Number.NaN;
  });
  if (node.slide && sizeUs % slideUs !== 0 && !Number.isNaN(sizeUs % slideUs)) {
    text.report(node.slide.start, 'rule.window', `the step ${node.slide.text} does not divide ${node.size.text}`);
  }
  if (node.word && node.slide) text.report(node.slide.start, 'rule.window', 'a session has a gap and no step');
  return { kind: node.word ? 'session' : node.slide && slideUs !== sizeUs ? 'sliding' : 'tumbling', sizeUs, slideUs };
}

/** A word of the language that nothing follows yet is refused rather than passed over. */
function compileLateness(slots: Slots): number {
  const latenessUs = duration(slots.get('lateness'));
  if (latenessUs > 0) {
    const hint = 'leave it out; late rows are counted, and sources have a delay';
    slots.report('lateness', 'rule.lateness', 'a window is not amended once it is closed', hint);
  }
  return latenessUs;
}

function duration(slot: Slot<string> | null, ...below: string[]): number {
  if (!slot) return 0;
  const text = textAt(slot, ...below);
  const us = parseDurationUs(text.value);
  if (us >= 0) return us;
  text.report(0, 'rule.time', `'${text.value}' is no time`, 'write 10s, 5m, 6h or 30d');
  return 0;
}

function compileLevels(slots: Slots, conditions: ConditionScope): Level[] {
  const slot = slots.get('when') as Slot<Partial<Record<string, string>>>;
  const holds = slots.get('for');
  const levels: Level[] = [];
  for (const severity of SEVERITIES) {
    if (slot.value[severity] === undefined) continue;
    const when = compileCondition(textAt(slot, severity), conditions);
    if (when) levels.push({ severity, when, forUs: levelDuration(holds, severity) });
  }
  if (Object.keys(slot.value).length === 0) slots.report('when', 'rule.shape', 'a rule needs at least one severity');
  return levels;
}

function levelDuration(slot: Slot<string | Record<string, string | undefined>> | null, severity: string): number {
  if (!slot) return 0;
  if (typeof slot.value === 'string') return duration(slot as Slot<string>);
  return slot.value[severity] === undefined ? 0 : duration(slot as unknown as Slot<string>, severity);
}

function compileClear(slots: Slots, conditions: ConditionScope) {
  const slot = slots.get('clear');
  return slot ? compileCondition(textAt(slot), conditions) : null;
}

function compileExceptions(slot: Slot<{ name: string; reason?: string; until?: string }[]>): RuleException[] {
  return slot.value.map(({ name, reason = '', until }, i) => {
    const untilUs = until === undefined ? Number.POSITIVE_INFINITY : parseTimeUs(until);
    if (Number.isNaN(untilUs)) textAt(slot, i, 'until').report(0, 'rule.time', `'${until}' is no day and no time`);
    return { name, reason, match: predicateAt(slot, i, 'match'), untilUs };
  });
}

function compileFollowUp(slots: Slots): FollowUp | null {
  const slot = slots.get('then');
  if (!slot) return null;
  const withinUs = duration(slot as unknown as Slot<string>, 'within');
  return { withinUs, match: predicateAt(slot, 'match'), severity: slot.value.severity };
}

function compileSuppressions(slots: Slots, by: KeyPart[]): Suppression[] {
  const slot = slots.get('suppresses');
  return (slot?.value ?? []).map(({ rules, where }, i) => {
    if (where === undefined) return { rules, within: null };
    const text = textAt(slot as Slot<unknown>, i, 'where');
    const node = parse('within', text);
    if (node && node.right.text !== 'key')
      text.report(node.right.start, 'rule.syntax', "only 'within key' has a meaning here");
    const part = node && compileKey(node.left, text, { use: 'key' });
    if (part && !by.some(({ field }) => field === part.field)) {
      text.report(node.left.start, 'rule.type', `${part.field} is no part of this rule's key`);
    }
    return { rules, within: part?.field ?? null };
  });
}

function compileMaxKeys(slots: Slots): number {
  const slot = slots.get('max_keys');
  if (!slot) return DEFAULT_MAX_KEYS;
  const nested = typeof slot.value === 'object';
  const text = nested ? textAt(slot, 'n') : textAt(slot);
  const quantity = parseQuantity(text.value);
  if (quantity?.unit === 'none' && quantity.value >= 1 && quantity.value <= 1e7) return Math.floor(quantity.value);
  text.report(0, 'rule.value', `'${text.value}' is no number of keys (1 to 10M)`);
  return DEFAULT_MAX_KEYS;
}

function compileEvidence(slots: Slots): Evidence[] {
  const slot = slots.get('evidence');
  return (slot?.value ?? []).flatMap((_, i): Evidence[] => {
    const text = textAt(slot as Slot<unknown>, i);
    const call = parse('call', text);
    if (!call) return [];
    const [first] = call.args;
    const count = first?.value.kind === 'atom' ? Number(first.value.atom.text) : Number.NaN;
    if (call.name.text === 'flows' && call.args.length === 1 && count >= 1 && count <= 1000)
      return [{ fn: 'flows', k: count }];
    if (call.name.text !== 'topk') {
      text.report(
        call.start,
        'rule.evidence',
        'evidence is topk(k, field, weight) or flows(k)',
        suggestion(call.name.text, ['topk', 'flows']),
      );
      return [];
    }
    const topk = readTopk(call, text);
    return topk ? [{ fn: 'topk', ...topk }] : [];
  });
}
