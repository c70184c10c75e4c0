import type { Evaluation } from '../model/alert.ts';
import { type RulePlan, SEVERITIES, type Severity } from '../model/plan.ts';
import type { Key } from '../model/window-result.ts';

/** From the first window in which a level held until the alert is resolved. Plain data: a snapshot holds it as it is. */
export interface Episode {
  rule: RulePlan;
  key: Key;
  keyText: string;
  phase: 'pending' | 'firing' | 'suppressed';
  severity: Severity;
  /** What a follow-up raised: the alert does not sink below it. */
  raised: Severity | null;
  sinceUs: number;
  /** For each level, the end of the first window since which it holds without a break; null: it does not hold. */
  heldSinceUs: (number | null)[];
  /** Since when only weaker levels hold. */
  lostSinceUs: number | null;
  clearSinceUs: number | null;
  /** Transitions told so far. */
  transitions: number;
  /** The largest value, by measure, in the windows of this episode. */
  peaks: Record<string, number>;
  /** The last window judged. */
  window: { startUs: number; endUs: number };
  values: Evaluation['values'];
  expected: Evaluation['expected'];
}

/** What one window means for an episode, before suppression has its say. */
export type Verdict = { kind: 'pending' | 'fire'; severity: Severity } | { kind: 'end' } | { kind: 'unchanged' };

export function rank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}

/** True when this window can begin an episode. */
export function begins(e: Evaluation): boolean {
  if (e.missing) return e.rule.noData === 'alert';
  return e.raise !== null || e.holds.includes(true);
}

export function beginEpisode(e: Evaluation): Episode {
  return {
    rule: e.rule,
    key: e.key,
    keyText: e.keyText,
    phase: 'pending',
    severity: e.rule.levels[0].severity,
    raised: null,
    sinceUs: e.endUs,
    heldSinceUs: e.rule.levels.map(() => null),
    lostSinceUs: null,
    clearSinceUs: null,
    transitions: 0,
    peaks: {},
    window: { startUs: e.startUs, endUs: e.endUs },
    values: e.values,
    expected: e.expected,
  };
}

/** Moves the timers of an episode by one window, in event time, and judges. */
export function judge(episode: Episode, e: Evaluation): Verdict {
  episode.rule = e.rule;
  const verdict = e.missing && e.raise === null ? judgeMissing(episode, e) : judgeSeen(episode, e);
  episode.window = { startUs: e.startUs, endUs: e.endUs };
  return verdict;
}

/** Time without data counts neither for a condition nor for its end. */
function judgeMissing(episode: Episode, e: Evaluation): Verdict {
  if (e.rule.noData === 'resolve') return { kind: 'end' };
  if (e.rule.noData === 'alert' && episode.phase === 'pending') {
    hold(episode, [true], e.endUs);
    return judgePending(episode, e);
  }
  const gapUs = e.endUs - episode.window.endUs;
  episode.heldSinceUs = episode.heldSinceUs.map((us) => (us === null ? null : us + gapUs));
  if (episode.lostSinceUs !== null) episode.lostSinceUs += gapUs;
  if (episode.clearSinceUs !== null) episode.clearSinceUs += gapUs;
  return { kind: 'unchanged' };
}

function judgeSeen(episode: Episode, e: Evaluation): Verdict {
  look(episode, e);
  hold(episode, e.holds, e.endUs);
  if (e.raise !== null) episode.raised = strongest(e.raise, episode.raised);
  return episode.phase === 'pending' ? judgePending(episode, e) : judgeFiring(episode, e);
}

function look(episode: Episode, e: Evaluation): void {
  episode.values = e.values;
  episode.expected = e.expected;
  for (const [name, value] of Object.entries(e.values)) {
    if (typeof value === 'number' && Number.isFinite(value) && !(value <= episode.peaks[name]))
      episode.peaks[name] = value;
  }
}

function hold(episode: Episode, holds: boolean[], endUs: number): void {
  episode.heldSinceUs = episode.heldSinceUs.map((since, i) => (holds[i] ? (since ?? endUs) : null));
}

/** The strongest level that has held for its `for`, or what a follow-up raised. */
function reached(episode: Episode, endUs: number): Severity | null {
  let best = episode.raised;
  for (const [i, level] of episode.rule.levels.entries()) {
    const since = episode.heldSinceUs[i];
    if (since === null || endUs - since < level.forUs) continue;
    if (best === null || rank(level.severity) > rank(best)) best = level.severity;
  }
  return best;
}

function strongestHeld(episode: Episode): Severity | null {
  return episode.rule.levels.findLast((_, i) => episode.heldSinceUs[i] !== null)?.severity ?? null;
}

function judgePending(episode: Episode, e: Evaluation): Verdict {
  const severity = reached(episode, e.endUs);
  if (severity) return { kind: 'fire', severity };
  const held = strongestHeld(episode);
  return held ? { kind: 'pending', severity: held } : { kind: 'end' };
}

function judgeFiring(episode: Episode, e: Evaluation): Verdict {
  const clear = e.clear && e.raise === null && !e.holds.includes(true);
  episode.clearSinceUs = clear ? (episode.clearSinceUs ?? e.endUs) : null;
  if (clear && e.endUs - (episode.clearSinceUs ?? e.endUs) >= e.rule.keepFiringForUs) return { kind: 'end' };
  if (clear) return { kind: 'unchanged' };
  const up = reached(episode, e.endUs);
  return up && rank(up) > rank(episode.severity) ? rise(episode, up) : sink(episode, e.endUs);
}

function rise(episode: Episode, severity: Severity): Verdict {
  episode.lostSinceUs = null;
  return { kind: 'fire', severity };
}

/** Between the conditions and `clear` an alert goes on at its weakest severity, after `keep_firing_for`. */
function sink(episode: Episode, endUs: number): Verdict {
  const floor = strongest(strongestHeld(episode) ?? episode.rule.levels[0].severity, episode.raised);
  if (rank(floor) >= rank(episode.severity)) {
    episode.lostSinceUs = null;
    return { kind: 'unchanged' };
  }
  episode.lostSinceUs ??= endUs;
  if (endUs - episode.lostSinceUs < episode.rule.keepFiringForUs) return { kind: 'unchanged' };
  episode.lostSinceUs = null;
  return { kind: 'fire', severity: floor };
}

function strongest(a: Severity, b: Severity | null): Severity {
  return b !== null && rank(b) > rank(a) ? b : a;
}
