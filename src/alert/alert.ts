import type { Counter, Metrics } from '../core/metrics.ts';
import { formatUs } from '../core/time.ts';
import type { AlertState, Evaluation, EvidenceSource, Transition } from '../model/alert.ts';
import type { RulePlan, Severity } from '../model/plan.ts';
import type { Key } from '../model/window-result.ts';
import { beginEpisode, begins, type Episode, judge, rank, type Verdict } from './episode.ts';
import type { Moment } from './moment.ts';
import { packEpisodes, unpackEpisodes } from './snapshot.ts';
import { isSuppressed, suppresses } from './suppression.ts';
import { alertIdOf, makeTransition } from './transition.ts';

export { renderTransition } from './render.ts';

export interface AlertOptions {
  /** Alerts (pending ones too) held at once; further ones are refused and counted. Default 65,536. */
  maxActive?: number;
}

export interface AlertDeps {
  metrics: Metrics;
  evidence: EvidenceSource;
  onTransition: (transition: Transition) => void;
}

/** One alert that is not over, as a summary or a page shows it. */
export interface ActiveAlert {
  alertId: string;
  rule: string;
  title: string;
  severity: Severity;
  state: 'pending' | 'firing' | 'suppressed';
  key: Key;
  /** ISO 8601, event time. */
  since: string;
  /** End of the last window judged. */
  updated: string;
  values: Evaluation['values'];
  expected: Evaluation['expected'];
}

/** States that come with evidence: the others would only repeat it. */
const WITH_EVIDENCE: readonly AlertState[] = ['firing', 'escalated', 'deescalated'];

/**
 * The alert state machine, driven by event time alone. It keeps the evaluations of one window end until the next one
 * (or the watermark) so that suppression does not depend on the order of rules, then tells transitions in the order
 * in which evaluations came. Every severity of one rule and key belongs to one alert.
 */
export class Alerts {
  readonly #maxActive: number;
  readonly #evidence: EvidenceSource;
  readonly #onTransition: (transition: Transition) => void;
  readonly #metrics: Metrics;
  readonly #refused: Counter;
  /** By rule id, then by text of the key. */
  #episodes = new Map<string, Map<string, Episode>>();
  #loud = new Set<Episode>();
  #waiting: Evaluation[] = [];
  #size = 0;
  #settledUs = Number.NEGATIVE_INFINITY;

