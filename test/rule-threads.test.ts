import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Metrics } from '../src/core/metrics.ts';
import { StateReader, StateWriter } from '../src/core/state.ts';
import { Engine } from '../src/engine.ts';
import { DEFAULT_HOME, parsePrefix } from '../src/model/address.ts';
import { Names } from '../src/model/names.ts';
import { loadRules } from '../src/rule/rule.ts';
import { RuleThreads } from '../src/rule-threads.ts';
import { ROOT } from './support/replay.ts';
import { type Step, slicesOf } from './support/slices.ts';

const home = DEFAULT_HOME.map((text) => parsePrefix(text)!);
const { rules } = loadRules([join(ROOT, 'rules')], { home });
const FIXTURES = ['scan-horizontal/capture.pcap', 'dns-tunnel/capture.pcap', 'syn-flood/capture.pcapng'];
/** Batches by which a late one comes later; a multiple of five. */
const LATER = 20;

/** Captures in order of time, with leaps between them; every fifth batch comes late. */
async function steps(names: Names): Promise<Step[]> {
  const all = await Promise.all(FIXTURES.map((path) => slicesOf(join(ROOT, 'fixtures', path), names)));
  const inOrder = all.sort(([a], [b]) => a.watermarkUs - b.watermarkUs).flat();
  const late = inOrder.filter((_, n) => n % 5 === 0);
  return inOrder.flatMap((step, n) => {
    if (n % 5 !== 0) return [step];
    return n >= LATER ? [{ ...late[(n - LATER) / 5], watermarkUs: step.watermarkUs }] : [];
  });
}

/** Everything an engine tells, with as many threads as `threadsAt` says from that step on. */
async function told(names: Names, all: readonly Step[], threadsAt: ReadonlyMap<number, number>): Promise<string[]> {
  const lines: string[] = [];
  const metrics = new Metrics();
  const begin = (ruleThreads: number): Engine =>
    new Engine(
      { rules, ruleThreads },
      {
        transition: (transition) => void lines.push(JSON.stringify(transition)),
        evaluation: ({ rule, ...rest }) => void lines.push(JSON.stringify([rule.id, rest])),
      },
      { names, metrics },
    );
  let engine = begin(threadsAt.get(0) ?? 0);
  for (const [n, { batch, watermarkUs }] of all.entries()) {
    const threads = n > 0 ? threadsAt.get(n) : undefined;
    if (threads !== undefined) {
      const saved = new StateWriter();
      engine.save(saved);
      await engine.stop();
      engine = begin(threads);
      engine.restore(new StateReader(saved.concat()));
    }
    engine.slices(batch);
    engine.advance(watermarkUs + 3e6);
  }
  engine.end();
  await engine.stop();
  return [...lines, JSON.stringify(metrics.snapshot())];
}

describe('rules on threads of their own', () => {
  it('give the same evaluations, alerts and counters, byte for byte, with any number of threads', async () => {
    const names = new Names();
    const all = await steps(names);
    const alone = await told(names, all, new Map());
    expect(alone.some((line) => line.includes('"firing"'))).toBe(true);
    expect(alone.at(-1)).toContain('weir_late_rows_total');
    for (const threads of [1, 2, 4]) expect(await told(names, all, new Map([[0, threads]]))).toEqual(alone);
  });

  it('take up the state that another number of threads left', async () => {
    const names = new Names();
    const all = await steps(names);
    const cut = (share: number): number => Math.floor(all.length * share);
    const changing = new Map([0, 2, 1, 3, 0].map((threads, k) => [cut(k / 5), threads]));
    expect(await told(names, all, changing)).toEqual(await told(names, all, new Map()));
  });

  it('are most rules, whole sets of tables; those that look at texts or at counters stay', () => {
    const threads = new RuleThreads(rules, { threads: 2, seed: 1, stays: (index) => index === 0 }, new Metrics());
    const moved = rules.rules.filter((_, index) => threads.has(index)).map(({ id }) => id);
    expect(moved.length).toBeGreaterThan(rules.rules.length / 3);
    expect(moved).not.toContain('dns-tunnel');
    expect(moved).not.toContain(rules.rules[0].id);
    return threads.stop();
  });

  it('fail loudly: the engine hears of what a thread could not do', async () => {
    const threads = new RuleThreads(rules, { threads: 1, seed: 1, stays: () => false }, new Metrics());
    const nothing = new Uint8Array(0);
    expect(() => threads.restore({ windows: nothing, detect: nothing }, 0)).toThrow(/thread that judges rules/);
    await threads.stop();
  });
});
