import { describe, expect, it } from 'vitest';
import type { Evaluation } from '../../src/model/alert.ts';
import {
  CRITICAL,
  EVIDENCE,
  evaluation,
  feed,
  KEY,
  machine,
  NOTHING,
  ruleOf,
  SECOND,
  tale,
  WARNING,
} from './machine.ts';

const level = (forUs: number[]) => ruleOf().levels.map((each, i) => ({ ...each, forUs: forUs[i] }));

describe('one alert a rule and key', () => {
  it('fires at once, rises, sinks and is resolved', () => {
    const m = machine();
    feed(m, ruleOf(), [NOTHING, WARNING, CRITICAL, CRITICAL, WARNING, NOTHING, NOTHING]);
    expect(m.story()).toEqual([
      'firing warning @20',
      'escalated critical @30',
      'deescalated warning @50',
      'resolved warning @60',
    ]);
    expect(new Set(m.told.map((t) => t.alertId)).size).toBe(1);
    expect(new Set(m.told.map((t) => t.idempotencyKey)).size).toBe(4);
    expect(m.told.map((t) => t.since)).toEqual(new Array(4).fill('1970-01-01T00:00:20.000000Z'));
    expect(m.alerts.active()).toEqual([]);
  });

  it('is a new episode the second time', () => {
    const m = machine();
    feed(m, ruleOf(), [WARNING, NOTHING, WARNING, NOTHING]);
    const [first, , second] = m.told;
    expect(second.alertId).not.toBe(first.alertId);
    expect(second.idempotencyKey).not.toBe(first.idempotencyKey);
  });

  it('waits for each level as long as its `for` says', () => {
    const m = machine();
    feed(m, ruleOf({ levels: level([20e6, 40e6]) }), new Array(6).fill(CRITICAL));
    expect(m.story()).toEqual(['pending critical @10', 'firing warning @30', 'escalated critical @50']);
  });

  it('starts `for` anew when the condition breaks, and forgets a pending alert silently', () => {
    const m = machine();
    const rule = ruleOf({ levels: level([20e6, 0]) });
    feed(m, rule, [WARNING, WARNING, NOTHING, WARNING, WARNING, WARNING]);
    expect(m.story()).toEqual(['pending warning @10', 'pending warning @40', 'firing warning @60']);
    expect(m.told[1].alertId).not.toBe(m.told[0].alertId);
  });

  it('goes on between the conditions and `clear`, at the weakest severity', () => {
    const m = machine();
    const rule = ruleOf();
    feed(m, rule, [CRITICAL]);
    m.alerts.evaluate(evaluation(rule, 20, { clear: false }));
    m.alerts.evaluate(evaluation(rule, 30, { clear: false }));
    m.alerts.evaluate(evaluation(rule, 40, { clear: true }));
    m.alerts.advance(40 * SECOND);
    expect(m.story()).toEqual(['firing critical @10', 'deescalated warning @20', 'resolved warning @40']);
  });

  it('does not clear while a level holds', () => {
    const m = machine();
    feed(m, ruleOf(), [WARNING, WARNING], { clear: true });
    expect(m.story()).toEqual(['firing warning @10']);
  });

  it('keeps firing for as long as the rule says, for the end and for a weaker severity', () => {
    const m = machine();
    feed(m, ruleOf({ keepFiringForUs: 20e6 }), [
      CRITICAL,
      NOTHING,
      NOTHING,
      CRITICAL,
      WARNING,
      WARNING,
      WARNING,
      NOTHING,
      NOTHING,
      NOTHING,
    ]);
    expect(m.story()).toEqual(['firing critical @10', 'deescalated warning @70', 'resolved warning @100']);
  });
});

it('counts the time for a weaker severity anew after each rise, and not through missing data', () => {
  const rule = ruleOf({ keepFiringForUs: 20e6 });
  const m = machine();
  feed(m, rule, [WARNING, CRITICAL, WARNING, CRITICAL, WARNING, null, null, WARNING, WARNING]);
  expect(m.story()).toEqual(['firing warning @10', 'escalated critical @20', 'deescalated warning @90']);
  const other = machine();
  const three = ruleOf({
    keepFiringForUs: 20e6,
    levels: [{ ...ruleOf().levels[0], severity: 'info' }, { ...ruleOf().levels[0] }, ruleOf().levels[1]],
  });
  const info = [true, false, false];
  const warning = [true, true, false];
  feed(other, three, [warning, info, [true, true, true], warning, warning, warning]);
  expect(other.story()).toEqual(['firing warning @10', 'escalated critical @30', 'deescalated warning @60']);
});

