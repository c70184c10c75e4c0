import { createHash } from 'node:crypto';
import { formatUs } from '../core/time.ts';
import type { AlertState, EvidenceItem, Transition } from '../model/alert.ts';
import type { Episode } from './episode.ts';
import { filterOf } from './filter.ts';
import type { Moment } from './moment.ts';
import { fillTemplate, measuredOf, summarise } from './summary.ts';

export interface Step {
  state: AlertState;
  /** Position of the transition in its episode, from 0. */
  number: number;
  evidence: EvidenceItem[];
}

/** Same for all transitions of one episode of one rule and key. */
export function alertIdOf(episode: Episode): string {
  return digest([episode.rule.id, episode.keyText, episode.sinceUs]);
}

/** One line of `weir replay --json`: fields in their fixed order. */
export function makeTransition(episode: Episode, step: Step, moment: Moment): Transition {
  const { rule, key, keyText, severity, sinceUs } = episode;
  return {
    rule: rule.id,
    severity,
    state: step.state,
    time: formatUs(moment.timeUs),
    window: { start: formatUs(moment.startUs), end: formatUs(moment.endUs) },
    key,
    values: moment.values,
    expected: moment.expected,
    summary: summarise(episode, step.state, moment),
    evidence: step.evidence,
    tags: rule.tags,
    idempotencyKey: digest([rule.id, keyText, sinceUs, step.state, severity, step.number]),
    alertId: alertIdOf(episode),
    title: rule.title,
    filter: filterOf(rule, key),
    advice: fillTemplate(rule.measureAgainst, episode, step.state, moment),
    since: formatUs(sinceUs),
    measured: measuredOf(episode, moment),
  };
}

/** JSON keeps the parts apart whatever they contain. */
function digest(parts: (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
