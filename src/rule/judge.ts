import { parseTimeUs } from '../core/time.ts';
import { formatDuration } from '../core/units.ts';
import type { AlertState, Transition } from '../model/alert.ts';
import { type RulePlan, SEVERITIES, type Severity } from '../model/plan.ts';
import type { Expectation, RuleCase } from './test-file.ts';

/** States in which people are told of an alert. */
const STANDING: ReadonlySet<AlertState> = new Set(['firing', 'escalated', 'deescalated']);

export interface Verdict {
  /** What did not come as expected, in words; empty when the case passed. */
  failures: string[];
  /** Severities at which the rule under test alerted, for coverage. */
  reached: Severity[];
}

/** Holds the transitions of a case against its expectations. `startUs`: event time of the case's `0s`. */
export function judge(test: RuleCase, transitions: readonly Transition[], startUs: number): Verdict {
  const failures = test.expect.flatMap((expected) => {
    const failure = judgeOne(expected, transitions, startUs);
    return failure === null ? [] : [`line ${expected.line}: ${describe(expected)}: ${failure}`];
  });
  const own = transitions.filter(({ rule, state }) => rule === test.rule && STANDING.has(state));
  return { failures, reached: SEVERITIES.filter((severity) => own.some((one) => one.severity === severity)) };
}

/** Severities of a rule that no case reaches. */
export function uncovered(rule: RulePlan, verdicts: readonly Verdict[]): Severity[] {
  const reached = new Set(verdicts.flatMap((verdict) => verdict.reached));
  return rule.levels.map(({ severity }) => severity).filter((severity) => !reached.has(severity));
}

function judgeOne(expected: Expectation, all: readonly Transition[], startUs: number): string | null {
  const own = all.filter((one) => one.rule === expected.rule && hasKey(one, expected.key));
  const alike = own.filter((one) => fits(one, expected));
  const sinceStart = (one: Transition) => parseTimeUs(one.time) - startUs;
  if (expected.atUs !== null) return judgeAt(expected, own, expected.atUs, sinceStart);
  if (expected.none) {
    const fromUs = expected.afterUs ?? 0;
    const late =
      alike.find((one) => sinceStart(one) >= fromUs) ??
      standing(own, fromUs, sinceStart).find((one) => fits(one, expected));
    return late ? `${late.severity} ${late.state} at ${formatDuration(sinceStart(late))} for ${keyText(late)}` : null;
  }
  const hit = alike.find((one) => sinceStart(one) <= (expected.withinUs ?? Number.POSITIVE_INFINITY));
  if (hit) return null;
  const [first] = alike;
  return first ? `not before ${formatDuration(sinceStart(first))}` : closest(own);
}

/** The last word of every alert at a moment decides. */
function judgeAt(
  expected: Expectation,
  own: Transition[],
  atUs: number,
  sinceStart: (one: Transition) => number,
): string | null {
  const last = lastWords(own, atUs, sinceStart);
  const hits = last.filter((one) => fits(one, expected));
  if (expected.none) return hits.length === 0 ? null : `${hits[0].severity} ${hits[0].state} for ${keyText(hits[0])}`;
  return hits.length > 0 ? null : last.length > 0 ? closest(last) : closest(own);
}

function lastWords(own: Transition[], atUs: number, sinceStart: (one: Transition) => number): Transition[] {
  const last = new Map<string, Transition>();
  for (const one of own) if (sinceStart(one) <= atUs) last.set(`${one.rule} ${keyText(one)}`, one);
  return [...last.values()];
}

function standing(own: Transition[], atUs: number, sinceStart: (one: Transition) => number): Transition[] {
  return lastWords(own, atUs, sinceStart).filter(({ state }) => STANDING.has(state));
}

/** At least the severity asked for, in the state asked for: a standing one when none is. */
function fits(one: Transition, { severity, state }: Expectation): boolean {
  if (state === null ? !STANDING.has(one.state) : one.state !== state) return false;
  return severity === null || SEVERITIES.indexOf(one.severity) >= SEVERITIES.indexOf(severity);
}

function hasKey(one: Transition, key: Transition['key']): boolean {
  return Object.entries(key).every(([name, value]) => String(one.key[name]) === String(value));
}

const keyText = (one: Transition): string =>
  Object.entries(one.key)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ') || 'all traffic';

function closest(own: Transition[]): string {
  const last = own.at(-1);
  return last ? `got ${last.severity} ${last.state} for ${keyText(last)}` : 'no alert came';
}

function describe({ atUs, withinUs, afterUs, none, key, severity, state }: Expectation): string {
  const when = [
    atUs !== null ? `at ${formatDuration(atUs)}` : '',
    withinUs !== null ? `within ${formatDuration(withinUs)}` : '',
    afterUs !== null ? `after ${formatDuration(afterUs)}` : '',
  ];
  const what = none ? `no ${severity ?? state ?? 'alert'}` : (severity ?? state ?? 'an alert');
  const whose = Object.entries(key).map(([name, value]) => `${name} ${value}`);
  return [...when, what, ...whose].filter((word) => word !== '').join(' ');
}
