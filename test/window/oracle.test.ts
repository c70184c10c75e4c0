import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RulePlan } from '../../src/model/plan.ts';
import { rules, slices } from './arbitrary.ts';
import { naive } from './naive.ts';
import { run } from './run.ts';

/** Quantiles come from a sketch that may be 1 % off; everything else is exact but for the last digits. */
function agree(rule: RulePlan, name: string, mine: number, theirs: number): boolean {
  if (Number.isNaN(mine) || Number.isNaN(theirs)) return Number.isNaN(mine) === Number.isNaN(theirs);
  const fn = rule.measures.find((each) => each.name === name)?.fn;
  const tolerance = fn === 'quantile' ? 0.0101 : 1e-6;
  return Math.abs(mine - theirs) <= tolerance * Math.max(1, Math.abs(theirs)) + (fn === 'quantile' ? 1e-9 : 0);
}

/** An independent model (all rows kept, strings and maps) is the judge of the engine. */
describe('windows against a naive model', () => {
  it('gives the same windows, keys and values for random rules and slices', () => {
    fc.assert(
      fc.property(rules, slices, (rule, some) => {
        const expected = naive(rule, some);
        const { lines } = run([rule], some, { boundUs: 100e6 });
        expect(lines.map((line) => `${line.endUs} ${line.key}`).sort()).toEqual([...expected.keys()].sort());
        for (const { endUs, key, values } of lines) {
          for (const [name, theirs] of Object.entries(expected.get(`${endUs} ${key}`) ?? {})) {
            expect(
              agree(rule, name, values[name], theirs),
              `${name} at ${endUs} ${key}: ${values[name]} ${theirs}`,
            ).toBe(true);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('order', () => {
  it('does not depend on arrival within the bound nor on how batches are cut', () => {
    const noise = fc.array(fc.integer({ min: 0, max: 9_999_999 }), { minLength: 120, maxLength: 120 });
    const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fc.array(rules, { minLength: 1, maxLength: 3 }), slices, noise, cuts, (some, rows, delays, sizes) => {
        const named = some.map((rule, i) => ({ ...rule, id: `r${i}` }));
        const ordered = [...rows].sort((a, b) => a.startUs - b.startUs);
        const late = rows.map((row, i) => ({ row, at: row.startUs + delays[i % delays.length] }));
        const shuffled = late.sort((a, b) => a.at - b.at).map(({ row }) => row);
        const one = run(named, ordered, { boundUs: 10e6 });
        const two = run(named, shuffled, { boundUs: 10e6, cuts: sizes, limits: { seed: 7 } });
        expect(two.lines).toEqual(one.lines);
        expect(two.metrics.snapshot()['weir_late_rows_total'] ?? 0).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});
