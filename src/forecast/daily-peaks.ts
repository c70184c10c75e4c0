import { int16 } from './arena.ts';

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

/** Days since the epoch of the open day; days closed since the start; the cell last written and the values in it. */
const OPEN_DAY = 0;
const CLOSED_DAYS = 1;
const CELL = 2;
const IN_CELL = 3;
export const PEAK_SCALARS = 4;

/** Whose numbers the peaks stand behind. */
interface PeakState {
  readonly scalars: Float64Array;
  readonly floats: Float32Array;
  readonly floatsAt: number;
}

/** Cells of a day. */
export function peakFloats(stepUs: number): number {
  return Math.max(1, Math.min(CELLS, Math.round(DAY_US / stepUs)));
}

/**
 * The 95th percentile of each day (UTC) in log space: what a link is planned by. A day with less than half of its
 * steps is missing. Short steps are averaged to 288 cells a day first.
 */
export class DailyPeaks {
  private readonly state: PeakState;
  private readonly scalarsAt: number;
  private readonly floatsAt: number;
  /** Cells of a day; NaN is one without a value. */
  private readonly size: number;
  private days!: Int16Array;
  private daysAt = 0;
  private length = 0;

  /** Keeps its numbers behind those of the model `state`: `PEAK_SCALARS` scalars and `size` floats. */
  constructor(state: PeakState, scalarsAt: number, floatsAt: number, size: number) {
    this.state = state;
    this.scalarsAt = scalarsAt;
    this.floatsAt = state.floatsAt + floatsAt;
    this.size = size;
    this.allot(FIRST_DAYS);
    state.scalars[scalarsAt + OPEN_DAY] = Number.NaN;
  }

  private allot(length: number): void {
    const { array, at } = int16(length);
    this.days = array;
    this.daysAt = at;
    this.length = length;
  }

  /** The closed days themselves, for saving. */
  ownDays(): Int16Array {
    return this.days.subarray(this.daysAt, this.daysAt + this.length);
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
    const { size, scalarsAt } = this;
    const { floats, scalars } = this.state;
    const cell = Math.min(size - 1, Math.floor(((timeUs - day * DAY_US) / DAY_US) * size));
    const at = this.floatsAt + cell;
    if (cell !== scalars[scalarsAt + CELL]) {
      scalars[scalarsAt + CELL] = cell;
      scalars[scalarsAt + IN_CELL] = 0;
    }
    const n = ++scalars[scalarsAt + IN_CELL];
    floats[at] = n === 1 ? value : floats[at] + (value - floats[at]) / n;
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
    this.state.scalars[this.scalarsAt + CELL] = -1;
    this.state.floats.fill(Number.NaN, this.floatsAt, this.floatsAt + this.size);
  }

  /** ln of the open day's 95th percentile so far; NaN when less than half of the day is there. */
  private peak(): number {
    const { size, floatsAt } = this;
    const { floats } = this.state;
    let n = 0;
    for (let i = floatsAt; i < floatsAt + size; i++) if (!Number.isNaN(floats[i])) sorted[n++] = floats[i];
    if (n * 2 < size) return Number.NaN;
    const peak = sorted.subarray(0, n).sort()[Math.min(n - 1, Math.floor(0.95 * n))];
    return peak > 0 ? Math.log(peak) : Number.NaN;
  }

  private push(z: number): void {
    const n = this.closed;
    if (n === this.length && this.length < MOST_DAYS) {
      const smaller = this.ownDays();
      this.allot(Math.min(MOST_DAYS, this.length * GROWTH));
      this.days.set(smaller, this.daysAt);
    }
    const code = Math.round((z - CENTRE) / QUANTUM);
    this.days[this.daysAt + (n % this.length)] = Number.isNaN(z) ? MISSING : Math.max(-32767, Math.min(32767, code));
    this.state.scalars[this.scalarsAt + CLOSED_DAYS] = n + 1;
  }

  /** Closed days, oldest first; NaN where a day is missing. */
  history(): Float64Array {
    const n = this.closed;
    const kept = Math.min(n, this.length);
    return Float64Array.from({ length: kept }, (_, i) => {
      const code = this.days[this.daysAt + ((n - kept + i) % this.length)];
      return code === MISSING ? Number.NaN : code * QUANTUM + CENTRE;
    });
  }

  restore(saved: ArrayBuffer | undefined): void {
    const length = (saved?.byteLength ?? 0) / 2;
    if (!(length > 0 && length <= MOST_DAYS)) throw damaged('forecast state of another size');
    this.allot(length);
    fill(this.ownDays(), saved);
  }
}
