import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Metrics } from '../../src/core/metrics.ts';
import { StateReader, StateWriter } from '../../src/core/state.ts';
import type { Evaluation } from '../../src/model/alert.ts';
import type { RulePlan } from '../../src/model/plan.ts';
import type { WindowResults } from '../../src/model/window-result.ts';
import { type WindowLimits, WindowStage } from '../../src/window/window.ts';
import { conditions, rules, slices } from './arbitrary.ts';
import { ip, measure, plain, plan, tumbling } from './plans.ts';
import { BASE_US, batchOf, names, type Slice, slice } from './rows.ts';
import { collect, type Line } from './run.ts';

const S = 1e6;
const BOUND_US = 5 * S;

/** A stage that can be interrupted: its state goes through bytes into a new one. */
class Interrupted {
  readonly lines: (Line | { evidence: unknown })[] = [];
  readonly #limits;
  #stage: WindowStage;

  constructor(ruleSet: RulePlan[], limits: WindowLimits = {}) {
    this.#limits = limits;
    this.#stage = this.#begin(ruleSet);
  }

  #begin(ruleSet: RulePlan[]): WindowStage {
    const onResults = (results: WindowResults): boolean => {
      collect(results, this.lines);
      if (results.length > 0) this.lines.push({ evidence: this.#stage.evidence(evaluationOf(results)) });
      return (results.endUs / S) % 3 !== 0;
    };
    return new WindowStage(
      { rules: ruleSet, home: [] },
      { names, metrics: new Metrics(), onResults, limits: this.#limits },
    );
  }

  bytes(): Uint8Array {
    const out = new StateWriter();
    this.#stage.save(out);
    return out.concat();
  }

  interrupt(ruleSet: RulePlan[]): void {
    const bytes = this.bytes();
    this.#stage = this.#begin(ruleSet);
    this.#stage.restore(new StateReader(bytes));
  }

  add(rows: readonly Slice[]): void {
    this.#stage.add(batchOf(rows));
  }

  advance(watermarkUs: number): void {
    this.#stage.advance(watermarkUs);
  }
}

function evaluationOf(results: WindowResults): Evaluation {
  const { rule, ruleIndex, startUs, endUs } = results;
  const rest = { holds: [], clear: false, missing: false, values: {}, expected: null, raise: null };
  return { rule, ruleIndex, key: results.key(0), keyText: results.keyText(0), startUs, endUs, ...rest };
}

/** Rows in batches of ten; before batch `n` the stage is interrupted when `breaks` says so. */
function drive(
  ruleSets: (batch: number) => RulePlan[],
  rows: readonly Slice[],
  breaks: ReadonlySet<number>,
  limits = {},
) {
  const stage = new Interrupted(ruleSets(0), { recentRows: 64, seed: 7, ...limits });
  let latest = 0;
  for (let n = 0; 10 * n < rows.length; n++) {
    if (breaks.has(2 * n)) stage.interrupt(ruleSets(n));
    const part = rows.slice(10 * n, 10 * n + 10);
    stage.add(part);
    // Rows that wait for the watermark are state, too.
    if (breaks.has(2 * n + 1)) stage.interrupt(ruleSets(n));
    for (const { startUs } of part) latest = Math.max(latest, startUs);
    stage.advance(latest - BOUND_US);
  }
  const bytes = stage.bytes();
  stage.advance(Number.POSITIVE_INFINITY);
  return { lines: stage.lines, bytes: Buffer.from(bytes).toString('base64') };
}

const beacon = measure('score', 'beacon', {
  of: [ip('dst.ip'), plain('dst.port')],
  params: { min: 3, ts: 0, keep: 3600 * S },
});
const session: RulePlan['window'] = { kind: 'session', sizeUs: 4 * S, slideUs: 4 * S };
const extras = fc.record(
  {
    window: fc.constantFrom(session),
    follow: conditions.map((match) => ({ withinUs: 20 * S, match, severity: 'critical' as const })),
    maxKeys: fc.constantFrom(2, 10_000),
    evidence: fc.constantFrom<RulePlan['evidence']>(
      [{ fn: 'flows', k: 3 }],
      [{ fn: 'topk', k: 2, of: [plain('dns.name')], summand: 'packets' }],
    ),
  },
  { requiredKeys: [] },
);
const ruleSets = fc.array(fc.tuple(rules, extras, fc.boolean()), { minLength: 1, maxLength: 4 }).map((some) =>
  some.map(([rule, extra, regular], i): RulePlan => {
    const measures = regular ? [...rule.measures, beacon] : rule.measures;
    return { ...rule, ...extra, measures, id: `r${i}`, fingerprint: `r${i}` };
  }),
);

describe('interrupted windows', () => {
  it('go on as if nothing had happened, wherever they were cut', () => {
    const breaks = fc.uniqueArray(fc.integer({ min: 0, max: 23 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(ruleSets, slices, breaks, fc.constantFrom(3, 1000), (set, rows, cuts, maxPairs) => {
        const ordered = [...rows].sort((a, b) => a.startUs - b.startUs);
        const whole = drive(() => set, ordered, new Set(), { maxPairs });
        const pieces = drive(() => set, ordered, new Set(cuts), { maxPairs });
        expect(pieces).toEqual(whole);
      }),
      { numRuns: 80 },
    );
  });

  it('carry sketches over', () => {
    const rows = Array.from({ length: 30_000 }, (_, i) =>
      slice({ startUs: BASE_US + (i / 1000) * S, src: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` }),
    );
    const many = plan({
      measures: [measure('sources', 'distinct', { of: [ip('src.ip')] })],
      window: { kind: 'sliding', sizeUs: 20 * S, slideUs: 10 * S },
    });
    const whole = drive(() => [many], rows, new Set());
    expect(drive(() => [many], rows, new Set([1000, 2001]))).toEqual(whole);
  });
});

describe('a reload', () => {
  const kept = plan({ id: 'kept', fingerprint: 'kept', window: tumbling(20) });
  const before = plan({ id: 'changed', fingerprint: 'one', window: tumbling(20), maxKeys: 9 });
  const after = plan({ id: 'changed', fingerprint: 'two', window: tumbling(20), by: [ip('src.ip')] });
  const rows = Array.from({ length: 40 }, (_, i) => slice({ startUs: BASE_US + i * S }));
  const of = (lines: ReturnType<typeof drive>['lines'], id: string): Line[] =>
    lines.filter((line): line is Line => 'rule' in line && line.rule === id);

  it('keeps the state of rules that did not change, wherever they stand, and begins the others anew', () => {
    const whole = drive(() => [kept], rows, new Set());
    const reloaded = drive((batch) => (batch < 1 ? [before, kept] : [kept, after]), rows, new Set([2]));
    expect(of(reloaded.lines, 'kept')).toEqual(of(whole.lines, 'kept'));
    expect(of(reloaded.lines, 'changed').map(({ key, values }) => [key, values['packets']])).toEqual([
      ['src.ip=198.51.100.1', 10],
      ['src.ip=198.51.100.1', 20],
    ]);
  });

  it('forgets a rule that is gone, and one that comes back begins anew', () => {
    const sets = [[kept, before], [kept], [kept, before], [kept, before]];
    const { lines } = drive((batch) => sets[batch], rows, new Set([2, 4]));
    expect(of(lines, 'kept').map(({ values }) => values['packets'])).toEqual([20, 20]);
    expect(of(lines, 'changed').map(({ values }) => values['packets'])).toEqual([20]);
  });
});
