import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decoder, ipfix, set, templateRecord } from './decode.ts';

/** Elements that reach columns, and lengths that exporters give them. */
const ELEMENTS = [
  1, 2, 4, 5, 6, 7, 10, 11, 14, 16, 17, 21, 22, 32, 34, 48, 58, 61, 85, 136, 152, 153, 150, 151, 230, 231, 232, 352,
];
const field = fc.tuple(fc.constantFrom(...ELEMENTS), fc.constantFrom(1, 2, 3, 4, 8));
const address = fc.constantFrom([8, 4], [12, 4], [27, 16], [28, 16], [44, 4], [45, 4]);

describe('the loop that is made for a layout', () => {
  it('makes the same rows as the one that serves all', () => {
    const layout = fc.array(fc.oneof(field, address), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(layout, fc.uint8Array({ minLength: 600, maxLength: 600 }), (fields, bytes) => {
        const { batched, flows } = decoder();
        const stride = fields.reduce((sum, [, length]) => sum + length, 0);
        const count = Math.floor(bytes.length / stride);
        const data = ipfix(0, 1, set(256, bytes.subarray(0, count * stride)));
        const take = (datagram: Uint8Array): void => {
          batched.decode(datagram, 0, datagram.length, '192.0.2.1', 1, Number.NaN);
        };
        take(ipfix(0, 1, set(2, templateRecord(256, fields))));
        take(data);
        batched.flush();
        const first = flows.splice(0);
        for (let seen = 0; seen < 2500; seen += count) take(data);
        batched.flush();
        expect(flows.slice(-count)).toEqual(first);
        expect(first).toHaveLength(count);
      }),
      { numRuns: 40 },
    );
  });
});
