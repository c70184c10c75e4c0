import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RecentPoints } from '../../src/model/recent-points.ts';

it('keeps the newest points, like an array that is cut', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 70 }), fc.array(fc.double(), { maxLength: 200 }), (most, values) => {
      const recent = new RecentPoints(most);
      for (const [index, value] of values.entries()) recent.push(index, value);
      const expected = values.map((value, timeUs) => ({ timeUs, value })).slice(-most);
      expect(recent.all()).toEqual(expected);
      expect(recent.length).toBe(expected.length);
      for (const index of [0, 1, most - 1, most, -1, -2, -most, -most - 1]) {
        expect(recent.at(index)).toEqual(expected.at(index));
      }
    }),
  );
});
