import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import { CONFORMAL_SCALARS, FINE } from './conformal.ts';

/** How rare a standardised size is among those seen so far: a decayed histogram with an extrapolated tail. */
export class Surprise implements Stateful {
  private readonly bins = new Int16Array(FINE.size);
  private readonly scalars = new Float32Array(CONFORMAL_SCALARS);

  constructor() {
    FINE.init(this.bins, 0, this.scalars, 0);
  }

  /** -log10 of the share of past sizes at least this large. */
  of(size: number): number {
    return -Math.log10(FINE.tailProbability(this.bins, 0, this.scalars, 0, size));
  }

  learn(size: number): void {
    FINE.learn(this.bins, 0, this.scalars, 0, size, Math.log(size));
  }

  /** The size that a share `tail` of past sizes exceeds. */
  quantile(tail: number): number {
    return FINE.quantileAbove(this.bins, 0, this.scalars, 0, tail);
  }
  save(out: StateWriter): void {
    out.array(this.bins);
    out.array(this.scalars);
  }

  restore(state: StateReader): void {
    state.into(this.bins);
    state.into(this.scalars);
  }
}
