import type { StateReader, StateWriter } from '../core/state.ts';
import { WATERMARK_BOUND_US } from '../engine.ts';

export const IDLE_US = 10e6;
/** Silence shorter than this is no silence. */
const SLACK_US = 1e6;
/** A source whose newest event is no older than this when it comes is live: its silence moves event time. */
const LIVE_US = 60e6;

/** Event time of one source. Wall times are microseconds of the clock. */
export interface Lane {
  readonly name: string;
  readonly idleUs: number;
  /** Rows may begin this much before the latest end. */
  readonly boundUs: number;
  maxUs: number;
  /** When its last row came, and what was the newest event then. */
  arrivedUs: number;
  arrivedMaxUs: number;
  done: boolean;
}

/**
 * Event time over many sources: the watermark is the least of theirs. A source that is done or silent for its `idle`
 * steps aside, so that the others go on; one that is live moves on by the clock while it is silent, so that windows
 * close. Captures of the past move by their packets alone, whatever the clock says.
 */
export class TimeKeeper {
  readonly #nowUs: () => number;
  readonly #lanes = new Map<string, Lane>();

  constructor(nowUs: () => number) {
    this.#nowUs = nowUs;
  }

  /** The lane of a source; known again by its name. */
  lane(name: string, idleUs = IDLE_US, boundUs = 0): Lane {
    const nowUs = this.#nowUs();
    const maxUs = this.#lanes.get(name)?.maxUs ?? Number.NEGATIVE_INFINITY;
    const lane: Lane = { name, idleUs, boundUs, maxUs, arrivedUs: nowUs, arrivedMaxUs: maxUs, done: false };
    this.#lanes.set(name, lane);
    return lane;
  }

  remove(name: string): void {
    this.#lanes.delete(name);
  }

  /** Rows came from a source; to be called once a poll. */
  arrived(lane: Lane): void {
    if (lane.maxUs === lane.arrivedMaxUs) return;
    lane.arrivedUs = this.#nowUs();
    lane.arrivedMaxUs = lane.maxUs;
  }

  /** The least of the sources that are not idle, minus the bound. */
  watermark(): number {
    const nowUs = this.#nowUs();
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    for (const lane of this.#lanes.values()) {
      const reachedUs = lane.maxUs - (this.#isOver(lane, nowUs) ? 0 : lane.boundUs);
      if (reachedUs > most) most = reachedUs;
      if (!lane.done && nowUs - lane.arrivedUs < lane.idleUs && reachedUs < least) least = reachedUs;
    }
    return Math.min(least, most) - WATERMARK_BOUND_US;
  }

  /** Lets time pass for live sources that are silent. @returns where event time has come by the clock, or NaN */
  pass(): number {
    const nowUs = this.#nowUs();
    let passedUs = Number.NaN;
    for (const lane of this.#lanes.values()) {
      const silentUs = nowUs - lane.arrivedUs - SLACK_US;
      const isOver = this.#isOver(lane, nowUs);
      if (lane.done || silentUs <= 0 || !(isOver || isLive(lane))) continue;
      if (!isOver) lane.maxUs = Math.max(lane.maxUs, lane.arrivedMaxUs + silentUs);
      if (!(lane.maxUs >= passedUs)) passedUs = lane.maxUs;
    }
    return passedUs;
  }

  /** Since the last row of a source that is live; NaN of one that is not, or is done. */
  silentSeconds(name: string): number {
    const lane = this.#lanes.get(name);
    if (!lane || lane.done || Math.abs(lane.arrivedUs - lane.arrivedMaxUs) > LIVE_US) return Number.NaN;
    return (this.#nowUs() - lane.arrivedUs) / 1e6;
  }

  /** An exporter that sent traffic of the past and is silent has sent all of it: there is nothing to hold back for. */
  #isOver(lane: Lane, nowUs: number): boolean {
    return lane.boundUs > 0 && nowUs - lane.arrivedUs >= lane.idleUs && Number.isFinite(lane.maxUs) && !isLive(lane);
  }

  save(out: StateWriter): void {
    for (const { name, maxUs } of this.#lanes.values()) out.section(name, (lane) => lane.number(maxUs));
  }

  /** To be called before lanes are made. */
  restore(state: StateReader): void {
    for (const [name, lane] of state.sections()) {
      const maxUs = lane.number();
      this.#lanes.set(name, { name, idleUs: 0, boundUs: 0, maxUs, arrivedUs: 0, arrivedMaxUs: maxUs, done: true });
    }
  }
}

/** Its newest event was as new as its exporters' timeouts allow when it came. */
function isLive({ arrivedUs, arrivedMaxUs, boundUs }: Lane): boolean {
  return Math.abs(arrivedUs - arrivedMaxUs) <= LIVE_US + boundUs;
}
