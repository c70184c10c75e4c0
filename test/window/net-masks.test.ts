import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IPV4_WORD_2, inPrefix, maskAddress, type Prefix } from '../../src/model/address.ts';
import { PrefixIntervals } from '../../src/model/prefix-intervals.ts';
import { NetMasks } from '../../src/window/net-masks.ts';
import { ip, plan, prefix } from './plans.ts';
import { slice } from './rows.ts';
import { run } from './run.ts';

/** Few different words, so that prefixes nest and meet. */
const word = fc.constantFrom(0, 1, -1, 0x7fffffff, -0x80000000, 0x0a000000, 0x0a00ffff, 0x0a010000);
const address = fc.oneof(
  fc.tuple(word, word, word, word),
  word.map((last) => [0, 0, IPV4_WORD_2, last] as [number, number, number, number]),
);
const prefixes: fc.Arbitrary<Prefix[]> = fc.array(
  fc.tuple(address, fc.integer({ min: 0, max: 128 })).map(([words, bits]) => {
    const masked = Int32Array.from(words);
    maskAddress(masked, 0, bits);
    return { words: [masked[0], masked[1], masked[2], masked[3]] as Prefix['words'], bits };
  }),
  { maxLength: 12 },
);

describe('prefixes', () => {
  it('finds every prefix that holds an address, the longest first', () => {
    fc.assert(
      fc.property(prefixes, fc.array(address, { minLength: 1 }), (nets, addresses) => {
        const intervals = new PrefixIntervals(nets);
        for (const words of addresses.map((each) => Int32Array.from(each))) {
          const found = intervals.members[intervals.find(words, 0)];
          const truth = nets.flatMap((net, i) => (inPrefix(net, words, 0) ? [i] : []));
          expect([...found].sort()).toEqual(truth.sort());
          expect(found.map((i) => nets[i].bits)).toEqual(found.map((i) => nets[i].bits).sort((a, b) => b - a));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('gives addresses a bit for each list that holds them, of few lists and of many', () => {
    fc.assert(
      fc.property(fc.array(prefixes, { maxLength: 70 }), fc.array(address, { minLength: 1 }), (lists, addresses) => {
        const masks = new NetMasks();
        const bits = lists.map((list) => masks.bit(list));
        masks.build();
        const words = Int32Array.from(addresses.flat());
        const out = new Int32Array(addresses.length * masks.words);
        masks.classify(words, new Int32Array(4096), out, addresses.length);
        masks.classify(words, new Int32Array(4096), out, addresses.length);
        lists.forEach((list, l) => {
          addresses.forEach((_, a) => {
            const has = ((out[a * masks.words + (bits[l] >> 5)] >>> (bits[l] & 31)) & 1) !== 0;
            const truth = list.some((net) => inPrefix(net, words, 4 * a));
            expect(has).toBe(truth);
            expect(masks.has(words, 4 * a, bits[l])).toBe(truth);
          });
        });
      }),
      { numRuns: 200 },
    );
  });

  it('runs more rules and nets than one word has bits', () => {
    const rules = Array.from({ length: 70 }, (_, i) =>
      plan({
        id: `r${i}`,
        by: [ip('dst.ip')],
        match: { op: 'net', field: 'dst.ip', nets: [prefix(`10.0.${i}.0/24`)] },
      }),
    );
    const rows = Array.from({ length: 70 }, (_, i) => slice({ dst: `10.0.${i}.1`, packets: i + 1 }));
    const { lines } = run(rules, rows);
    expect(lines.map(({ rule, key, values }) => [rule, key, values['packets']])).toEqual(
      rows.map(({ dst }, i) => [`r${i}`, `dst.ip=${dst}`, i + 1]),
    );
  });
});
