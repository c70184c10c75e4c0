import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Metrics } from '../../src/core/metrics.ts';
import { StateReader, StateWriter } from '../../src/core/state.ts';
import { Detect } from '../../src/detect/detect.ts';
import { baselines, forecasters, loadPlans } from '../../src/forecast/forecast.ts';
import { DEFAULT_HOME, type Prefix, parsePrefix } from '../../src/model/address.ts';
import { Names } from '../../src/model/names.ts';
import type { Expr, LearnedMeasure, RulePlan, RuleSet } from '../../src/model/plan.ts';
import { loadRules } from '../../src/rule/rule.ts';
import { WindowStage } from '../../src/window/window.ts';
import { ROOT } from '../support/replay.ts';
import { type Step, slicesOf } from '../support/slices.ts';
import { measure, plan, tumbling } from '../window/plans.ts';
import { BASE_US, batchOf, names, slice } from '../window/rows.ts';

const S = 1e6;

/** Windows and detection together; their state goes through bytes into new ones. */
class Judged {
  readonly lines: string[] = [];
  readonly #names: Names;
  #windows!: WindowStage;
  #detect!: Detect;

  constructor(ruleSet: RuleSet, names: Names) {
    this.#names = names;
    this.#begin(ruleSet);
  }

  #begin(ruleSet: RuleSet): void {
    const metrics = new Metrics();
    this.#detect = new Detect(ruleSet, {
      baseline: baselines,
      forecast: forecasters,
      metrics,
      interfaceSpeed: () => 1e9,
      onEvaluation: (evaluation) => {
        const { rule, ...rest } = evaluation;
        this.lines.push(JSON.stringify([rule.id, rest, this.#windows.evidence(evaluation)]));
      },
    });
    this.#windows = new WindowStage(ruleSet, {
      names: this.#names,
      metrics,
      onResults: (results) => this.#detect.results(results),
      watched: (index) => this.#detect.watched(index),
      limits: { recentRows: 1 << 14 },
    });
  }

  interrupt(ruleSet: RuleSet): void {
    const windows = new StateWriter();
    const detect = new StateWriter();
    this.#windows.save(windows);
    this.#detect.save(detect);
    const bytes = [windows.concat(), detect.concat()];
    this.#begin(ruleSet);
    this.#windows.restore(new StateReader(bytes[0]));
    this.#detect.restore(new StateReader(bytes[1]));
  }

  step({ batch, watermarkUs }: Step): void {
    this.#windows.add(batch);
    this.#windows.advance(watermarkUs);
  }

  end(): string[] {
    this.#windows.advance(Number.POSITIVE_INFINITY);
    return this.lines;
  }
}

function judge(sets: (step: number) => RuleSet, names: Names, steps: readonly Step[], breaks: ReadonlySet<number>) {
  const judged = new Judged(sets(0), names);
  steps.forEach((step, n) => {
    if (breaks.has(n)) judged.interrupt(sets(n));
    judged.step(step);
  });
  return judged.end();
}

describe('the shipped rules over fixtures', () => {
  const home = DEFAULT_HOME.map(parsePrefix) as Prefix[];
  const { rules } = loadRules([join(ROOT, 'rules')], { home });
  const ruleSet = { home, rules: [...rules.rules, ...loadPlans(home)] };
  const fixtures = readdirSync(join(ROOT, 'fixtures')).flatMap((name) =>
    ['pcap', 'pcapng']
      .map((kind) => join(ROOT, 'fixtures', name, `capture.${kind}`))
      .filter((path) => existsSync(path)),
  );

  it.each(fixtures)('%s gives the same evaluations with cuts in the middle', async (path) => {
    const own = new Names();
    const steps = await slicesOf(path, own);
    const cuts = new Set([1, 2, 3].map((k) => Math.floor((k * steps.length) / 4)));
    const whole = judge(() => ruleSet, own, steps, new Set());
    expect(judge(() => ruleSet, own, steps, cuts)).toEqual(whole);
  });
});