  constructor(options: AlertOptions, { metrics, evidence, onTransition }: AlertDeps) {
    this.#maxActive = options.maxActive ?? 65_536;
    this.#evidence = evidence;
    this.#onTransition = onTransition;
    this.#metrics = metrics;
    this.#refused = metrics.counter(
      'weir_alert_drops_total{cause="table_full"}',
      'Alerts that did not begin because as many as allowed are active.',
    );
  }

  /** Takes one evaluation, in order of (window end, rule, key). It is kept as it is until its window end is settled. */
  evaluate(e: Evaluation): void {
    if (this.#waiting.length > 0 && e.endUs !== this.#waiting[0].endUs) this.#settle();
    if (begins(e) || this.#find(e)) this.#waiting.push(e);
  }

  /** Event time has passed `watermarkUs`: every evaluation of windows that ended by then has come. */
  advance(watermarkUs: number): void {
    if (this.#waiting.length > 0 && this.#waiting[0].endUs <= watermarkUs) this.#settle();
  }

  /**
   * End of input is a watermark at the end of time. What fires goes on firing, but an end that had begun
   * (`keep_firing_for` was running) is complete.
   */
  end(): void {
    this.#settle();
    const ending: { episode: Episode; dueUs: number }[] = [];
    for (const episode of this.#all()) {
      if (episode.phase !== 'firing' || episode.clearSinceUs === null) continue;
      const dueUs = Math.max(episode.clearSinceUs + episode.rule.keepFiringForUs, this.#settledUs);
      ending.push({ episode, dueUs });
    }
    ending.sort((a, b) => a.dueUs - b.dueUs || compareEpisodes(a.episode, b.episode));
    for (const { episode, dueUs } of ending) {
      const { window, values, expected } = episode;
      this.#remove(episode);
      this.#tell(this.#note(episode, 'resolved', { ...window, values, expected, missing: false, timeUs: dueUs }));
    }
  }

  /** What is pending, firing or suppressed now, oldest first. */
  active(): ActiveAlert[] {
    const episodes = [...this.#all()].sort((a, b) => a.sinceUs - b.sinceUs || compareEpisodes(a, b));
    return episodes.map((episode) => ({
      alertId: alertIdOf(episode),
      rule: episode.rule.id,
      title: episode.rule.title,
      severity: episode.severity,
      state: episode.phase,
      key: episode.key,
      since: formatUs(episode.sinceUs),
      updated: formatUs(episode.window.endUs),
      values: episode.values,
      expected: episode.expected,
    }));
  }

  /** The whole state; a restored machine tells the same transitions to the last byte. */
  save(): Uint8Array {
    return packEpisodes({ episodes: [...this.#all()], waiting: this.#waiting, settledUs: this.#settledUs });
  }

  /**
   * Takes up a saved state under the running rules. Alerts of rules that changed or left begin anew.
   * @returns the ids of those rules
   * @throws WeirError `alert.snapshot` when the bytes are damaged
   */
  restore(state: Uint8Array, rules: readonly RulePlan[]): string[] {
    const { episodes, waiting, settledUs, dropped } = unpackEpisodes(state, rules);
    this.#episodes = new Map();
    this.#loud = new Set();
    this.#size = 0;
    for (const episode of episodes) this.#add(episode);
    for (const episode of episodes) if (episode.phase === 'firing' && suppresses(episode.rule)) this.#loud.add(episode);
    this.#waiting = waiting;
    this.#settledUs = settledUs;
    return dropped;
  }

  /** Rules that suppress others are judged first; transitions leave in the order of the evaluations. */
  #settle(): void {
    const batch = this.#waiting;
    if (batch.length === 0) return;
    this.#waiting = [];
    this.#settledUs = batch[0].endUs;
    const told = new Array<Transition | null>(batch.length).fill(null);
    for (const first of [true, false]) {
      for (let i = 0; i < batch.length; i++) {
        if (suppresses(batch[i].rule) === first) told[i] = this.#apply(batch[i]);
      }
    }
    for (const transition of told) if (transition) this.#tell(transition);
  }

  #apply(e: Evaluation): Transition | null {
    const episode = this.#find(e) ?? this.#begin(e);
    if (!episode) return null;
    const state = this.#move(episode, judge(episode, e), e);
    if (!state) return null;
    const evidence = WITH_EVIDENCE.includes(state) ? this.#evidence(e) : [];
    return this.#note(episode, state, { ...e, timeUs: e.endUs }, evidence);
  }

  #move(episode: Episode, verdict: Verdict, e: Evaluation): AlertState | null {
    if (verdict.kind === 'end') return this.#remove(episode) ? 'resolved' : null;
    if (episode.phase !== 'firing' && verdict.kind !== 'pending') return this.#fire(episode, verdict, e);
    if (verdict.kind === 'unchanged') return null;
    const step = rank(verdict.severity) - rank(episode.severity);
    episode.severity = verdict.severity;
    if (verdict.kind === 'pending') return episode.transitions === 0 ? 'pending' : null;
    return step > 0 ? 'escalated' : 'deescalated';
  }

  /** A suppressed alert fires when nothing speaks for it any more and it still holds. */
  #fire(episode: Episode, verdict: Verdict, e: Evaluation): AlertState | null {
    const again = episode.phase === 'suppressed';
    if (verdict.kind === 'fire') episode.severity = verdict.severity;
    else if (!again) return null;
    if (again && (e.missing || !e.holds.includes(true))) return null;
    if (isSuppressed(episode, this.#loud)) {
      episode.phase = 'suppressed';
      return again ? null : 'suppressed';
    }
    episode.phase = 'firing';
    if (suppresses(episode.rule)) this.#loud.add(episode);
    return 'firing';
  }

  #note(episode: Episode, state: AlertState, moment: Moment, evidence: Transition['evidence'] = []): Transition {
    return makeTransition(episode, { state, number: episode.transitions++, evidence }, moment);
  }

  #tell(transition: Transition): void {
    const name = `weir_alert_transitions_total{state="${transition.state}"}`;
    this.#metrics.counter(name, 'Alert transitions told.').value++;
    this.#onTransition(transition);
  }

  #find(e: Evaluation): Episode | undefined {
    return this.#episodes.get(e.rule.id)?.get(e.keyText);
  }

  #begin(e: Evaluation): Episode | null {
    if (!begins(e)) return null;
    if (this.#size >= this.#maxActive) {
      this.#refused.value++;
      return null;
    }
    return this.#add(beginEpisode(e));
  }

  #add(episode: Episode): Episode {
    const known = this.#episodes.get(episode.rule.id);
    if (known) known.set(episode.keyText, episode);
    else this.#episodes.set(episode.rule.id, new Map([[episode.keyText, episode]]));
    this.#size++;
    return episode;
  }

  /** @returns whether anybody was told that it fires */
  #remove(episode: Episode): boolean {
    const ofRule = this.#episodes.get(episode.rule.id);
    if (ofRule?.delete(episode.keyText)) this.#size--;
    if (ofRule?.size === 0) this.#episodes.delete(episode.rule.id);
    this.#loud.delete(episode);
    return episode.phase === 'firing';
  }

  *#all(): Generator<Episode> {
    for (const ofRule of this.#episodes.values()) yield* ofRule.values();
  }
}

function compareEpisodes(a: Episode, b: Episode): number {
  if (a.rule.id !== b.rule.id) return a.rule.id < b.rule.id ? -1 : 1;
  return a.keyText < b.keyText ? -1 : 1;
}
