import type { Counter, Metrics } from '../core/metrics.ts';
import type { Predicate, RulePlan } from '../model/plan.ts';
import type { CodeBook } from './code-book.ts';
import { neededFields, undecided } from './dispatch.ts';
import { fieldCode } from './field-code.ts';
import { KeyFormat } from './key-format.ts';
import { Layout } from './layout.ts';
import { compileMeasures } from './measure/compile.ts';
import type { MeasureCode } from './measure/measure.ts';
import { type Lookups, predicateCode } from './predicate-code.ts';
import { compileRule, type Extras, matchCode, type RuleCode } from './rule-code.ts';

const MINUTE_US = 60e6;

/** A rule made ready to run: what it keeps, its generated code, its measures. */
export interface CompiledRule {
  rule: RulePlan;
  layout: Layout;
  measures: MeasureCode[];
  extras: Extras;
  format: KeyFormat;
  code: RuleCode;
  /** Panes are the largest pieces of time that windows are made of. */
  paneUs: number;
  /** Columns without which no row can match (`Chunk.hasAll`), or be of the follow-up. */
  needs: { match: string[]; follow: string[] };
  dropped(cause: string): Counter;
}

/** First half of the work, for all rules before any code is made: it collects net lists, sets and columns. */
export function planRule(rule: RulePlan, lookups: Lookups, metrics: Metrics): (book: CodeBook) => CompiledRule {
  const layout = new Layout(lookups);
  const paneUs = paneLength(rule);
  const single = rule.window.kind !== 'session' && rule.window.sizeUs === paneUs;
  const dropped = (cause: string): Counter =>
    metrics.counter(
      `weir_window_dropped_total{rule="${rule.id}",cause="${cause}"}`,
      'What windows had no room for, by cause.',
    );
  const formatTuple = (of: RulePlan['by'], words: Int32Array, at: number): string =>
    new KeyFormat(of, lookups.texts).tuple(words, at);
  const measures = compileMeasures(rule, layout, { paneUs, single, maxKeys: rule.maxKeys, dropped, formatTuple });
  const extras = planExtras(rule, layout);
  const match = matchCode(rule, rule.match, lookups);
  const rest = matchCode(rule, undecided(rule.match), lookups);
  const follow = rule.follow ? predicateCode(undecided(rule.follow.match), lookups) : 'false';
  // Net lists and sets that only the dispatcher asks for are told now, too.
  if (rule.follow) predicateCode(rule.follow.match, lookups);
  const values = measures.map(({ value }) => value);
  const format = new KeyFormat(rule.by, lookups.texts);
  // Columns that only keys and evidence need are told now, before the chunk is made.
  for (const { field } of rule.by) lookups.field(field);
  for (const item of rule.evidence) {
    if (item.fn === 'topk') for (const { field } of item.of) lookups.field(field);
    if (item.fn === 'topk') layout.summand(item.summand);
  }
  const needs = {
    match: neededColumns(rule, rule.match),
    follow: rule.follow ? neededColumns(rule, rule.follow.match) : [],
  };
  return (book) => ({
    rule,
    layout,
    measures,
    extras,
    format,
    paneUs,
    dropped,
    needs,
    code: compileRule(rule, layout, values, extras, { book, match, rest, follow }),
  });
}

function neededColumns({ by }: RulePlan, condition: Predicate): string[] {
  const fields = [...neededFields(condition), ...by.map(({ field }) => field)];
  return [...new Set(fields.flatMap((name) => fieldCode(name).uses))];
}

function planExtras(rule: RulePlan, layout: Layout): Extras {
  const session = rule.window.kind === 'session';
  const follow = rule.follow ? { rows: layout.keep('sum'), lastUs: layout.keep('max') } : null;
  const needsFirst = session || rule.follow !== null;
  const firstUs = needsFirst ? layout.min('startUs[i]', 'true') : -1;
  return {
    follow: follow && { ...follow, firstUs },
    session: session ? { firstUs, lastUs: layout.max('startUs[i]', 'true') } : null,
  };
}

function paneLength({ window, measures }: RulePlan): number {
  if (window.kind === 'session') return window.sizeUs;
  const paneUs = gcd(window.sizeUs, window.slideUs);
  // Single flows are kept until their pane closes, so panes of such rules stay short.
  const keepsFlows = measures.some((measure) => measure.kind === 'aggregate' && measure.fn === 'beacon');
  return keepsFlows && paneUs > MINUTE_US && paneUs % MINUTE_US === 0 ? MINUTE_US : paneUs;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