describe('missing data', () => {
  it('never resolves by accident: time without data does not count', () => {
    const m = machine();
    const rule = ruleOf({ levels: level([20e6, 0]), keepFiringForUs: 20e6 });
    feed(m, rule, [WARNING, null, null, null, WARNING, WARNING, NOTHING, null, null, NOTHING, NOTHING]);
    expect(m.story()).toEqual(['pending warning @10', 'firing warning @60', 'resolved warning @110']);
  });

  it('resolves when the rule says so', () => {
    const m = machine();
    feed(m, ruleOf({ noData: 'resolve' }), [WARNING, null, null]);
    expect(m.story()).toEqual(['firing warning @10', 'resolved warning @20']);
    expect(m.told[1].summary).toContain('no data');
  });

  it('alerts when the rule says so, and is resolved by data that is clear', () => {
    const m = machine();
    feed(m, ruleOf({ noData: 'alert', levels: level([10e6, 0]) }), [NOTHING, null, null, null, NOTHING]);
    expect(m.story()).toEqual(['pending warning @20', 'firing warning @30', 'resolved warning @50']);
    expect(m.told[1].summary).toBe('TCP SYN flood: dst.ip 192.0.2.7: no data');
  });

  it('leaves a firing alert as it is with `alert`', () => {
    const m = machine();
    feed(m, ruleOf({ noData: 'alert' }), [CRITICAL, null, null, CRITICAL]);
    expect(m.story()).toEqual(['firing critical @10']);
  });
});

describe('follow-up', () => {
  it('raises at once and the alert does not sink below it', () => {
    const m = machine();
    const rule = ruleOf({ levels: level([600e6, 600e6]) });
    m.alerts.evaluate(evaluation(rule, 10, { holds: WARNING }));
    m.alerts.evaluate(evaluation(rule, 20, { holds: WARNING, raise: 'critical' }));
    m.alerts.evaluate(evaluation(rule, 30, { holds: WARNING }));
    m.alerts.evaluate(evaluation(rule, 40));
    m.alerts.end();
    expect(m.story()).toEqual(['pending warning @10', 'firing critical @20', 'resolved critical @40']);
  });

  it('begins an alert where nothing else holds', () => {
    const m = machine();
    m.alerts.evaluate(evaluation(ruleOf(), 10, { raise: 'critical' }));
    m.alerts.end();
    expect(m.story()).toEqual(['firing critical @10']);
  });
});

