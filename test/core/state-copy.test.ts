import fc from 'fast-check';
import { expect, it } from 'vitest';
import { StateCopy } from '../../src/core/state-copy.ts';

it('copies any chunks, again and again, whatever was reserved', async () => {
  const copy = new StateCopy();
  const chunk = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.nat(9_000_000).map((length) => new Uint8Array(length).fill(7)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(chunk, { maxLength: 5 }), fc.nat(20_000_000), async (chunks, bytes) => {
      const parts = copy.take(chunks);
      expect(Buffer.concat(parts).equals(Buffer.concat(chunks))).toBe(true);
      await copy.reserve(bytes);
    }),
    { numRuns: 30 },
  );
});

it('what was copied does not change with the state', () => {
  const state = new Uint8Array([1, 2, 3]);
  const [part] = new StateCopy().take([state]);
  state.fill(0);
  expect([...part]).toEqual([1, 2, 3]);
});
