import { float32, float64, int16 } from './arena.ts';
import type { HeadState } from './horizon-head.ts';

/** The numbers of one series: slices of shared arrays, each with where it begins. */
export class ModelNumbers implements HeadState {
  readonly scalars: Float64Array;
  readonly scalarsAt: number;
  readonly floats: Float32Array;
  readonly floatsAt: number;
  readonly cells: Int16Array;
  readonly cellsAt: number;
  private readonly scalarCount: number;
  private readonly floatCount: number;
  private readonly cellCount: number;

  constructor(scalarCount: number, floatCount: number, cellCount: number) {
    const scalars = float64(scalarCount);
    this.scalars = scalars.array;
    this.scalarsAt = scalars.at;
    this.scalarCount = scalarCount;
    const floats = float32(floatCount);
    this.floats = floats.array;
    this.floatsAt = floats.at;
    this.floatCount = floatCount;
    const cells = int16(cellCount);
    this.cells = cells.array;
    this.cellsAt = cells.at;
    this.cellCount = cellCount;
  }

  /** The slices themselves, as views, for saving and restoring. */
  protected own(): [Float64Array, Float32Array, Int16Array] {
    return [
      this.scalars.subarray(this.scalarsAt, this.scalarsAt + this.scalarCount),
      this.floats.subarray(this.floatsAt, this.floatsAt + this.floatCount),
      this.cells.subarray(this.cellsAt, this.cellsAt + this.cellCount),
    ];
  }
}
