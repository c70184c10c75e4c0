import fc from 'fast-check';
import { expect, it } from 'vitest';
import { firstRows } from '../../src/core/first-rows.ts';

it('gives what a sort would put first', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9), { maxLength: 80 }), fc.nat(90), (values, most) => {
      const compare = (a: number, b: number): number => values[b] - values[a] || a - b;
      const rows = values.map((_, row) => row);
      expect(firstRows(values.length, most, compare)).toEqual(rows.sort(compare).slice(0, most));
    }),
  );
});
