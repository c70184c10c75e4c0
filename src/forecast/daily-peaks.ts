import { int8 } from './arena.ts';
import { DAY_US } from './steps.ts';

/** Days kept: a year and a month, one byte a day. */
const MOST_DAYS = 400;
const FIRST_DAYS = 32;
const CELLS = 288;
const MISSING = -128;
/**
 * A day is kept as its distance from the day before in ln, to 0.1 % where days are alike, to a fortieth of the distance
 * where they are not: UNIT sinh(code / BEND), up to e^22 a day. Errors do not add up, for each distance begins where the day
 * before is read.
 */
const UNIT = 0.04;
const BEND = 18;
const LARGEST = 127;
const DISTANCES = Float64Array.from({ length: 2 * LARGEST + 1 }, (_, i) => UNIT * Math.sinh((i - LARGEST) / BEND));
/** A day's cells in order; shared because a percentile is taken at once. */
const sorted = new Float64Array(CELLS);

/** Days since the epoch of the open day; days closed since the start; the cell last written, the values in it; cells written. */
const OPEN_DAY = 0;
const CLOSED_DAYS = 1;
const CELL = 2;
const IN_CELL = 3;
const WRITTEN = 4;
/** ln of the newest day, and of the one before the oldest that is kept, as they are read; NaN while there is none. */
const NEWEST = 5;
const BEFORE = 6;
export const PEAK_SCALARS = 7;

/** The peaks of one series: numbers behind those of its model, and a ring of days that grows once. */
export interface PeakState {
  readonly scalars: Float64Array;
  readonly scalarsAt: number;
  readonly floats: Float32Array;
  readonly floatsAt: number;
  days: Int8Array;
  daysAt: number;
  daysLength: number;
}

/** Cells of a day. */
export function peakFloats(stepUs: number): number {
  return Math.max(1, Math.min(CELLS, Math.round(DAY_US / stepUs)));
}

/**
 * The 95th percentile of each day (UTC), or another one, in log space: what a link is planned by. A day with less than half of its
 * steps is missing. Short steps are averaged to 288 cells a day first. It holds no numbers of its own: those of a series
 * come as `p`.
 */
export class DailyPeaks {
  private readonly scalars: number;
  private readonly floats: number;
  /** Cells of a day; NaN is one without a value. */
  private readonly size: number;

  private readonly quantile: number;

  /** @param scalars where the peaks' scalars begin among those of a series; @param floats the same for `size` floats */
  constructor(scalars: number, floats: number, size: number, quantile: number) {
    this.scalars = scalars;
    this.floats = floats;
    this.size = size;
    this.quantile = quantile;
  }

  init(p: PeakState): void {
    const at = p.scalarsAt + this.scalars;
    p.scalars[at + OPEN_DAY] = p.scalars[at + NEWEST] = p.scalars[at + BEFORE] = Number.NaN;
    this.allot(p, FIRST_DAYS);
  }

  /** Room for another number of days; false when nobody can have had so many. */
  allot(p: PeakState, length: number): boolean {
    if (!(length > 0 && length <= MOST_DAYS)) return false;
    const { array, at } = int8(length);
    p.days = array;
    p.daysAt = at;
    p.daysLength = length;
    return true;
  }

  add(p: PeakState, timeUs: number, value: number): void {
    const s = p.scalars;
    const o = p.scalarsAt + this.scalars;
    const day = Math.floor(timeUs / DAY_US);
    if (day !== s[o + OPEN_DAY]) this.turn(p, day);
    if (!(value >= 0) || day !== s[o + OPEN_DAY]) return;
    const cell = Math.min(this.size - 1, Math.floor(((timeUs - day * DAY_US) / DAY_US) * this.size));
    const at = p.floatsAt + this.floats + cell;
    if (cell !== s[o + CELL]) {
      s[o + CELL] = cell;
      s[o + IN_CELL] = 0;
      s[o + WRITTEN]++;
    }
    const n = ++s[o + IN_CELL];
    p.floats[at] = n === 1 ? value : p.floats[at] + (value - p.floats[at]) / n;
  }

  /** The time at which the open day began. */
  openDayUs(p: PeakState): number {
    return p.scalars[p.scalarsAt + this.scalars + OPEN_DAY] * DAY_US;
  }

  private turn(p: PeakState, day: number): void {
    const s = p.scalars;
    const o = p.scalarsAt + this.scalars;
    const open = s[o + OPEN_DAY];
    if (day < open) return;
    if (!Number.isNaN(open)) {
      this.push(p, this.peak(p));
      for (let i = Math.min(day - open - 1, MOST_DAYS); i > 0; i--) this.push(p, Number.NaN);
    }
    const at = p.floatsAt + this.floats;
    if (s[o + WRITTEN] > 0 || Number.isNaN(open)) p.floats.fill(Number.NaN, at, at + this.size);
    s[o + OPEN_DAY] = day;
    s[o + CELL] = -1;
    s[o + WRITTEN] = 0;
  }

  /** ln of the open day's 95th percentile so far; NaN when less than half of the day is there. */
  private peak(p: PeakState): number {
    const { size } = this;
    // A capture whose times leap closes a day with each value: those are not worth a look.
    if (p.scalars[p.scalarsAt + this.scalars + WRITTEN] * 2 < size) return Number.NaN;
    const from = p.floatsAt + this.floats;
    let n = 0;
    for (let i = from; i < from + size; i++) if (!Number.isNaN(p.floats[i])) sorted[n++] = p.floats[i];
    if (n * 2 < size) return Number.NaN;
    const peak = sorted.subarray(0, n).sort()[Math.min(n - 1, Math.floor(this.quantile * n))];
    return peak > 0 ? Math.log(peak) : Number.NaN;
  }

  private push(p: PeakState, z: number): void {
    const s = p.scalars;
    const o = p.scalarsAt + this.scalars;
    const n = s[o + CLOSED_DAYS];
    if (n === p.daysLength && n < MOST_DAYS) this.grow(p);
    const at = p.daysAt + (n % p.daysLength);
    // The day that makes room is the one from which the next oldest is read.
    if (n >= p.daysLength && p.days[at] !== MISSING) s[o + BEFORE] += DISTANCES[p.days[at] + LARGEST];
    s[o + CLOSED_DAYS] = n + 1;
    p.days[at] = MISSING;
    if (Number.isNaN(z)) return;
    if (Number.isNaN(s[o + NEWEST])) s[o + NEWEST] = s[o + BEFORE] = z;
    const code = Math.round(BEND * Math.asinh((z - s[o + NEWEST]) / UNIT));
    p.days[at] = Math.max(-LARGEST, Math.min(LARGEST, code));
    s[o + NEWEST] += DISTANCES[p.days[at] + LARGEST];
  }

  /** Only ever called before the first wrap, so the days stay where they are. */
  private grow(p: PeakState): void {
    const { days, daysAt, daysLength } = p;
    this.allot(p, MOST_DAYS);
    p.days.set(days.subarray(daysAt, daysAt + daysLength), p.daysAt);
  }

  /** Closed days, oldest first; NaN where a day is missing. */
  history(p: PeakState): Float64Array {
    const s = p.scalars;
    const o = p.scalarsAt + this.scalars;
    const n = s[o + CLOSED_DAYS];
    const kept = Math.min(n, p.daysLength);
    let z = s[o + BEFORE];
    return Float64Array.from({ length: kept }, (_, i) => {
      const code = p.days[p.daysAt + ((n - kept + i) % p.daysLength)];
      if (code === MISSING) return Number.NaN;
      z += DISTANCES[code + LARGEST];
      return z;
    });
  }
}
