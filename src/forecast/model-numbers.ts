import { float32, float64, int16 } from './arena.ts';
import type { HeadState } from './horizon-head.ts';
import type { ModelLayout } from './model-layout.ts';
import type { RingState } from './season-ring.ts';

/**
 * The numbers of one series: slices of shared arrays, each with where it begins. What series with the same options have in
 * common is in the layout; a hundred thousand series are no more than one such object each.
 */
export class ModelNumbers implements HeadState, RingState {
  readonly layout: ModelLayout;
  readonly scalars: Float64Array;
  readonly scalarsAt: number;
  readonly floats: Float32Array;
  readonly floatsAt: number;
  readonly cells: Int16Array;
  readonly cellsAt: number;
  /** The recent past; it grows with the age of the series. */
  past: Int16Array;
  pastAt: number;
  pastLength: number;

  constructor(layout: ModelLayout) {
    this.layout = layout;
    const scalars = float64(layout.scalars);
    this.scalars = scalars.array;
    this.scalarsAt = scalars.at;
    const floats = float32(layout.floats);
    this.floats = floats.array;
    this.floatsAt = floats.at;
    const cells = int16(layout.cells);
    this.cells = cells.array;
    this.cellsAt = cells.at;
    const past = int16(layout.ring.firstCells);
    this.past = past.array;
    this.pastAt = past.at;
    this.pastLength = layout.ring.firstCells;
  }

  /** The slices themselves, as views, for saving and restoring; then the past. */
  protected own(): [Float64Array, Float32Array, Int16Array, Int16Array] {
    const { layout, scalarsAt, floatsAt, cellsAt, pastAt } = this;
    return [
      this.scalars.subarray(scalarsAt, scalarsAt + layout.scalars),
      this.floats.subarray(floatsAt, floatsAt + layout.floats),
      this.cells.subarray(cellsAt, cellsAt + layout.cells),
      this.past.subarray(pastAt, pastAt + this.pastLength),
    ];
  }
}
