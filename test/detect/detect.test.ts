import { describe, expect, it } from 'vitest';
import { Metrics } from '../../src/core/metrics.ts';
import { Cusum } from '../../src/detect/cusum.ts';
import { Detect } from '../../src/detect/detect.ts';
import type { Evaluation } from '../../src/model/alert.ts';
import type { Expr, LearnedMeasure, RulePlan } from '../../src/model/plan.ts';
import type { BaselineFactory, ForecasterFactory } from '../../src/model/series.ts';
import { WindowStage } from '../../src/window/window.ts';
import { measure, plan, prefix } from '../window/plans.ts';
import { BASE_US, batchOf, names, type Slice, slice } from '../window/rows.ts';

const S = 1e6;
const at = (seconds: number): number => BASE_US + seconds * S;
const number = (value: number): Expr => ({ op: 'number', value, unit: 'none' });
const value = (index: number, part: string | null = null): Expr => ({ op: 'measure', index, part });
const above = (left: Expr, right: Expr): Expr => ({ op: '>', left, right });

/** A baseline that expects 10 always and learns nothing; a forecast that comes true in a day. */
const baseline: BaselineFactory = {
  create: () => ({
    update: (_, seen) => {
      const rest = {
        low: 5,
        high: 15,
        sigma: 1,
        learned: true,
        p: 0.5,
        score: 0,
        residual: 0,
        deviation: seen / 10 - 1,
      };
      return { expected: 10, z: seen - 10, ...rest };
    },
    save: () => {},
    restore: () => {},
  }),
};
const forecast: ForecasterFactory = {
  create: () => ({
    update: () => {},
    forecast: () => ({ stepUs: 1, learned: true, points: [] }),
    capacity: (threshold, horizonUs) => {
      const etaUs = at(86_400);
      return {
        threshold,
        horizonUs,
        etaUs,
        loUs: null,
        hiUs: null,
        probability: 0.9,
        trend: { etaUs, loUs: null, hiUs: null },
      };
    },
    save: () => {},
    restore: () => {},
  }),
};

interface Judged {
  evaluations: Evaluation[];
  detect: Detect;
}

function judge(rule: RulePlan, slices: Slice[], untilS = 0): Judged {
  const evaluations: Evaluation[] = [];
  const metrics = new Metrics();
  const ruleSet = { rules: [rule], home: [] };
  const onEvaluation = (evaluation: Evaluation): void => void evaluations.push(evaluation);
  const detect = new Detect(ruleSet, { baseline, forecast, metrics, interfaceSpeed: () => 1000, onEvaluation });
  const stage = new WindowStage(ruleSet, { names, metrics, onResults: (results) => detect.results(results) });
  for (const each of slices) {
    stage.add(batchOf([each]));
    stage.advance(each.startUs - S);
  }
  for (let t = 10; t <= untilS; t += 10) stage.advance(at(t));
  stage.advance(Number.POSITIVE_INFINITY);
  return { evaluations, detect };
}

const ends = ({ evaluations }: Judged): number[] => evaluations.map(({ endUs }) => (endUs - BASE_US) / S);
const rule = (some: Partial<RulePlan>): RulePlan =>
  plan({ levels: [{ severity: 'warning', when: above(value(0), number(10)), forUs: 0 }], ...some });

describe('levels', () => {
  it('says which levels hold, of keys that hold any', () => {
    const levels: RulePlan['levels'] = [
      { severity: 'warning', when: above(value(0), number(10)), forUs: 0 },
      { severity: 'critical', when: above(value(0), number(100)), forUs: 0 },
    ];
    const rows = [
      slice({ packets: 50 }),
      slice({ dst: '192.0.2.2', packets: 5 }),
      slice({ dst: '192.0.2.3', packets: 500 }),
    ];
    const { evaluations } = judge(rule({ levels }), rows);
    expect(evaluations.map(({ keyText, holds, clear, values }) => [keyText, holds, clear, values])).toEqual([
      ['dst.ip=192.0.2.1', [true, false], false, { packets: 50 }],
      ['dst.ip=192.0.2.3', [true, true], false, { packets: 500 }],
    ]);
  });

  it('takes the threshold of the longest prefix', () => {
    const prefixes = [
      { prefix: prefix('192.0.2.9/32'), value: 100 },
      { prefix: prefix('192.0.2.0/24'), value: 20 },
    ];
    const limited = rule({
      thresholds: { most: { unit: 'none', default: 10, prefixes } },
      levels: [{ severity: 'warning', when: above(value(0), { op: 'threshold', name: 'most' }), forUs: 0 }],
    });
    const rows = ['192.0.2.9', '192.0.2.8', '192.0.3.1'].flatMap((dst) => [
      slice({ dst, packets: 15, startUs: at(1) }),
      slice({ dst, packets: 30, startUs: at(11) }),
      slice({ dst, packets: 200, startUs: at(21) }),
    ]);
    rows.sort((a, b) => a.startUs - b.startUs);
    const { evaluations } = judge(limited, rows);
    const held = evaluations
      .filter(({ holds }) => holds[0])
      .map(({ keyText, endUs }) => `${(endUs - BASE_US) / S} ${keyText}`);
    expect(held).toEqual([
      '10 dst.ip=192.0.3.1',
      '20 dst.ip=192.0.2.8',
      '20 dst.ip=192.0.3.1',
      '30 dst.ip=192.0.2.8',
      '30 dst.ip=192.0.2.9',
      '30 dst.ip=192.0.3.1',
    ]);
  });

  it('holds nothing with too few samples, and nothing that compares with what is not there', () => {
    expect(judge(rule({ minSamples: 51 }), [slice({ packets: 50 })]).evaluations).toEqual([]);
    const share = measure('est', 'share', { summand: 'flows' });
    const never: Expr = { op: '!=', left: value(0), right: number(5) };
    const absent = rule({ measures: [share], levels: [{ severity: 'warning', when: never, forUs: 0 }] });
    expect(judge(absent, [slice({ meta: slice().meta & ~16 })]).evaluations).toEqual([]);
  });
});

