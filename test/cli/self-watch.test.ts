import { beforeEach, describe, expect, it } from 'vitest';
import { requireRules, rulePaths, selfRules } from '../../src/cli/rule-option.ts';
import { SelfWatch, type SelfWatchPorts } from '../../src/cli/self-watch.ts';
import { Metrics } from '../../src/core/metrics.ts';
import { StateReader, StateWriter } from '../../src/core/state.ts';
import type { Transition } from '../../src/model/alert.ts';

const START_US = Date.UTC(2026, 10, 24) * 1000;

describe('weir watches itself', () => {
  let metrics: Metrics;
  let told: Transition[];
  let points: Map<string, number>;
  let nowUs: number;
  let watch: SelfWatch;
  let ports: SelfWatchPorts;

  beforeEach(() => {
    metrics = new Metrics();
    told = [];
    points = new Map();
    nowUs = START_US;
    ports = {
      metrics,
      nowUs: () => nowUs,
      tell: (transition: Transition) => told.push(transition),
      point: (name: string, _: number, value: number) => points.set(name, value),
    };
    watch = new SelfWatch({ rules: selfRules(), intervalMs: 10_000 }, ports);
  });

  /** Measures every ten seconds. */
  function pass(seconds: number): void {
    for (let at = 0; at < seconds; at += 10) {
      watch.tick();
      nowUs += 10e6;
    }
  }

  const states = () =>
    told.filter(({ state }) => state !== 'pending').map(({ rule, state, key }) => [rule, state, key]);

  it('tells of a loss by its cause, and of its end', () => {
    metrics.gauge('weir_active_rules', 'Rules.').value = 28;
    const drops = metrics.counter('weir_alert_drops_total{cause="table_full"}', 'Drops.');
    drops.value = 1000;
    pass(120);
    expect(states()).toEqual([]);
    drops.value += 3;
    pass(600);
    const key = { metric: 'weir_alert_drops_total', label: 'table_full' };
    expect(states()).toEqual([
      ['weir-loss', 'firing', key],
      ['weir-loss', 'resolved', key],
    ]);
    expect(told.find(({ state }) => state === 'firing')?.summary).toContain('weir_alert_drops_total table_full: 3');
  });

  it('goes on from a checkpoint: what fires then ends under the same name', () => {
    metrics.gauge('weir_active_rules', 'Rules.').value = 28;
    const drops = metrics.counter('weir_alert_drops_total{cause="table_full"}', 'Drops.');
    pass(60);
    drops.value += 3;
    pass(150);
    const state = new StateWriter();
    watch.save(state);
    const again = new SelfWatch({ rules: selfRules(), intervalMs: 10_000 }, ports);
    again.restore(new StateReader(state.concat()));
    const [firing] = told.filter((each) => each.state === 'firing');
    expect([...again.active]).toEqual([firing.alertId]);
    watch = again;
    pass(600);
    expect(states().map(([, is]) => is)).toEqual(['firing', 'resolved']);
    expect(told.at(-1)?.alertId).toBe(firing.alertId);
  });

  it('counts what a counter that is born later has already', () => {
    pass(60);
    metrics.gauge('weir_active_rules', 'Rules.').value = 28;
    metrics.counter('weir_outbox_dead_total{channel="ops"}', 'Dead.').value = 1;
    pass(120);
    expect(states()).toEqual([['weir-dead-letters', 'firing', { label: 'ops' }]]);
  });

  it('tells of gauges by their labels, and leaves out those that have no value', () => {
    metrics.gauge('weir_outbox_oldest_seconds{channel="ops"}', 'Age.').value = 400;
    metrics.gauge('weir_outbox_oldest_seconds{channel="mail"}', 'Age.').value = 1;
    metrics.gauge('weir_source_silent_seconds{source="x"}', 'Silence.').from(() => Number.NaN);
    pass(90);
    expect(states()).toEqual([['weir-delivery-late', 'firing', { label: 'ops' }]]);
    expect([...points.keys()]).toEqual([
      'self/weir_outbox_oldest_seconds{channel="mail"}',
      'self/weir_outbox_oldest_seconds{channel="ops"}',
    ]);
  });

  it('has rules of its own, which do not see traffic', () => {
    const about = requireRules(rulePaths(undefined), {}).rules.filter(({ id }) => id.startsWith('weir-'));
    expect(about).toEqual([]);
    expect(selfRules().rules.length).toBeGreaterThan(8);
  });
});
