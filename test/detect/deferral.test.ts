import { describe, expect, it } from 'vitest';
import { Metrics } from '../../src/core/metrics.ts';
import { type Stateful, StateReader, StateWriter } from '../../src/core/state.ts';
import { Detect } from '../../src/detect/detect.ts';
import type { Evaluation } from '../../src/model/alert.ts';
import type { Expr, RulePlan } from '../../src/model/plan.ts';
import type { BaselineFactory, ForecasterFactory } from '../../src/model/series.ts';
import { type WindowLimits, WindowStage } from '../../src/window/window.ts';
import { ip, measure, plain, plan, sliding, tumbling } from '../window/plans.ts';
import { BASE_US, batchOf, names, type Slice, slice } from '../window/rows.ts';

const baseline: BaselineFactory = {
  create: () => {
    throw new Error('no rule here learns');
  },
};
const forecast = baseline as unknown as ForecasterFactory;
const SCAN = { t0: 0.8, t1: 0.2, a: 1e-5, b: 0.99, keep: 3600e6 };

const reaches = (index: number, value: number): Expr => ({
  op: '>',
  left: { op: 'measure', index, part: null },
  right: { op: 'number', value, unit: 'none' },
});

const RULES: RulePlan[] = [
  plan({
    window: sliding(10, 5),
    measures: [measure('packets', 'sum'), measure('sources', 'distinct', { of: [ip('src.ip')] })],
    levels: [{ severity: 'warning', when: { op: 'and', args: [reaches(0, 300), reaches(1, 20)] }, forUs: 0 }],
    keepFiringForUs: 20e6,
  }),
  plan({
    by: [ip('src.ip')],
    window: tumbling(60),
    measures: [
      measure('walk', 'scan', { of: [ip('dst.ip')], params: SCAN }),
      measure('hosts', 'distinct', { of: [ip('dst.ip')] }),
      measure('protos', 'distinct', { of: [plain('proto')] }),
    ],
    levels: [{ severity: 'warning', when: { op: 'or', args: [reaches(0, 9), reaches(2, 4)] }, forUs: 0 }],
    keepFiringForUs: 120e6,
  }),
].map((rule, i) => ({ ...rule, id: `r${i}`, fingerprint: `r${i}` }));

/** Background of many keys, a flood and two scans in it; every 7,000th slice lasts long. */
function traffic(count: number): Slice[] {
  let state = 1;
  const random = (below: number): number => {
    state = (Math.imul(state, 0x343fd) + 0x269ec3) >>> 0;
    return (state >>> 8) % below;
  };
  return Array.from({ length: count }, (_, i) => {
    const startUs = BASE_US + i * 4000 - random(1e6);
    const some = { startUs, endUs: i % 7000 === 6999 ? startUs + 20e6 : startUs, sport: 1024 + random(60_000) };
    const kind = random(100);
    if (kind === 0) return slice({ ...some, src: '203.0.113.66', dst: `192.0.2.${random(250)}` });
    if (kind === 1) return slice({ ...some, src: '203.0.113.67', proto: 6 + random(6) });
    const dst = `192.0.${random(20)}.${random(250)}`;
    if (kind < 6 && i % 20_000 < 3000)
      return slice({ ...some, src: `198.18.${random(99)}.1`, dst: '192.0.2.9', packets: 4 });
    return slice({ ...some, src: `10.0.${random(20)}.${random(250)}`, dst, reversePackets: 1, reverseFlags: 18 });
  });
}

interface Engine {
  detect: Detect;
  stage: WindowStage;
}

function begin(evaluations: Evaluation[], gated: boolean, limits: WindowLimits): Engine {
  const metrics = new Metrics();
  const onEvaluation = (evaluation: Evaluation): void => void evaluations.push(evaluation);
  const ruleSet = { rules: RULES, home: [] };
  const detect = new Detect(ruleSet, { baseline, forecast, metrics, interfaceSpeed: () => Number.NaN, onEvaluation });
  const ports = { names, metrics, onResults: detect.results.bind(detect), limits: { seed: 7, ...limits } };
  const watched = (index: number) => detect.watched(index);
  return { detect, stage: new WindowStage(ruleSet, gated ? { ...ports, watched } : ports) };
}

function carried(from: Engine, to: Engine): Engine {
  const over = (part: Stateful, into: Stateful): void => {
    const out = new StateWriter();
    part.save(out);
    into.restore(new StateReader(out.concat()));
  };
  over(from.stage, to.stage);
  over(from.detect, to.detect);
  return to;
}

function judge(rows: readonly Slice[], gated: boolean, limits: WindowLimits = {}, cut = 0): Evaluation[] {
  const evaluations: Evaluation[] = [];
  let engine = begin(evaluations, gated, limits);
  for (let n = 0; n < rows.length; n += 500) {
    if (cut > 0 && n % cut === cut - 500) engine = carried(engine, begin(evaluations, gated, limits));
    const part = rows.slice(n, n + 500);
    engine.stage.add(batchOf(part));
    engine.stage.advance(BASE_US + n * 4000 - 2e6);
  }
  engine.stage.advance(Number.POSITIVE_INFINITY);
  return evaluations;
}

describe('rows that wait', () => {
  const rows = traffic(60_000);
  const all = judge(rows, false);

  it('enter the tables where they matter', () => {
    expect(all.filter(({ holds }) => holds[0]).length).toBeGreaterThan(10);
    expect(judge(rows, true)).toEqual(all);
  });

  it('all enter the tables when there is no room for them any more', () => {
    expect(judge(rows, true, { waitingRows: 1 })).toEqual(all);
    expect(judge(rows, true, { waitingRows: 20_000 })).toEqual(all);
  });

  it('go on with a state', () => {
    expect(judge(rows, true, {}, 8000)).toEqual(all);
    expect(judge(rows, true, { waitingRows: 10_000 }, 5500)).toEqual(all);
  });
});