describe('suppression', () => {
  const flood = ruleOf({ id: 'udp-flood-host', levels: level([20e6, 20e6]) });
  const carpet = ruleOf({ id: 'carpet', suppresses: [{ rules: ['udp-flood-*'], within: 'dst.ip' }] });
  const net = { 'dst.ip': '192.0.2.0/24', 'src.port': 53 };

  it.each(['suppressor first', 'suppressor last'])('speaks for what lies within its key: %s', (order) => {
    const m = machine();
    for (const at of [10, 20, 30, 40, 50]) {
      const both = [
        evaluation(carpet, at, { key: net, holds: at < 40 ? WARNING : NOTHING }),
        evaluation(flood, at, { holds: WARNING }),
        evaluation(flood, at, { holds: WARNING, key: { 'dst.ip': '192.0.3.1' } }),
      ];
      if (order === 'suppressor last') both.push(...both.splice(0, 1));
      for (const e of both) m.alerts.evaluate(e);
      m.alerts.advance(at * SECOND);
    }
    const byRule = (id: string, key = KEY) =>
      m.told.filter((t) => t.rule === id && JSON.stringify(t.key) === JSON.stringify(key)).map(tale);
    expect(byRule('carpet', net as never)).toEqual(['firing warning @10', 'resolved warning @40']);
    expect(byRule('udp-flood-host')).toEqual(['pending warning @10', 'suppressed warning @30', 'firing warning @40']);
    expect(byRule('udp-flood-host', { 'dst.ip': '192.0.3.1' })).toEqual(['pending warning @10', 'firing warning @30']);
  });

  it('needs the same key where no field is named, and ends silently with what it hid', () => {
    const loud = ruleOf({ id: 'loud', suppresses: [{ rules: ['quiet'], within: null }] });
    const quiet = ruleOf({ id: 'quiet' });
    const m = machine();
    for (const [at, holds] of [
      [10, WARNING],
      [20, NOTHING],
    ] as const) {
      m.alerts.evaluate(evaluation(quiet, at, { holds: [...holds] }));
      m.alerts.evaluate(evaluation(quiet, at, { holds: [...holds], key: { 'dst.ip': '192.0.2.8' } }));
      m.alerts.evaluate(evaluation(loud, at, { holds: [...WARNING] }));
    }
    m.alerts.end();
    expect(m.told.map((t) => `${t.rule} ${t.key['dst.ip']} ${t.state}`)).toEqual([
      'quiet 192.0.2.7 suppressed',
      'quiet 192.0.2.8 firing',
      'loud 192.0.2.7 firing',
      'quiet 192.0.2.8 resolved',
    ]);
  });

  it('does not reach what is wider than its key', () => {
    const m = machine();
    const nets = ruleOf({ id: 'udp-flood-net' });
    m.alerts.evaluate(evaluation(carpet, 10, { key: net, holds: WARNING }));
    m.alerts.evaluate(evaluation(nets, 10, { key: { 'dst.ip': '192.0.2.0/23' }, holds: WARNING }));
    m.alerts.evaluate(evaluation(nets, 10, { key: { 'dst.ip': '192.0.2.128/25' }, holds: WARNING }));
    m.alerts.end();
    expect(m.told.map((t) => `${t.key['dst.ip']} ${t.state}`)).toEqual([
      '192.0.2.0/24 firing',
      '192.0.2.0/23 firing',
      '192.0.2.128/25 suppressed',
    ]);
  });

  it('fires afterwards only while a level holds', () => {
    const m = machine();
    const quick = ruleOf({ id: 'udp-flood-quick' });
    const at = (seconds: number, loud: boolean[], quiet: Partial<Evaluation>) => {
      m.alerts.evaluate(evaluation(carpet, seconds, { key: net, holds: loud }));
      m.alerts.evaluate(evaluation(quick, seconds, quiet));
    };
    at(10, WARNING, { holds: WARNING });
    at(20, NOTHING, { holds: NOTHING, clear: false });
    at(30, NOTHING, { missing: true, clear: false });
    at(40, NOTHING, { holds: WARNING });
    m.alerts.end();
    expect(m.told.filter((t) => t.rule === 'udp-flood-quick').map(tale)).toEqual([
      'suppressed warning @10',
      'firing warning @40',
    ]);
  });

  it('does not hide what was told already', () => {
    const m = machine();
    const quick = ruleOf({ id: 'udp-flood-quick' });
    m.alerts.evaluate(evaluation(quick, 10, { holds: WARNING }));
    for (const at of [20, 30]) {
      m.alerts.evaluate(evaluation(carpet, at, { key: net, holds: WARNING }));
      m.alerts.evaluate(evaluation(quick, at, { holds: at === 20 ? CRITICAL : NOTHING }));
    }
    m.alerts.end();
    expect(m.told.filter((t) => t.rule === 'udp-flood-quick').map(tale)).toEqual([
      'firing warning @10',
      'escalated critical @20',
      'resolved critical @30',
    ]);
  });
});

describe('bounds and ends', () => {
  it('refuses more alerts than allowed and counts them', () => {
    const m = machine({ maxActive: 2 });
    const rule = ruleOf();
    for (let i = 1; i <= 5; i++) {
      m.alerts.evaluate(evaluation(rule, 10, { holds: WARNING, key: { 'dst.ip': `192.0.2.${i}` } }));
    }
    m.alerts.advance(10 * SECOND);
    expect(m.told).toHaveLength(2);
    expect(m.metrics.snapshot()).toEqual({
      'weir_alert_drops_total{cause="table_full"}': 3,
      'weir_alert_transitions_total{state="firing"}': 2,
    });
  });

  it('at the end of input what fires goes on, and an end that had begun is complete', () => {
    const m = machine();
    const rule = ruleOf({ keepFiringForUs: 3600e6 });
    for (const at of [10, 20]) {
      m.alerts.evaluate(evaluation(rule, at, { holds: WARNING }));
      m.alerts.evaluate(evaluation(rule, at, { holds: at === 10 ? WARNING : NOTHING, key: { 'dst.ip': '192.0.2.9' } }));
    }
    m.alerts.end();
    expect(m.story()).toEqual(['firing warning @10', 'firing warning @10', 'resolved warning @3620']);
    expect(m.told[2].key).toEqual({ 'dst.ip': '192.0.2.9' });
    expect(m.alerts.active()).toMatchObject([{ state: 'firing', key: KEY, since: '1970-01-01T00:00:10.000000Z' }]);
  });

  it('gives evidence when an alert begins or changes, not when it is only pending or over', () => {
    const m = machine();
    feed(m, ruleOf({ levels: level([10e6, 10e6]) }), [WARNING, WARNING, NOTHING]);
    expect(m.told.map((t) => t.evidence)).toEqual([[], EVIDENCE, []]);
  });
});
