import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Metrics } from '../../src/core/metrics.ts';
import { type Stateful, StateReader, StateWriter } from '../../src/core/state.ts';
import { Detect } from '../../src/detect/detect.ts';
import type { Evaluation } from '../../src/model/alert.ts';
import type { Expr, RulePlan } from '../../src/model/plan.ts';
import type { BaselineFactory, ForecasterFactory } from '../../src/model/series.ts';
import type { WindowResults } from '../../src/model/window-result.ts';
import { WindowStage } from '../../src/window/window.ts';
import { conditions, rules, slices } from '../window/arbitrary.ts';
import { ip, measure, plan, prefix, sliding } from '../window/plans.ts';
import { BASE_US, batchOf, names, type Slice, slice } from '../window/rows.ts';

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

/** Rows in batches of ten. `gated` says of each batch whether the gate is in use; where that changes, a state is carried over. */
function judge(some: RulePlan[], rows: readonly Slice[], gated: (batch: number) => boolean) {
  const evaluations: Evaluation[] = [];
  const ruleSet = { rules: some, home: [] };
  let keys = 0;
  const begin = (withGate: boolean) => {
    const metrics = new Metrics();
    const onEvaluation = (evaluation: Evaluation): void => void evaluations.push(evaluation);
    const detect = new Detect(ruleSet, { baseline, forecast, metrics, interfaceSpeed: () => Number.NaN, onEvaluation });
    const onResults = (results: WindowResults): boolean => {
      keys += results.length;
      return detect.results(results);
    };
    const watched = withGate ? { watched: (index: number) => detect.watched(index) } : {};
    return { detect, stage: new WindowStage(ruleSet, { names, metrics, onResults, limits: { seed: 7 }, ...watched }) };
  };
  let now = begin(gated(0));
  for (let n = 0; 10 * n < rows.length; n++) {
    if (n > 0 && gated(n) !== gated(n - 1)) now = carryOver(now, begin(gated(n)));
    const part = rows.slice(10 * n, 10 * n + 10);
    now.stage.add(batchOf(part));
    now.stage.advance(part[part.length - 1].startUs - 5e6);
  }
  now.stage.advance(Number.POSITIVE_INFINITY);
  return { evaluations, keys };
}

function carryOver<T extends Record<string, Stateful>>(from: T, to: T): T {
  for (const [name, part] of Object.entries(from)) {
    const out = new StateWriter();
    part.save(out);
    to[name].restore(new StateReader(out.concat()));
  }
  return to;
}

describe('the gate', () => {
  it('leaves out only keys that nobody would hear of', () => {
    let left = 0;
    fc.assert(
      fc.property(fc.array(judged, { minLength: 1, maxLength: 3 }), slices, (some, rows) => {
        const named = some.map((rule, i) => ({ ...rule, id: `r${i}`, fingerprint: `r${i}` }));
        const ordered = [...rows].sort((a, b) => a.startUs - b.startUs);
        const all = judge(named, ordered, () => false);
        const gated = judge(named, ordered, () => true);
        expect(gated.evaluations).toEqual(all.evaluations);
        left += all.keys - gated.keys;
      }),
      { numRuns: 150 },
    );
    expect(left).toBeGreaterThan(0);
  });

  it('may come and go with a state: other rules may have the same tables after a reload', () => {
    fc.assert(
      fc.property(fc.array(judged, { minLength: 1, maxLength: 2 }), slices, fc.nat(3), (some, rows, first) => {
        const named = some.map((rule, i) => ({ ...rule, id: `r${i}`, fingerprint: `r${i}` }));
        const ordered = [...rows].sort((a, b) => a.startUs - b.startUs);
        const all = judge(named, ordered, () => false);
        const turns = judge(named, ordered, (batch) => ((batch + first) & 2) === 0);
        expect(turns.evaluations).toEqual(all.evaluations);
      }),
      { numRuns: 100 },
    );
  });

  it('leaves nothing out of windows whose first panes closed while it was there', () => {
    const sources = plan({
      fingerprint: 'sources',
      window: sliding(20, 10),
      measures: [measure('sources', 'distinct', { of: [ip('src.ip')] })],
      levels: [{ severity: 'warning', when: atLeast(2), forUs: 0 }],
    });
    const rows = Array.from({ length: 30 }, (_, i) =>
      slice({ startUs: BASE_US + i * 1e6, src: i < 10 ? '198.51.100.1' : '198.51.100.2' }),
    );
    for (const gated of [() => false, (batch: number) => batch < 2, (batch: number) => batch >= 2, () => true]) {
      const { evaluations } = judge([sources], rows, gated);
      const held = evaluations.filter(({ holds }) => holds[0]);
      expect(held.map(({ endUs, values }) => [(endUs - BASE_US) / 1e6, values['sources']])).toEqual([[20, 2]]);
    }
  });
});

function atLeast(value: number): Expr {
  const measure: Expr = { op: 'measure', index: 0, part: null };
  return { op: '>=', left: measure, right: { op: 'number', value, unit: 'none' } };
}
