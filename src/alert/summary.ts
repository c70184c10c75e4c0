import { formatUs } from '../core/time.ts';
import { formatDuration, formatQuantity, type Unit } from '../core/units.ts';
import type { AlertState, Measured } from '../model/alert.ts';
import { describeKey } from '../model/key-text.ts';
import type { RulePlan } from '../model/plan.ts';
import type { Episode } from './episode.ts';
import { limitsOf } from './limits.ts';
import type { Moment } from './moment.ts';

const SLOT = /\{\{\s*([\w.-]+)\s*\}\}/g;
/** Parts of learned measures that have a unit of their own; the others have their measure's. */
const PART_UNITS: Record<string, Unit> = {
  eta: 'time',
  z: 'none',
  p: 'none',
  score: 'none',
  deviation: 'ratio',
  probability: 'ratio',
};
const DATES = new Set(['date', 'lo', 'hi']);
/** In a template these are bare numbers: its author names what is counted (`{{syns}} half-open SYNs`). */
const COUNTED: readonly Unit[] = ['none', 'packets', 'flows'];
const FEWER: readonly string[] = ['<', '<='];

/** One sentence: `annotations.summary` filled in, or what was measured against which limit. */
export function summarise(episode: Episode, state: AlertState, moment: Moment): string {
  const template = episode.rule.annotations['summary'];
  if (template && state !== 'resolved' && !moment.missing) return fillTemplate(template, episode, state, moment);
  const subject = `${episode.rule.title}: ${describeKey(episode.key)}`;
  if (moment.missing) return `${subject}: no data`;
  const measured = state === 'resolved' ? ending(episode, moment) : standing(episode, moment);
  return measured === '' ? subject : `${subject}: ${measured}`;
}

/** Fills `{{name}}`: a key field, a measure (with its unit), a part of one (`full.date`), or a word of the alert. */
export function fillTemplate(template: string, episode: Episode, state: AlertState, moment: Moment): string {
  return template.replace(SLOT, (_, name: string) => slot(name, episode, state, moment));
}

function slot(name: string, episode: Episode, state: AlertState, moment: Moment): string {
  const { rule, key, severity, sinceUs } = episode;
  if (Object.hasOwn(key, name)) return String(key[name]);
  if (Object.hasOwn(moment.values, name)) return describe(rule, name, moment.values[name], COUNTED);
  const words: Record<string, string> = {
    state,
    severity,
    rule: rule.id,
    title: rule.title,
    key: describeKey(key),
    since: formatUs(sinceUs),
    time: formatUs(moment.timeUs),
  };
  return Object.hasOwn(words, name) ? words[name] : '-';
}

/** A value as people read it, in its measure's unit; as a bare number where the unit is one of `bare`. */
export function describe(
  rule: RulePlan,
  name: string,
  value: number | string | null | undefined,
  bare: readonly Unit[] = ['none'],
): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined || !Number.isFinite(value)) return '-';
  const part = name.includes('.') ? name.slice(name.lastIndexOf('.') + 1) : '';
  if (DATES.has(part)) return formatUs(value).slice(0, 10);
  const unit = PART_UNITS[part] ?? rule.measures.find((each) => each.name === name.split('.')[0])?.unit ?? 'none';
  if (!bare.includes(unit)) return formatQuantity(value, unit);
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return value.toLocaleString('en-US');
  return formatQuantity(value, 'none');
}

/** The values of a window with their units, those that broke a limit first. */
export function measuredOf(episode: Episode, { values, expected }: Pick<Moment, 'values' | 'expected'>): Measured[] {
  const { rule } = episode;
  const held = limitsOf(episode, values).filter((limit) => limit.held);
  const named = new Set(held.map((limit) => limit.name));
  const others = rule.measures.map(({ name }) => name).filter((name) => !named.has(name));
  const item = (name: string, limit: string | null): Measured => ({
    name,
    text: describe(rule, name, values[name]),
    limit,
    expected: expected && Object.hasOwn(expected, name) ? describe(rule, name, expected[name]) : null,
  });
  return [
    ...held.map(({ name, cmp, limit }) => item(name, `${cmp} ${describe(rule, name, limit)}`)),
    ...others.filter((name) => tellsMore(values, name)).map((name) => item(name, null)),
  ];
}

/** A number; not that of a forecast, which is its `.eta` without a unit. */
function tellsMore(values: Moment['values'], name: string): boolean {
  return typeof values[name] === 'number' && !Object.hasOwn(values, `${name}.eta`);
}

/** `pps 45.2 kpps > 20 kpps, est 2% < 20%; srcs 8,112`. */
function standing(episode: Episode, moment: Moment): string {
  const all = measuredOf(episode, moment);
  const text = (each: Measured) =>
    [each.name, each.text, each.limit, each.expected && `(expected ${each.expected})`].filter(Boolean).join(' ');
  const broken = all.filter((each) => each.limit !== null).map(text);
  const others = all.filter((each) => each.limit === null).map(text);
  return [broken.join(', '), others.join(', ')].filter((part) => part !== '').join('; ');
}

/** `over after 2m 5s; pps 12 pps, was up to 45.2 kpps`. */
function ending(episode: Episode, moment: Moment): string {
  const { rule, peaks } = episode;
  const main = limitsOf(episode, moment.values).find((limit) => !FEWER.includes(limit.cmp))?.name;
  const over = `over after ${formatDuration(moment.timeUs - episode.sinceUs)}`;
  if (main === undefined || peaks[main] === undefined) return over;
  return `${over}; ${main} ${describe(rule, main, moment.values[main])}, was up to ${describe(rule, main, peaks[main])}`;
}
