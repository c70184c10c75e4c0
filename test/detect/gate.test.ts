import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Metrics } from '../../src/core/metrics.ts';
import { Detect } from '../../src/detect/detect.ts';
import type { Evaluation } from '../../src/model/alert.ts';
import type { Expr, RulePlan } from '../../src/model/plan.ts';
import type { BaselineFactory, ForecasterFactory } from '../../src/model/series.ts';
import { WindowStage } from '../../src/window/window.ts';
import { conditions, rules, slices } from '../window/arbitrary.ts';
import { prefix } from '../window/plans.ts';
import { batchOf, names, type Slice } from '../window/rows.ts';

const baseline: BaselineFactory = {
  create: () => {
    throw new Error('no rule here learns');
  },
};
const forecast = baseline as unknown as ForecasterFactory;

const limits: fc.Arbitrary<Expr> = fc.oneof(
  fc.constantFrom(0, 0.5, 1, 2, 5, 20, 400).map((value): Expr => ({ op: 'number', value, unit: 'none' })),
  fc.constant<Expr>({ op: 'threshold', name: 'most' }),
  fc.constant<Expr>({
    op: '*',
    left: { op: 'number', value: 2, unit: 'none' },
    right: { op: 'threshold', name: 'most' },
  }),
);
const comparisons: fc.Arbitrary<Expr> = fc
  .tuple(fc.nat(9), limits, fc.constantFrom<'>' | '>=' | '<' | '<='>('>', '>=', '<', '<='), fc.boolean())
  .map(([index, limit, op, turned]): Expr => {
    const measure: Expr = { op: 'measure', index, part: null };
    return turned ? { op, left: limit, right: measure } : { op, left: measure, right: limit };
  });
const { expr } = fc.letrec<{ expr: Expr }>((tie) => ({
  expr: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    comparisons,
    fc.tuple(tie('expr'), tie('expr')).map((args): Expr => ({ op: 'and', args })),
    fc.tuple(tie('expr'), tie('expr')).map((args): Expr => ({ op: 'or', args })),
    tie('expr').map((arg): Expr => ({ op: 'not', arg })),
  ),
}));

/** Measures are numbered round, so that every expression fits every rule. */
function within(expr: Expr, measures: number): Expr {
  if (expr.op === 'measure') return { ...expr, index: expr.index % measures };
  if ('args' in expr) return { ...expr, args: expr.args.map((arg) => within(arg, measures)) };
  if ('arg' in expr) return { ...expr, arg: within(expr.arg, measures) };
  return 'left' in expr ? { ...expr, left: within(expr.left, measures), right: within(expr.right, measures) } : expr;
}

const judged = fc
  .tuple(rules, fc.array(expr, { minLength: 1, maxLength: 2 }), fc.constantFrom(0, 3), fc.option(conditions), fc.nat(2))
  .map(([rule, whens, minSamples, follow, seconds]): RulePlan => {
    const levels = whens.map((when) => within(when, rule.measures.length));
    const most = { unit: 'none' as const, default: 7, prefixes: [{ prefix: prefix('192.0.2.0/24'), value: 3 }] };
    return {
      ...rule,
      levels: levels.map((when, i) => ({ severity: i === 0 ? 'warning' : 'critical', when, forUs: 0 })),
      thresholds: { most },
      minSamples,
      follow: follow && { withinUs: 15e6, match: follow, severity: 'critical' },
      keepFiringForUs: seconds * 5e6,
    };
  });

function judge(some: RulePlan[], rows: readonly Slice[], gated: boolean) {
  const evaluations: Evaluation[] = [];
  const ruleSet = { rules: some, home: [] };
  const metrics = new Metrics();
  const onEvaluation = (evaluation: Evaluation): void => void evaluations.push(evaluation);
  const detect = new Detect(ruleSet, { baseline, forecast, metrics, interfaceSpeed: () => Number.NaN, onEvaluation });
  let keys = 0;
  const stage = new WindowStage(ruleSet, {
    names,
    metrics,
    onResults: (results) => {
      keys += results.length;
      return detect.results(results);
    },
    ...(gated ? { watched: (index: number) => detect.watched(index) } : {}),
  });
  for (let at = 0; at < rows.length; at += 10) {
    stage.add(batchOf(rows.slice(at, at + 10)));
    stage.advance(rows[Math.min(at + 9, rows.length - 1)].startUs - 5e6);
  }
  stage.advance(Number.POSITIVE_INFINITY);
  return { evaluations, keys };
}

describe('the gate', () => {
  it('leaves out only keys that nobody would hear of', () => {
    let left = 0;
    fc.assert(
      fc.property(fc.array(judged, { minLength: 1, maxLength: 3 }), slices, (some, rows) => {
        const named = some.map((rule, i) => ({ ...rule, id: `r${i}`, fingerprint: `r${i}` }));
        const ordered = [...rows].sort((a, b) => a.startUs - b.startUs);
        const all = judge(named, ordered, false);
        const gated = judge(named, ordered, true);
        expect(gated.evaluations).toEqual(all.evaluations);
        left += all.keys - gated.keys;
      }),
      { numRuns: 150 },
    );
    expect(left).toBeGreaterThan(0);
  });
});
