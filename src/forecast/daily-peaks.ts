import { DAY_US } from './steps.ts';

/** Days kept: a year and a month, two bytes a day. */
const MOST_DAYS = 400;
const FIRST_DAYS = 32;
const CELLS = 288;
const QUANTUM = 0.001;
const MISSING = -32768;
/** ln of the unit in which peaks are kept, so that loads from 1e-9 to 1e19 fit two bytes. */
const CENTRE = 12;

/**
 * The 95th percentile of each day (UTC) in log space: what a link is planned by. A day with less than half of its
 * steps is missing. Short steps are averaged to 288 cells a day first.
 */
export class DailyPeaks {
  days: Int16Array = new Int16Array(FIRST_DAYS);
  /** Days since the epoch of the open day, days closed since the start, then the open day's cells. */
  readonly scalars = new Float64Array(3);
  private readonly cells: Float32Array;
  private readonly counts: Uint16Array;

  constructor(stepUs: number) {
    const cells = Math.max(1, Math.min(CELLS, Math.round(DAY_US / stepUs)));
    this.cells = new Float32Array(cells);
    this.counts = new Uint16Array(cells);
    this.scalars[0] = Number.NaN;
  }

  add(timeUs: number, value: number): void {
    const day = Math.floor(timeUs / DAY_US);
    if (day !== this.scalars[0]) this.turn(day);
    if (!(value >= 0)) return;
    const i = Math.min(this.cells.length - 1, Math.floor(((timeUs - day * DAY_US) / DAY_US) * this.cells.length));
    const n = Math.min(60000, ++this.counts[i]);
    this.cells[i] += (value - this.cells[i]) / n;
  }

  /** The time at which the open day began. */
  get openDayUs(): number {
    return this.scalars[0] * DAY_US;
  }

  private turn(day: number): void {
    const open = this.scalars[0];
    if (day < open) return;
    if (!Number.isNaN(open)) {
      this.push(this.peak());
      for (let i = Math.min(day - open - 1, MOST_DAYS); i > 0; i--) this.push(Number.NaN);
    }
    this.scalars[0] = day;
    this.cells.fill(0);
    this.counts.fill(0);
  }

  /** ln of the open day's 95th percentile so far; NaN when less than half of the day is there. */
  private peak(): number {
    const seen: number[] = [];
    for (let i = 0; i < this.cells.length; i++) if (this.counts[i] > 0) seen.push(this.cells[i]);
    if (seen.length * 2 < this.cells.length) return Number.NaN;
    seen.sort((a, b) => a - b);
    const peak = seen[Math.min(seen.length - 1, Math.floor(0.95 * seen.length))];
    return peak > 0 ? Math.log(peak) : Number.NaN;
  }

  private push(z: number): void {
    const n = this.scalars[1];
    if (n >= this.days.length && this.days.length < MOST_DAYS) {
      const larger = new Int16Array(Math.min(MOST_DAYS, this.days.length * 2));
      larger.set(this.days);
      this.days = larger;
    }
    const code = Math.round((z - CENTRE) / QUANTUM);
    this.days[n % this.days.length] = Number.isNaN(z) ? MISSING : Math.max(-32767, Math.min(32767, code));
    this.scalars[1] = n + 1;
  }

  /** Closed days, oldest first; NaN where a day is missing. */
  history(): Float64Array {
    const n = this.scalars[1];
    const kept = Math.min(n, this.days.length);
    return Float64Array.from({ length: kept }, (_, i) => {
      const code = this.days[(n - kept + i) % this.days.length];
      return code === MISSING ? Number.NaN : code * QUANTUM + CENTRE;
    });
  }

  arrays(): (Float64Array | Float32Array | Int16Array)[] {
    return [this.scalars, this.cells, new Int16Array(this.counts.buffer), this.days];
  }

  restore(days: ArrayBuffer): void {
    if (days.byteLength === 0 || days.byteLength > MOST_DAYS * 2)
      throw new RangeError('forecast state has another size');
    this.days = new Int16Array(days);
  }
}
