import { int16 } from './arena.ts';
import type { HeadState } from './horizon-head.ts';
import { damaged, fill } from './state.ts';
import { DAY_US } from './steps.ts';

/** Days kept: a year and a month, two bytes a day. */
const MOST_DAYS = 400;
const FIRST_DAYS = 16;
const GROWTH = 5;
const CELLS = 288;
const QUANTUM = 0.001;
const MISSING = -32768;
/** A day's cells in order; shared because a percentile is taken at once. */
const sorted = new Float64Array(CELLS);
/** ln of the unit in which peaks are kept, so that loads from 1e-9 to 1e19 fit two bytes. */
const CENTRE = 12;

/** Days since the epoch of the open day; days closed since the start. */
const OPEN_DAY = 0;
const CLOSED_DAYS = 1;
export const PEAK_SCALARS = 2;

export function peakFloats(stepUs: number): number {
  return 2 * Math.max(1, Math.min(CELLS, Math.round(DAY_US / stepUs)));
}

/**
 * The 95th percentile of each day (UTC) in log space: what a link is planned by. A day with less than half of its
 * steps is missing. Short steps are averaged to 288 cells a day first.
 */
export class DailyPeaks {
  days: Int16Array = int16(FIRST_DAYS);
  private readonly state: HeadState;
  private readonly scalarsAt: number;
  private readonly floatsAt: number;

  /** Keeps its numbers behind those of the model `state`: `PEAK_SCALARS` scalars and `peakFloats` floats. */
  constructor(state: HeadState, scalarsAt: number, floatsAt: number) {
    this.state = state;
    this.scalarsAt = scalarsAt;
    this.floatsAt = floatsAt;
    state.scalars[scalarsAt + OPEN_DAY] = Number.NaN;
  }

  /** Cells of a day: their means, then their counts. */
  private get size(): number {
    return (this.state.floats.length - this.floatsAt) / 2;
  }

  private get openDay(): number {
    return this.state.scalars[this.scalarsAt + OPEN_DAY];
  }

  private get closed(): number {
    return this.state.scalars[this.scalarsAt + CLOSED_DAYS];
  }

  add(timeUs: number, value: number): void {
    const day = Math.floor(timeUs / DAY_US);
    if (day !== this.openDay) this.turn(day);
    if (!(value >= 0) || day !== this.openDay) return;
    const { size, floatsAt } = this;
    const { floats } = this.state;
    const at = floatsAt + Math.min(size - 1, Math.floor(((timeUs - day * DAY_US) / DAY_US) * size));
    floats[at + size]++;
    floats[at] += (value - floats[at]) / floats[at + size];
  }

  /** The time at which the open day began. */
  get openDayUs(): number {
    return this.openDay * DAY_US;
  }

  private turn(day: number): void {
    const open = this.openDay;
    if (day < open) return;
    if (!Number.isNaN(open)) {
      this.push(this.peak());
      for (let i = Math.min(day - open - 1, MOST_DAYS); i > 0; i--) this.push(Number.NaN);
    }
    this.state.scalars[this.scalarsAt + OPEN_DAY] = day;
    this.state.floats.fill(0, this.floatsAt);
  }

  /** ln of the open day's 95th percentile so far; NaN when less than half of the day is there. */
  private peak(): number {
    const { size, floatsAt } = this;
    const { floats } = this.state;
    let n = 0;
    for (let i = floatsAt; i < floatsAt + size; i++) if (floats[i + size] > 0) sorted[n++] = floats[i];
    if (n * 2 < size) return Number.NaN;
    const peak = sorted.subarray(0, n).sort()[Math.min(n - 1, Math.floor(0.95 * n))];
    return peak > 0 ? Math.log(peak) : Number.NaN;
  }

  private push(z: number): void {
    const n = this.closed;
    if (n === this.days.length && this.days.length < MOST_DAYS) {
      const larger = int16(Math.min(MOST_DAYS, this.days.length * GROWTH));
      larger.set(this.days);
      this.days = larger;
    }
    const code = Math.round((z - CENTRE) / QUANTUM);
    this.days[n % this.days.length] = Number.isNaN(z) ? MISSING : Math.max(-32767, Math.min(32767, code));
    this.state.scalars[this.scalarsAt + CLOSED_DAYS] = n + 1;
  }

  /** Closed days, oldest first; NaN where a day is missing. */
  history(): Float64Array {
    const n = this.closed;
    const kept = Math.min(n, this.days.length);
    return Float64Array.from({ length: kept }, (_, i) => {
      const code = this.days[(n - kept + i) % this.days.length];
      return code === MISSING ? Number.NaN : code * QUANTUM + CENTRE;
    });
  }

  restore(saved: ArrayBuffer | undefined): void {
    const length = (saved?.byteLength ?? 0) / 2;
    if (!(length > 0 && length <= MOST_DAYS)) throw damaged('forecast state of another size');
    this.days = int16(length);
    fill(this.days, saved);
  }
}
