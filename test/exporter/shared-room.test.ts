import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SharedRoom } from '../../src/exporter/shared-room.ts';

describe('room that exporters share', () => {
  it('holds its bounds whatever comes, and always the newest entry', () => {
    const steps = fc.array(fc.tuple(fc.nat(4), fc.nat(9), fc.nat(20)), { maxLength: 300 });
    fc.assert(
      fc.property(steps, (all) => {
        const room = new SharedRoom(6, 12);
        const maps = Array.from({ length: 5 }, () => new Map<number, number>());
        for (const [exporter, key, value] of all) {
          if (value === 20) room.free(maps[exporter]);
          else {
            room.put(maps[exporter], key, value);
            expect(maps[exporter].get(key)).toBe(value);
          }
          for (const map of maps) expect(map.size).toBeLessThanOrEqual(6);
          // Every exporter may have one, whatever the others have.
          const total = maps.reduce((sum, map) => sum + map.size, 0);
          expect(total).toBeLessThanOrEqual(12 + maps.length);
        }
      }),
    );
  });
});
