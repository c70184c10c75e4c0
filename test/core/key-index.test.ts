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
  it('finds what entered, through growth and clashes, and nothing once it is cleared', () => {
    const hashes = fc.array(
      fc.integer({ min: 0, max: 40 }).map((h) => Math.imul(h, 0x10001)),
      { maxLength: 300 },
    );
    fc.assert(
      fc.property(hashes, (all) => {
        const index = new KeyIndex();
        all.forEach((hash, row) => {
          index.reserve(row + 1);
          index.enter(hash, row);
        });
        expect(2 * all.length).toBeLessThanOrEqual(index.mask + 1 + 32);
        for (const hash of new Set(all)) {
          expect(rowsOf(index, hash)).toEqual(all.flatMap((each, row) => (each === hash ? [row] : [])));
        }
        index.clear();
        expect(index.entries.every((word) => word === 0)).toBe(true);
      }),
    );
  });
});
