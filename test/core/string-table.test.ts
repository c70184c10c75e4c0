import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StateReader, StateWriter } from '../../src/core/state.ts';
import { StringTable } from '../../src/core/string-table.ts';

const texts = fc.array(fc.oneof(fc.constantFrom('a', 'b', 'c'), fc.string({ maxLength: 3 })), { maxLength: 30 });

function takeOver(table: StringTable): StringTable {
  const out = new StateWriter();
  table.save(out);
  const fresh = new StringTable(table.capacity);
  fresh.intern('what a new process begins with');
  fresh.restore(new StateReader(out.concat()));
  return fresh;
}

test('a restored table gives the ids and texts that the saved one would have given', () => {
  fc.assert(
    fc.property(texts, texts, fc.integer({ min: 1, max: 8 }), (before, after, capacity) => {
      const table = new StringTable(capacity);
      for (const text of before) table.intern(text);
      const other = takeOver(table);
      expect(after.map((text) => other.intern(text))).toEqual(after.map((text) => table.intern(text)));
      const ids = Array.from({ length: 64 }, (_, id) => id);
      expect(ids.map((id) => other.text(id))).toEqual(ids.map((id) => table.text(id)));
      expect(other.evicted).toBe(table.evicted);
    }),
  );
});
