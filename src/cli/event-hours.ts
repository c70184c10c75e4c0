const HOUR_US = 3600e6;
/** What lies further back than this is caught up on, and follows its own hours; the rest follows the clock. */
const PAST_US = 2 * HOUR_US;

/**
 * Publishes forecasts once an hour of event time while a run catches up on the past: a replay of a month then has the
 * forecasts, and the record of them, that it would have had live. When an hour is published depends on the points alone, so
 * that a run which was cut goes on as if it had not been.
 */
export class EventHours {
  readonly #publish: () => void;
  readonly #nowUs: () => number;
  readonly #stepUs: number;
  #hour = Number.NaN;

  /** @param stepUs distance of the points: the first step after an hour says that all points of the hour are there */
  constructor(publish: () => void, nowUs: () => number, stepUs: number) {
    this.#publish = publish;
    this.#nowUs = nowUs;
    this.#stepUs = stepUs;
  }

  /** A load has come to `timeUs`. */
  point(timeUs: number): void {
    const hour = Math.floor(timeUs / HOUR_US);
    if (hour <= this.#hour || timeUs - hour * HOUR_US !== this.#stepUs % HOUR_US) return;
    this.#hour = hour;
    if (timeUs < this.#nowUs() - PAST_US) this.#publish();
  }
}
