import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Metrics } from '../../src/core/metrics.ts';
import { StateReader, StateWriter } from '../../src/core/state.ts';
import { Engine } from '../../src/engine.ts';
import type { Evaluation, Transition } from '../../src/model/alert.ts';
import { createFlowBatch } from '../../src/model/flow-batch.ts';
import { Names } from '../../src/model/names.ts';
import { loadRules } from '../../src/rule/rule.ts';

const READING_US = 30e6;
const MINUTE_US = 60e6;
const START_US = 1_700_000_100e6;
const DAY_US = 86_400e6;

const folder = mkdtempSync(join(tmpdir(), 'weir-counter-rules-'));
afterAll(() => rmSync(folder, { recursive: true }));

function rulesOf(text: string) {
  const path = join(folder, `rule-${Math.random()}.yaml`);
  writeFileSync(path, text);
  const { rules, findings } = loadRules([path], { home: [] });
  expect(findings).toEqual([]);
  return rules;
}

const SATURATED = `
version: 1
rules:
- id: saturated
  title: An interface is full
  match: counters and in_if >= 0
  by: [exporter, in_if]
  window: 5m
  measure:
    bps: rate(bits)
    full: forecast(bps, reach=0.9*if_speed, horizon=60d)
  when: {warning: bps > 0.8 * if_speed, info: full.eta < 30d}
- id: flows
  title: Rows of flows
  match: in_if >= 0
  by: [exporter, in_if]
  window: 5m
  measure: {bps: rate(bits)}
  when: {warning: bps > 0}
`;

function station() {
  const rules = rulesOf(SATURATED);
  const names = new Names();
  const told: string[] = [];
  const judged: Evaluation[] = [];
  const make = () =>
    new Engine(
      { rules, interfaceSpeed: () => 100e6 },
      {
        transition: ({ rule, state, key, time }: Transition) =>
          told.push(`${rule} ${state} ${JSON.stringify(key)} ${time}`),
        evaluation: (evaluation) => judged.push(evaluation),
      },
      { names, metrics: new Metrics() },
    );
  let engine = make();
  const facts = { uptimeUs: Number.NaN, mostPerSecond: 12.5e6 };
  return {
    told,
    judged,
    engine: () => engine,
    read: (name: string, timeUs: number, octets: number) => engine.series(name, timeUs, octets, facts),
    restart() {
      const out = new StateWriter();
      engine.save(out);
      engine = make();
      engine.restore(new StateReader(out.concat()));
    },
  };
}

/** A quarter of an hour at 40 Mbit/s, then one at 95, then one at 40; other directions and interfaces stay at 40. */
function run(cut: number) {
  const { told, judged, engine, read, restart } = station();
  let octets = 0;
  for (let i = 0; i <= 90; i++) {
    const timeUs = START_US + i * READING_US;
    read('192.0.2.9 3 ifInOctets', timeUs, octets);
    read('192.0.2.9 3 ifOutOctets', timeUs, i * 5e6 * 30);
    read('192.0.2.9 4 ifInOctets', timeUs, i * 5e6 * 30);
    octets += 30 * (i >= 30 && i < 60 ? 95e6 / 8 : 5e6);
    if (i === cut) restart();
  }
  engine().end();
  return { told, judged };
}

test('a rule on counters fires for the interface that is full, and no other rule counts its rows', () => {
  const { told } = run(-1);
  expect(told.filter((line) => line.startsWith('flows'))).toEqual([]);
  const states = told.map((line) => line.split(' ')[1]);
  expect(states).toContain('firing');
  expect(states.at(-1)).toBe('resolved');
  for (const line of told) expect(line).toContain('{"exporter":"192.0.2.9","in_if":3}');
});

test('rates are those of the counters, to the byte, over window edges that fall between readings', () => {
  const { judged } = run(-1);
  const rates = judged.filter(({ key }) => key['in_if'] === 3).map(({ values }) => values['bps'] as number);
  expect(rates.length).toBeGreaterThan(2);
  // START_US lies on an edge of five minutes: every window is whole.
  for (const bps of rates) expect(Math.min(Math.abs(bps - 95e6), Math.abs(bps - 40e6))).toBeLessThan(1);
});

test('a restart anywhere changes nothing', () => {
  const whole = run(-1).told;
  for (const cut of [3, 31, 44, 62]) expect(run(cut).told).toEqual(whole);
});

test('flows are no counters', () => {
  const { told, engine } = station();
  const batch = createFlowBatch(1);
  batch.clearRow(0);
  batch.length = 1;
  batch.startUs[0] = START_US;
  batch.endUs[0] = START_US + MINUTE_US;
  batch.packetDeltaCount[0] = 1;
  batch.octetDeltaCount[0] = 1e12;
  batch.exporter[0] = 1;
  batch.ingressInterface[0] = 3;
  engine().flows(batch);
  engine().end();
  expect(told.filter((line) => line.startsWith('saturated'))).toEqual([]);
  expect(told.some((line) => line.startsWith('flows firing'))).toBe(true);
});

test('growth on a counter is dated by the forecast of its rule', () => {
  const { judged, engine, read } = station();
  let octets = 0;
  for (let i = 0; i < 30 * 288; i++) {
    read('192.0.2.9 3 ifInOctets', START_US + i * 300e6, octets);
    const day = (i * 300e6) / DAY_US;
    octets += 300 * ((40e6 + 1e6 * day) / 8) * (1 + 0.3 * Math.sin(2 * Math.PI * day));
  }
  engine().end();
  const eta = judged.map(({ values }) => values['full.eta'] as number).filter((value) => Number.isFinite(value));
  expect(eta.length).toBeGreaterThan(0);
  expect(eta.at(-1)! / DAY_US).toBeLessThan(10);
});
