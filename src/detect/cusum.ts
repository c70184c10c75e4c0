import type { Stateful, StateReader, StateWriter } from '../core/state.ts';

/** A residual past this many deviations counts as this many: one wild window is no lasting shift. */
const MOST = 10;
/** What the learned mean takes from one window at most. */
const LEARN_CLIP = 3;
const SLOWEST = 0.01;
const LEAST_WINDOWS = 10;

export interface CusumOptions {
  k: number;
  warmupUs: number;
  direction: 'up' | 'down';
}

/**
 * Cumulative sum of standardised residuals (Page 1954): S = max(0, S + z - k), which grows under a small lasting shift
 * that no single window shows. Mean and deviation are learned slowly from the series itself.
 */
export class Cusum implements Stateful {
  readonly #options: CusumOptions;
  #windows = 0;
  #firstUs = 0;
  #mean = 0;
  #variance = 0;
  #sum = 0;

  constructor(options: CusumOptions) {
    this.#options = options;
  }

  /** Takes one window; answers S, 0 while learning. A missing value changes nothing. */
  update(timeUs: number, value: number): number {
    if (!Number.isFinite(value)) return this.#sum;
    if (this.#windows === 0) this.#begin(timeUs, value);
    const deviation = Math.max(Math.sqrt(this.#variance), 0.05 * Math.abs(this.#mean), 1e-9);
    const residual = value - this.#mean;
    const z = Math.max(-MOST, Math.min(MOST, residual / deviation)) * (this.#options.direction === 'down' ? -1 : 1);
    const learned = timeUs - this.#firstUs >= this.#options.warmupUs && this.#windows >= LEAST_WINDOWS;
    if (learned) this.#sum = Math.max(0, this.#sum + z - this.#options.k);
    this.#learn(learned ? clip(residual, LEARN_CLIP * deviation) : residual);
    return this.#sum;
  }

  #begin(timeUs: number, value: number): void {
    this.#firstUs = timeUs;
    this.#mean = value;
  }

  #learn(residual: number): void {
    const rate = Math.max(SLOWEST, 1 / (this.#windows + 1));
    this.#mean += rate * residual;
    this.#variance += rate * (residual * residual - this.#variance);
    this.#windows++;
  }

  save(out: StateWriter): void {
    out.array(Float64Array.of(this.#windows, this.#firstUs, this.#mean, this.#variance, this.#sum));
  }

  restore(state: StateReader): void {
    [this.#windows, this.#firstUs, this.#mean, this.#variance, this.#sum] = state.array(Float64Array);
  }
}

function clip(value: number, limit: number): number {
  return Math.max(-limit, Math.min(limit, value));
}
