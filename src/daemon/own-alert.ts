import { createHash } from 'node:crypto';
import { formatUs } from '../core/time.ts';
import type { AlertState, Transition } from '../model/alert.ts';
import type { Severity } from '../model/plan.ts';

/** An alert of weir about itself, told the way all alerts are told. */
export interface OwnAlert {
  rule: string;
  title: string;
  severity: Severity;
  advice: string;
}

export const RELOAD_FAILED: OwnAlert = {
  rule: 'weir-reload-failed',
  title: 'weir could not load its configuration',
  severity: 'warning',
  advice: 'Correct the file (weir check -c weir.yaml shows each place) and send SIGHUP again.',
};

/** One transition of an own alert. Its times are of the wall clock: it is not about traffic. */
export function ownTransition(
  own: OwnAlert,
  state: AlertState,
  times: { sinceUs: number; nowUs: number },
  summary: string,
): Transition {
  const since = formatUs(times.sinceUs);
  const now = formatUs(times.nowUs);
  return {
    rule: own.rule,
    severity: own.severity,
    state,
    time: now,
    window: { start: now, end: now },
    key: {},
    values: {},
    expected: null,
    summary,
    evidence: [],
    tags: ['self', 'weir'],
    idempotencyKey: digest([own.rule, since, state, now]),
    alertId: digest([own.rule, since]),
    title: own.title,
    filter: '',
    advice: own.advice,
    since,
    measured: [],
  };
}

/** The end of an alert whose rule left or changed: nobody will judge it any more. */
export function orphanResolved(last: Transition, timeUs: number, why: string): Transition {
  const [, time] = [formatUs(timeUs), last.time].sort();
  return {
    ...last,
    state: 'resolved',
    time,
    summary: `${last.title}: over, because ${why}`,
    evidence: [],
    idempotencyKey: digest([last.alertId, 'resolved', last.idempotencyKey]),
  };
}

function digest(parts: string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
