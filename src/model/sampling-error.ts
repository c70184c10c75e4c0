import type { StateReader, StateWriter } from '../core/state.ts';
import type { Evaluation } from './alert.ts';
import type { FlowBatch } from './flow-batch.ts';

/**
 * Half the width of the 95 % interval of a count that was estimated from `samples` sampled packets, as a share of the
 * estimate, to three digits (Phaal and Panchen, "Packet Sampling Basics": 1.96 / sqrt(samples)); 1 without any sample.
 */
export function relativeError(samples: number): number {
  return samples > 0 ? Number((1.96 / Math.sqrt(samples)).toPrecision(3)) : 1;
}

/** Knows until when rows came from exporters that sample: what was measured in that time is an estimate. */
export class SampledTime {
  /** End of the latest sampled row, microseconds. */
  #untilUs = Number.NEGATIVE_INFINITY;

  note({ samplingInterval, endUs, length }: FlowBatch): void {
    for (let row = 0; row < length; row++) {
      if (samplingInterval[row] > 1 && endUs[row] > this.#untilUs) this.#untilUs = endUs[row];
    }
  }

  /** Adds `relativeError` to the values of an estimate. */
  tell(evaluation: Evaluation): void {
    if (evaluation.startUs >= this.#untilUs || evaluation.samples === undefined) return;
    evaluation.values['relativeError'] = relativeError(evaluation.samples);
  }

  save(out: StateWriter): void {
    out.number(this.#untilUs);
  }

  /** States of before it was kept have none. */
  restore(state: StateReader): void {
    if (!state.done) this.#untilUs = state.number();
  }
}
