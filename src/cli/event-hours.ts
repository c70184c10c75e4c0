const HOUR_US = 3600e6;
/** What lies further back than this is caught up on, and follows its own hours; the rest follows the clock. */
const PAST_US = 2 * HOUR_US;

/**
 * Publishes forecasts once an hour of event time while a run catches up on the past: a replay of a month then has the
 * forecasts, and the record of them, that it would have had live.
 */
export class EventHours {
  readonly #publish: () => void;
  readonly #nowUs: () => number;
  #hour = Number.NaN;

  constructor(publish: () => void, nowUs: () => number) {
    this.#publish = publish;
    this.#nowUs = nowUs;
  }

  /** A load has come to `timeUs`. */
  point(timeUs: number): void {
    const hour = Math.floor(timeUs / HOUR_US);
    if (hour <= this.#hour) return;
    const begun = !Number.isNaN(this.#hour);
    this.#hour = hour;
    if (begun && timeUs < this.#nowUs() - PAST_US) this.#publish();
  }
}
