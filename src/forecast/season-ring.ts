import { int16 } from './arena.ts';
import { damaged, fill } from './state.ts';

/**
 * The recent past of one series in log space, two bytes a cell, quantised at 0.2 %. A cell is one step, or several
 * when the longest season has more steps than the ring may have cells; then lags are read between cell means.
 * The ring grows with the age of the series, so that a key seen for an hour costs an hour.
 */
const QUANTUM = 0.002;
export const MISSING = -32768;
/** Zero has no logarithm; it is read as the floor of the moment. */
const ZERO = -32767;
const FIRST_CELLS = 32;
/** Growth: few and large steps, for what is left behind is not taken back at once. */
const GROWTH = 8;
/** A ring of up to this many cells is made whole at once. */
const SMALL = 256;

export class SeasonRing {
  readonly stepsPerCell: number;
  readonly maxCells: number;
  /** Read for zeros and for values below it. */
  floor = -50;
  private cells!: Int16Array;
  /** Where the ring's cells begin in `cells`, and how many there are. */
  private cellsAt = 0;
  private length = 0;
  /** Cells pushed since the start, the open one not counted. */
  count = 0;
  /** Where the next cell goes. */
  private next = 0;
  private sum = 0;
  private inSum = 0;
  private inCell = 0;

  constructor(stepsPerCell: number, maxCells: number) {
    this.stepsPerCell = stepsPerCell;
    this.maxCells = maxCells;
    this.allot(maxCells <= SMALL ? maxCells : FIRST_CELLS);
  }

  private allot(length: number): void {
    const { array, at } = int16(length);
    this.cells = array;
    this.cellsAt = at;
    this.length = length;
  }

  /** The cells themselves, for saving. */
  ownCells(): Int16Array {
    return this.cells.subarray(this.cellsAt, this.cellsAt + this.length);
  }

  /** Appends one step; NaN is missing, -Infinity zero. */
  push(z: number): void {
    if (this.stepsPerCell === 1) {
      this.append(encodeCell(z));
      return;
    }
    if (!Number.isNaN(z)) {
      this.sum += Math.max(z, this.floor);
      this.inSum++;
    }
    if (++this.inCell === this.stepsPerCell) {
      this.append(encodeCell(this.inSum > 0 ? this.sum / this.inSum : Number.NaN));
      this.sum = this.inSum = this.inCell = 0;
    }
  }

  private append(code: number): void {
    if (this.count === this.length && this.length < this.maxCells) this.grow();
    this.cells[this.cellsAt + this.next] = code;
    this.count++;
    this.next = this.count % this.length;
  }

  /** Only ever called before the first wrap, so the cells stay where they are. */
  private grow(): void {
    const smaller = this.ownCells();
    this.allot(Math.min(this.maxCells, this.length * GROWTH));
    this.cells.set(smaller, this.cellsAt);
    this.next = this.count;
  }

  /** Forgets everything, for a gap longer than the ring. */
  clear(): void {
    this.count = this.next = 0;
    this.sum = this.inSum = this.inCell = 0;
  }

  /** Writes a closed cell anew, as `encodeCell` gives it; one that is not there any more, or not yet, is left. */
  set(i: number, code: number): void {
    const back = this.count - i;
    if (back <= 0 || back > this.length || i < 0) return;
    const at = this.next - back;
    this.cells[this.cellsAt + (at < 0 ? at + this.length : at)] = code;
  }

  /** The cell with this absolute number; NaN when missing, too old or not yet there. */
  cell(i: number): number {
    const back = this.count - i;
    const { length } = this;
    if (back <= 0 || back > length || i < 0) return Number.NaN;
    // Adding is cheaper than a division, and this is read five times a step and horizon.
    const at = this.next - back;
    const code = this.cells[this.cellsAt + (at < 0 ? at + length : at)];
    if (code === MISSING) return Number.NaN;
    return code === ZERO ? this.floor : Math.max(code * QUANTUM, this.floor);
  }

  /** The value at a step, counted from the first one pushed. */
  at(step: number): number {
    if (this.stepsPerCell === 1) return this.cell(step);
    const place = (step + 0.5) / this.stepsPerCell - 0.5;
    const left = Math.floor(place);
    const a = this.cell(left);
    const b = this.cell(left + 1);
    if (Number.isNaN(a)) return b;
    return Number.isNaN(b) ? a : a + (b - a) * (place - left);
  }

  /** The scalars that are not in `cells`, for saving. */
  scalars(): number[] {
    return [this.floor, this.count, this.sum, this.inSum, this.inCell];
  }

  restore(scalars: ArrayLike<number>, saved: ArrayBuffer | undefined): void {
    const length = (saved?.byteLength ?? 0) / 2;
    if (!(length > 0 && length <= this.maxCells)) throw damaged('forecast state of another size');
    this.allot(length);
    fill(this.ownCells(), saved);
    this.floor = scalars[0];
    this.count = scalars[1];
    this.sum = scalars[2];
    this.inSum = scalars[3];
    this.inCell = scalars[4];
    this.next = this.count % length;
  }
}
export const RING_SCALARS = 5;

/** A value as a cell holds it; NaN is missing, -Infinity zero. */
export function encodeCell(z: number): number {
  if (Number.isNaN(z)) return MISSING;
  if (z === Number.NEGATIVE_INFINITY) return ZERO;
  return Math.max(-32766, Math.min(32767, Math.round(z / QUANTUM)));
}

export function decodeCell(code: number): number {
  return code === ZERO ? Number.NEGATIVE_INFINITY : code * QUANTUM;
}
