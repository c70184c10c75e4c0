import type { SeriesPoint } from './series.ts';

const FIRST_ROOM = 16;

/** The newest points of a series, 16 bytes each. */
export class RecentPoints {
  readonly #most: number;
  #times: Float64Array;
  #values: Float64Array;
  /** Points that were ever added. */
  #added = 0;

  /** @param most how many are kept */
  constructor(most: number) {
    this.#most = most;
    this.#times = new Float64Array(Math.min(most, FIRST_ROOM));
    this.#values = new Float64Array(this.#times.length);
  }

  get length(): number {
    return Math.min(this.#added, this.#most);
  }

  push(timeUs: number, value: number): void {
    if (this.#added === this.#times.length && this.#added < this.#most) this.#grow();
    const place = this.#added++ % this.#times.length;
    this.#times[place] = timeUs;
    this.#values[place] = value;
  }

  /** Counted from the oldest; from the newest when negative. */
  at(index: number): SeriesPoint | undefined {
    const { length } = this;
    if (index >= length || index < -length) return undefined;
    const place = (this.#added + index - (index < 0 ? 0 : length)) % this.#times.length;
    return { timeUs: this.#times[place], value: this.#values[place] };
  }

  /** Oldest first. */
  all(): SeriesPoint[] {
    return Array.from({ length: this.length }, (_, index) => this.at(index)!);
  }

  #grow(): void {
    const room = Math.min(this.#most, 2 * this.#times.length);
    const times = new Float64Array(room);
    const values = new Float64Array(room);
    times.set(this.#times);
    values.set(this.#values);
    this.#times = times;
    this.#values = values;
  }
}