describe('watching', () => {
  it('tells of a key in every window, empty ones too, until it is clear', () => {
    const clear: Expr = { op: '<', left: value(0), right: number(3) };
    const rows = [
      slice({ packets: 50 }),
      slice({ startUs: at(11), packets: 5 }),
      slice({ startUs: at(41), dst: '192.0.2.9' }),
    ];
    const judged = judge(rule({ clear }), rows, 60);
    expect(judged.evaluations.map(({ holds, clear: over, values }) => [holds[0], over, values['packets']])).toEqual([
      [true, false, 50],
      [false, false, 5],
      [false, true, 0],
    ]);
    expect(ends(judged)).toEqual([10, 20, 30]);
  });

  it('goes on for keep_firing_for', () => {
    expect(ends(judge(rule({ keepFiringForUs: 20 * S }), [slice({ packets: 50 })], 60))).toEqual([10, 20, 30, 40]);
  });

  it('takes silence for clear where only rows could say it', () => {
    const clear = above(value(1), number(0.5));
    const measures = [measure('packets', 'sum'), measure('est', 'share', { summand: 'flows' })];
    const judged = judge(rule({ clear, measures }), [slice({ packets: 50, meta: slice().meta & ~16 })], 40);
    expect(judged.evaluations.map(({ clear: over }) => over)).toEqual([false, true]);
  });

  it('tells watched keys when the source gives no data', () => {
    const { evaluations, detect } = judge(rule({}), [slice({ packets: 50 })]);
    detect.sourceMissing(at(10), at(20));
    expect(evaluations.at(-1)).toMatchObject({
      missing: true,
      keyText: 'dst.ip=192.0.2.1',
      holds: [false],
      endUs: at(20),
    });
  });
});

describe('follow-up', () => {
  const follow: RulePlan['follow'] = {
    withinUs: 60 * S,
    severity: 'critical',
    match: { op: 'compare', field: 'dst.port', cmp: '==', value: 22 },
  };
  const followed = rule({ follow, match: { op: 'compare', field: 'dst.port', cmp: '==', value: 80 } });
  const loud = slice({ startUs: at(5), dport: 80, packets: 50 });
  const login = (seconds: number): Slice => slice({ startUs: at(seconds), dport: 22, packets: 1 });
  const raises = (rows: Slice[]): (string | null)[] => judge(followed, rows, 150).evaluations.map(({ raise }) => raise);

  it('raises the severity when the key does what it was waited for, after what it did first', () => {
    expect(raises([loud, login(25)])).toEqual([null, null, 'critical', null]);
    expect(raises([loud, login(8)])).toContain('critical');
  });

  it('does not when it came before, or too late', () => {
    expect(raises([login(2), loud])).not.toContain('critical');
    expect(raises([loud, login(100)])).not.toContain('critical');
  });
});

describe('learned measures', () => {
  const learned = (some: Partial<LearnedMeasure>): LearnedMeasure => ({
    kind: 'learned',
    name: 'z',
    fn: 'baseline',
    of: 0,
    params: {},
    reach: null,
    unit: 'none',
    ...some,
  });

  it('judges a baseline in every window, and says what was expected', () => {
    const drop: Expr = { op: '<', left: value(1), right: number(-5) };
    const some = rule({
      measures: [measure('packets', 'sum'), learned({})],
      levels: [{ severity: 'warning', when: drop, forUs: 0 }],
    });
    const { evaluations } = judge(some, [slice({ packets: 12 })], 20);
    expect(evaluations).toMatchObject([
      { values: { packets: 0, z: -10, 'z.expected': 10, 'z.deviation': -1 }, expected: { packets: 10 }, holds: [true] },
    ]);
  });

  it('gives time left and date of a forecast', () => {
    const reach: Expr = { op: '*', left: number(0.9), right: { op: 'attribute', name: 'if_speed' } };
    const soon: Expr = { op: '<', left: value(1, 'eta'), right: number(7 * 86_400 * S) };
    const some = rule({
      measures: [
        measure('packets', 'sum'),
        learned({ name: 'full', fn: 'forecast', reach, params: { horizon: 30 * 86_400 * S } }),
      ],
      levels: [{ severity: 'info', when: soon, forUs: 0 }],
    });
    const { evaluations } = judge(some, [slice({ packets: 12 })]);
    expect(evaluations[0].values).toMatchObject({
      'full.date': at(86_400),
      'full.eta': 86_390 * S,
      'full.probability': 0.9,
      'full.lo': null,
    });
  });

  it('CUSUM finds a small lasting shift and forgives one wild window', () => {
    const series = (shift: (i: number) => number): number[] => {
      const cusum = new Cusum({ k: 0.5, warmupUs: 50 * S, direction: 'up' });
      return Array.from({ length: 200 }, (_, i) => cusum.update(i * S, 100 + ((i * 37) % 11) - 5 + shift(i)));
    };
    expect(Math.max(...series(() => 0))).toBeLessThan(5);
    expect(Math.max(...series((i) => (i >= 120 ? 5 : 0)))).toBeGreaterThan(10);
    expect(series((i) => (i === 120 ? 1000 : 0)).at(-1)).toBeLessThan(5);
  });
});
