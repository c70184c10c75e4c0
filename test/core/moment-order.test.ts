import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { momentOrder } from '../../src/core/moment-order.ts';

describe('the order of moments', () => {
  it('is that of a stable sort, whatever the range and the number', () => {
    const moments = fc.constantFrom(10, 3000, 2 ** 27, 2 ** 40).chain((range) =>
      fc.array(
        fc.integer({ min: 0, max: range }).map((at) => 1e15 + at),
        { maxLength: 1200, size: 'max' },
      ),
    );
    fc.assert(
      fc.property(moments, (all) => {
        const expected = all.map((_, i) => i).sort((x, y) => all[x] - all[y] || x - y);
        expect([...momentOrder(Float64Array.from(all), all.length)]).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });
});
