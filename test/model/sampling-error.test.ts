import { describe, expect, it } from 'vitest';
import { StateReader, StateWriter } from '../../src/core/state.ts';
import type { Evaluation } from '../../src/model/alert.ts';
import { createFlowBatch } from '../../src/model/flow-batch.ts';
import { relativeError, SampledTime } from '../../src/model/sampling-error.ts';

describe('the error of an estimate', () => {
  it.each([
    [0, 1],
    [1, 1.96],
    [100, 0.196],
    [384, 0.1],
    [1e6, 0.00196],
  ])('from %i samples is %f', (samples, error) => {
    expect(relativeError(samples)).toBe(error);
  });

  /** What the values of a window from `startUs` on say. */
  function told(time: SampledTime, startUs: number): unknown {
    const evaluation = { startUs, samples: 100, values: { pps: 5 } } as unknown as Evaluation;
    time.tell(evaluation);
    return evaluation.values;
  }

  it('is told of windows that sampled rows may be in, also after a restart', () => {
    const batch = createFlowBatch(2);
    for (const row of [0, 1]) batch.clearRow(row);
    batch.length = 2;
    const time = new SampledTime();
    batch.endUs.set([5e6, 9e6]);
    time.note(batch);
    expect(told(time, 0)).toEqual({ pps: 5 });
    batch.samplingInterval[0] = 100;
    time.note(batch);
    const out = new StateWriter();
    time.save(out);
    const again = new SampledTime();
    again.restore(new StateReader(out.concat()));
    for (const one of [time, again]) {
      expect(told(one, 4e6)).toEqual({ pps: 5, relativeError: 0.196 });
      expect(told(one, 5e6)).toEqual({ pps: 5 });
    }
    expect(() => again.restore(new StateReader(new Uint8Array(0)))).not.toThrow();
  });
});
