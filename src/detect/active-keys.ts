import type { Counter } from '../core/metrics.ts';
import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import type { RulePlan } from '../model/plan.ts';
import type { KeyHandle } from '../model/window-result.ts';
import { restoreSubject, type Subject, saveSubject } from './subject.ts';

interface Active extends Subject {
  clearSinceUs: number | null;
  /** End of the last window, or of the last time without data. */
  seenUs: number;
}

interface Remembered extends Subject {
  /** The first row that matched, when a level first held. */
  sinceUs: number;
  untilUs: number;
}

const MOST = 65_536;

/**
 * Keys of one rule that the alert room wants to hear of in every window: from the first window in which a level held
 * until `clear` has held for `keep_firing_for`. And keys that a follow-up waits for.
 */
export class ActiveKeys implements Stateful {
  readonly #rule: RulePlan;
  readonly #refused: Counter;
  readonly #active = new Map<string, Active>();
  readonly #remembered = new Map<string, Remembered>();

  constructor(rule: RulePlan, refused: Counter) {
    this.#rule = rule;
    this.#refused = refused;
  }

  get size(): number {
    return this.#active.size;
  }

  all(): IterableIterator<Subject> {
    return this.#active.values();
  }

  /** Keys that are told of in every window, and those that a follow-up waits for. */
  *watched(): Generator<KeyHandle> {
    for (const { handle } of this.#active.values()) yield handle;
    for (const { handle } of this.#remembered.values()) yield handle;
  }

  has(text: string): boolean {
    return this.#active.has(text);
  }

  /** Notes how a window was judged; true when the alert room wants to hear of it. */
  note(subject: Subject, endUs: number, alarming: boolean, clear: boolean): boolean {
    const active = this.#active.get(subject.text) ?? (alarming ? this.#begin(subject, endUs) : null);
    if (active === null) return false;
    active.seenUs = endUs;
    if (alarming || !clear) active.clearSinceUs = null;
    else active.clearSinceUs ??= endUs;
    if (active.clearSinceUs !== null && endUs - active.clearSinceUs >= this.#rule.keepFiringForUs) {
      this.#active.delete(subject.text);
    }
    return true;
  }

  /**
   * The source gave no data until `endUs`, and all of `subjects` are told so. As in the alert room, that time does not
   * count for `keep_firing_for`; `no_data: resolve` has ended what was active, `alert` may have begun an alert of each.
   */
  missing(subjects: Iterable<Subject>, endUs: number): void {
    if (this.#rule.noData === 'resolve') this.#active.clear();
    for (const active of this.#active.values()) {
      if (active.clearSinceUs !== null) active.clearSinceUs += endUs - active.seenUs;
      active.seenUs = endUs;
    }
    if (this.#rule.noData !== 'alert') return;
    for (const subject of subjects) if (!this.#active.has(subject.text)) this.#begin(subject, endUs);
  }

  #begin(subject: Subject, seenUs: number): Active | null {
    if (this.#active.size >= MOST) {
      this.#refused.value++;
      return null;
    }
    const active = { ...subject, clearSinceUs: null, seenUs };
    this.#active.set(subject.text, active);
    return active;
  }

  /** A level held: rows of the follow-up count from the first row that matched. */
  remember(subject: Subject, matchedUs: number, endUs: number): void {
    const { follow } = this.#rule;
    if (!follow) return;
    const known = this.#remembered.get(subject.text);
    if (known) known.untilUs = endUs + follow.withinUs;
    else if (this.#remembered.size >= MOST) this.#refused.value++;
    else this.#remembered.set(subject.text, { ...subject, sinceUs: matchedUs, untilUs: endUs + follow.withinUs });
  }

  /** True when the follow-up's row at `followedUs` belongs to what the key did before. */
  followed(text: string, followedUs: number): boolean {
    const known = this.#remembered.get(text);
    return known !== undefined && followedUs > known.sinceUs && followedUs <= known.untilUs;
  }

  /** Keys that a follow-up waits for; those whose time is over at `startUs` are forgotten. */
  *waiting(startUs: number): Generator<Subject> {
    for (const remembered of this.#remembered.values()) {
      if (remembered.untilUs < startUs) this.#remembered.delete(remembered.text);
      else yield remembered;
    }
  }

  save(out: StateWriter): void {
    out.number(this.#active.size);
    for (const active of this.#active.values()) {
      saveSubject(active, out);
      out.number(active.clearSinceUs ?? Number.NaN);
      out.number(active.seenUs);
    }
    out.number(this.#remembered.size);
    for (const remembered of this.#remembered.values()) {
      saveSubject(remembered, out);
      out.number(remembered.sinceUs);
      out.number(remembered.untilUs);
    }
  }

  restore(state: StateReader): void {
    this.#active.clear();
    for (let left = state.number(); left > 0; left--) {
      const subject = restoreSubject(state);
      const clearSinceUs = state.number();
      const seenUs = state.number();
      const since = Number.isNaN(clearSinceUs) ? null : clearSinceUs;
      this.#active.set(subject.text, { ...subject, clearSinceUs: since, seenUs });
    }
    this.#remembered.clear();
    for (let left = state.number(); left > 0; left--) {
      const subject = restoreSubject(state);
      this.#remembered.set(subject.text, { ...subject, sinceUs: state.number(), untilUs: state.number() });
    }
  }
}