const above = (index: number, value: number): Expr => ({
  op: '>',
  left: { op: 'measure', index, part: null },
  right: { op: 'number', value, unit: 'none' },
});
const learned = (name: string, fn: LearnedMeasure['fn'], params: LearnedMeasure['params']): LearnedMeasure => ({
  kind: 'learned',
  name,
  fn,
  of: 0,
  params,
  reach: { op: 'number', value: 50, unit: 'none' },
  unit: 'none',
});

function watching(some: Partial<RulePlan>): RulePlan {
  return plan({
    window: tumbling(5),
    measures: [
      measure('packets', 'sum'),
      learned('z', 'baseline', { season: [], direction: 'both', min_dev: 0, warmup: 10 * S }),
      learned('full', 'forecast', { horizon: 86_400 * S }),
      learned('shift', 'cusum', { k: 0.5, warmup: 10 * S, direction: 'up' }),
    ],
    levels: [
      { severity: 'warning', when: above(0, 6), forUs: 20 * S },
      { severity: 'critical', when: above(1, 3), forUs: 0 },
    ],
    clear: { op: 'not', arg: above(0, 3) },
    keepFiringForUs: 15 * S,
    follow: {
      withinUs: 30 * S,
      match: { op: 'compare', field: 'dst.port', cmp: '==', value: 22 },
      severity: 'critical',
    },
    ...some,
  });
}

const steps = fc
  .array(
    fc.record({
      packets: fc.integer({ min: 0, max: 12 }),
      dport: fc.constantFrom(443, 443, 22),
      dst: fc.constantFrom('192.0.2.1', '192.0.2.2'),
    }),
    {
      minLength: 20,
      maxLength: 60,
    },
  )
  .map((rows) =>
    rows.map((row, i): Step => {
      const startUs = BASE_US + 2 * i * S;
      return { batch: batchOf([slice({ ...row, startUs })]), watermarkUs: startUs - S };
    }),
  );

describe('interrupted judging', () => {
  it('goes on as if nothing had happened: learned measures, watched keys, follow-ups', () => {
    const ruleSet = { home: [], rules: [watching({})] };
    fc.assert(
      fc.property(steps, fc.uniqueArray(fc.integer({ min: 1, max: 59 }), { maxLength: 4 }), (some, cuts) => {
        const whole = judge(() => ruleSet, names, some, new Set());
        expect(judge(() => ruleSet, names, some, new Set(cuts))).toEqual(whole);
      }),
      { numRuns: 60 },
    );
  });

  it('keeps an alert that is pending across a reload, and begins the changed rule anew', () => {
    const kept = watching({ id: 'kept', fingerprint: 'kept' });
    const before = { home: [], rules: [watching({ id: 'other', fingerprint: 'one' }), kept] };
    const after = { home: [], rules: [kept, watching({ id: 'other', fingerprint: 'two', minSamples: 1 })] };
    const of = (lines: string[], id: string): string[] => lines.filter((line) => JSON.parse(line)[0] === id);
    const some = Array.from({ length: 30 }, (_, i): Step => {
      const startUs = BASE_US + 2 * i * S;
      return { batch: batchOf([slice({ startUs, packets: i > 5 ? 9 : 1 })]), watermarkUs: startUs - S };
    });
    const alone = judge(() => ({ home: [], rules: [kept] }), names, some, new Set());
    const reloaded = judge((n) => (n < 12 ? before : after), names, some, new Set([12]));
    const place = (line: string) => JSON.stringify({ ...JSON.parse(line)[1], ruleIndex: 0 });
    expect(of(alone, 'kept').length).toBeGreaterThan(5);
    expect(of(reloaded, 'kept').map(place)).toEqual(of(alone, 'kept').map(place));
    expect(of(reloaded, 'other').length).toBeGreaterThan(0);
  });
});
