import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyIndex } from '../../src/core/key-index.ts';

/** Rows with a hash, found by walking the index as its users do. */
function rowsOf(index: KeyIndex, hash: number): number[] {
  const rows: number[] = [];
  for (let at = hash & index.mask; index.entries[2 * at + 1] !== 0; at = (at + 1) & index.mask) {
    if (index.entries[2 * at] === hash) rows.push(index.entries[2 * at + 1] - 1);
  }
  return rows.sort((a, b) => a - b);
}

describe('KeyIndex', () => {
  it('finds what entered and did not leave, through growth, clashes and deletions', () => {
    const step = fc.record({
      enter: fc.boolean(),
      hash: fc.integer({ min: 0, max: 40 }).map((h) => Math.imul(h, 0x10001)),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const index = new KeyIndex();
        const truth: { hash: number; row: number }[] = [];
        steps.forEach(({ enter, hash }, row) => {
          const known = truth.findIndex((each) => each.hash === hash);
          if (enter || known < 0) {
            index.reserve(truth.length + 1);
            index.enter(hash, row);
            truth.push({ hash, row });
          } else {
            index.leave(hash, truth[known].row);
            truth.splice(known, 1);
          }
        });
        for (const hash of new Set(steps.map((each) => each.hash))) {
          const rows = truth.filter((each) => each.hash === hash).map(({ row }) => row);
          expect(rowsOf(index, hash)).toEqual(rows.sort((a, b) => a - b));
        }
        index.clear();
        expect(index.entries.every((word) => word === 0)).toBe(true);
      }),
    );
  });
});
