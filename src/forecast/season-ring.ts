import { int16 } from './arena.ts';
import { CELL_STEPS, CELL_SUM, CELL_VALUES, CLOSED, FLOOR, NEXT } from './model-scalars.ts';

const QUANTUM = 0.002;
export const MISSING = -32768;
/** Zero has no logarithm; it is read as the floor of the moment. */
const ZERO = -32767;
const FIRST_CELLS = 32;
/** Growth: few and large steps, for what is left behind is not taken back. */
const GROWTH = 8;
/** A ring of up to this many cells is made whole at once. */
const SMALL = 256;

/** The ring of one series. */
export interface RingState {
  readonly scalars: Float64Array;
  readonly scalarsAt: number;
  past: Int16Array;
  pastAt: number;
  pastLength: number;
}

/**
 * The recent past of a series in log space, two bytes a cell, quantised at 0.2 %. A cell is one step, or several
 * when the longest season has more steps than the ring may have cells; then lags are read between cell means.
 * The ring grows with the age of the series, so that a key seen for an hour costs an hour. It holds no numbers of its own:
 * those of a series come as `m`.
 */
export class SeasonRing {
  readonly stepsPerCell: number;
  readonly maxCells: number;
  readonly firstCells: number;

  constructor(stepsPerCell: number, maxCells: number) {
    this.stepsPerCell = stepsPerCell;
    this.maxCells = maxCells;
    this.firstCells = maxCells <= SMALL ? maxCells : FIRST_CELLS;
  }

  init({ scalars, scalarsAt }: RingState): void {
    scalars[scalarsAt + FLOOR] = -50;
  }

  /** Appends one step; NaN is missing, -Infinity zero. */
  push(m: RingState, z: number): void {
    if (this.stepsPerCell === 1) {
      this.append(m, encodeCell(z));
      return;
    }
    const s = m.scalars;
    const o = m.scalarsAt;
    if (!Number.isNaN(z)) {
      s[o + CELL_SUM] += Math.max(z, s[o + FLOOR]);
      s[o + CELL_VALUES]++;
    }
    if (++s[o + CELL_STEPS] === this.stepsPerCell) {
      this.append(m, encodeCell(s[o + CELL_VALUES] > 0 ? s[o + CELL_SUM] / s[o + CELL_VALUES] : Number.NaN));
      s[o + CELL_SUM] = s[o + CELL_VALUES] = s[o + CELL_STEPS] = 0;
    }
  }

  private append(m: RingState, code: number): void {
    const s = m.scalars;
    const o = m.scalarsAt;
    if (s[o + CLOSED] === m.pastLength && m.pastLength < this.maxCells) this.grow(m);
    m.past[m.pastAt + s[o + NEXT]] = code;
    s[o + CLOSED]++;
    s[o + NEXT] = s[o + NEXT] + 1 === m.pastLength ? 0 : s[o + NEXT] + 1;
  }

  /** Only ever called before the first wrap, so the cells stay where they are. */
  private grow(m: RingState): void {
    const { past, pastAt, pastLength } = m;
    this.allot(m, Math.min(this.maxCells, pastLength * GROWTH));
    m.past.set(past.subarray(pastAt, pastAt + pastLength), m.pastAt);
    m.scalars[m.scalarsAt + NEXT] = pastLength;
  }

  /** Room for another number of cells, whose content is nothing. */
  allot(m: RingState, length: number): void {
    const { array, at } = int16(length);
    m.past = array;
    m.pastAt = at;
    m.pastLength = length;
  }

  /** Forgets everything, for a gap longer than the ring. */
  clear({ scalars, scalarsAt }: RingState): void {
    scalars.fill(0, scalarsAt + CLOSED, scalarsAt + (this.stepsPerCell === 1 ? NEXT : CELL_STEPS) + 1);
  }

  /** Writes a closed cell anew, as `encodeCell` gives it; one that is not there any more, or not yet, is left. */
  set(m: RingState, i: number, code: number): void {
    const back = m.scalars[m.scalarsAt + CLOSED] - i;
    if (back <= 0 || back > m.pastLength || i < 0) return;
    const at = m.scalars[m.scalarsAt + NEXT] - back;
    m.past[m.pastAt + (at < 0 ? at + m.pastLength : at)] = code;
  }

  /** The cell with this absolute number; NaN when missing, too old or not yet there. */
  cell(m: RingState, i: number): number {
    const s = m.scalars;
    const o = m.scalarsAt;
    const back = s[o + CLOSED] - i;
    if (back <= 0 || back > m.pastLength || i < 0) return Number.NaN;
    // Adding is cheaper than a division, and this is read five times a step and horizon.
    const at = s[o + NEXT] - back;
    const code = m.past[m.pastAt + (at < 0 ? at + m.pastLength : at)];
    // The code of zero is lower than any floor.
    return code === MISSING ? Number.NaN : Math.max(code * QUANTUM, s[o + FLOOR]);
  }

  /** The value at a step, counted from the first one pushed. */
  at(m: RingState, step: number): number {
    return this.stepsPerCell === 1 ? this.cell(m, step) : this.between(m, step);
  }

  /** Apart from `at`, which is inlined where it is this much shorter. */
  private between(m: RingState, step: number): number {
    const place = (step + 0.5) / this.stepsPerCell - 0.5;
    const left = Math.floor(place);
    const a = this.cell(m, left);
    const b = this.cell(m, left + 1);
    if (Number.isNaN(a)) return b;
    return Number.isNaN(b) ? a : a + (b - a) * (place - left);
  }
}

/** A value as a cell holds it; NaN is missing, -Infinity zero. */
export function encodeCell(z: number): number {
  if (Number.isNaN(z)) return MISSING;
  if (z === Number.NEGATIVE_INFINITY) return ZERO;
  return Math.max(-32766, Math.min(32767, Math.round(z / QUANTUM)));
}

export function decodeCell(code: number): number {
  return code === ZERO ? Number.NEGATIVE_INFINITY : code * QUANTUM;
}
