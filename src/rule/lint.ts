import type { Finding } from '../core/errors.ts';
import type { RulePlan } from '../model/plan.ts';
import { certainty, implies, isContradiction, isImpossible } from './implies.ts';
import { and } from './simplify.ts';
import { type Slots, textAt } from './slots.ts';
import { suggestion } from './suggest.ts';

/** What is well formed and cannot be meant: told for one rule, where it is written. */
export function lintRule(plan: RulePlan, slots: Slots, used: ReadonlySet<string>): void {
  if (isContradiction(plan.match)) slots.report('match', 'rule.never', 'no row can fit this match');
  lintMeasures(plan, slots);
  lintLevels(plan, slots);
  lintThresholds(slots, used);
  lintAnnotations(plan, slots);
}

/** A share of what `match` has let through already is constant; a `where` that contradicts it counts nothing. */
function lintMeasures(plan: RulePlan, slots: Slots): void {
  const slot = slots.get('measure');
  if (!slot) return;
  for (const measure of plan.measures) {
    if (measure.kind !== 'aggregate' || measure.where.op === 'true') {
      if (measure.kind === 'aggregate' && measure.fn === 'share') {
        textAt(slot, measure.name).report(0, 'rule.constant_share', `${measure.name} is always 1: a share needs where`);
      }
      continue;
    }
    const known = certainty(plan.match, measure.where);
    const text = textAt(slot, measure.name);
    const at = Math.max(0, text.value.indexOf('where'));
    if (known === 'never' || isContradiction(and([plan.match, measure.where]))) {
      text.report(at, 'rule.never', `no row that match lets through fits this: ${measure.name} counts nothing`);
    } else if (known === 'always' && measure.fn === 'share') {
      text.report(
        at,
        'rule.constant_share',
        `match lets only such rows through: ${measure.name} is always 1`,
        'take the condition out of match',
      );
    }
  }
}

/** A weaker severity is never seen when a stronger one holds whenever it does, and no later. */
function lintLevels(plan: RulePlan, slots: Slots): void {
  const slot = slots.get('when');
  if (!slot) return;
  plan.levels.forEach((level, i) => {
    const text = textAt(slot, level.severity);
    if (isImpossible(level.when, plan.thresholds))
      text.report(0, 'rule.unreachable', `${level.severity} can never hold`);
    const stronger = plan.levels
      .slice(i + 1)
      .find(({ when, forUs }) => forUs <= level.forUs && implies(level.when, when, plan.thresholds));
    if (stronger) {
      const message = `${level.severity} is never seen: ${stronger.severity} holds whenever it does`;
      text.report(0, 'rule.unreachable', message, 'compare the limits of the two');
    }
    if (plan.clear && implies(level.when, plan.clear, plan.thresholds)) {
      const message = `clear holds whenever ${level.severity} does: the alert would end at once`;
      slots.report('clear', 'rule.clear', message, 'clear is for values below the limit');
    }
  });
}

function lintThresholds(slots: Slots, used: ReadonlySet<string>): void {
  for (const slot of slots.all('thresholds')) {
    for (const name of Object.keys(slot.value)) {
      if (used.has(name)) continue;
      slot.from.source.report(
        [...slot.path, name],
        'rule.unused',
        `the rule does not use ${name}`,
        undefined,
        'warning',
        true,
      );
    }
  }
}

/** Words of the alert that a text may name beside keys and measures. */
const ALERT_WORDS = ['state', 'severity', 'rule', 'title', 'key', 'since', 'time'];

/** `{{name}}` in texts: a key field, a measure or a part of one. */
function lintAnnotations(plan: RulePlan, slots: Slots): void {
  const slot = slots.get('annotations');
  if (!slot) return;
  const names = [
    ...plan.by.map(({ field }) => field),
    ...Object.keys(slots.get('measure')?.value ?? {}),
    ...ALERT_WORDS,
  ];
  for (const name of Object.keys(slot.value)) {
    const text = textAt(slot, name);
    for (const match of text.value.matchAll(/\{\{\s*([^}]*?)\s*\}\}/g)) {
      const [whole, word] = match;
      if (names.includes(word) || names.includes(word.split('.')[0])) continue;
      text.report(
        match.index + whole.indexOf(word),
        'rule.unknown_name',
        `{{${word}}} is no key and no measure`,
        suggestion(word, names),
      );
    }
  }
}

/** What shows only when all rules are there: a rule that is to be suppressed and does not exist. */
export function lintSet(rules: readonly RulePlan[], known: Iterable<string>, findings: Finding[]): void {
  const ids = [...known];
  for (const { id, file, line, suppresses } of rules) {
    for (const name of suppresses.flatMap((suppression) => suppression.rules)) {
      if (ids.some((other) => fits(name, other))) continue;
      const hint = suggestion(name, ids);
      const message = `${id} suppresses ${name}, and there is no such rule`;
      findings.push({
        file,
        line,
        column: 1,
        code: 'rule.unknown_rule',
        message,
        level: 'warning',
        ...(hint ? { hint } : {}),
      });
    }
  }
}

const fits = (pattern: string, id: string): boolean =>
  pattern.endsWith('*') ? id.startsWith(pattern.slice(0, -1)) : pattern === id;

/** Fields that only rows with both directions have; a source that gives one direction needs `pair`. */
const PAIRED: ReadonlySet<string> = new Set(['initiator', 'established', 'unasked', 'biflow']);

/** True when the rule can say nothing sensible about rows of one direction only. */
export function needsBiflow(plan: RulePlan): boolean {
  const wheres = plan.measures.flatMap((measure) => (measure.kind === 'aggregate' ? [measure.where] : []));
  const text = JSON.stringify([plan.match, wheres, plan.follow]);
  return [...text.matchAll(/"field":"([^"]+)"/g)].some(
    ([, field]) => PAIRED.has(field) || field.startsWith('reverse.'),
  );
}
