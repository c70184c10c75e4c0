import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Evaluation, Transition } from '../../src/model/alert.ts';
import { evaluation, type Machine, machine, ruleOf, SECOND } from './machine.ts';

const KEYS = [{ 'dst.ip': '192.0.2.7' }, { 'dst.ip': '192.0.2.8' }];
const RULES = [
  ruleOf({ id: 'a', fingerprint: 'a1', keepFiringForUs: 15e6 }),
  ruleOf({ id: 'b', fingerprint: 'b1', suppresses: [{ rules: ['a', 'c*'], within: null }], noData: 'alert' }),
  ruleOf({
    id: 'c',
    fingerprint: 'c1',
    noData: 'resolve',
    levels: ruleOf().levels.map((each, i) => ({ ...each, forUs: 20e6 * (i + 1) })),
  }),
];

const windowOf = fc.record({
  strength: fc.integer({ min: 0, max: 3 }),
  missing: fc.constantFrom(false, false, false, true),
  raise: fc.constantFrom(null, null, null, null, 'critical' as const),
});
/** For each window end, for each rule and key, what the window shows. */
const streams = fc.array(fc.array(windowOf, { minLength: 6, maxLength: 6 }), { minLength: 1, maxLength: 25 });

function evaluations(stream: typeof streams extends fc.Arbitrary<infer T> ? T : never): Evaluation[][] {
  return stream.map((cells, i) =>
    cells.map((cell, j) =>
      evaluation(RULES[Math.floor(j / 2)], 10 * (i + 1), {
        key: KEYS[j % 2],
        holds: [cell.strength > 1, cell.strength > 2],
        clear: cell.strength === 0,
        missing: cell.missing,
        raise: cell.raise,
      }),
    ),
  );
}

function play(m: Machine, batches: Evaluation[][]): void {
  for (const batch of batches) {
    for (const e of batch) m.alerts.evaluate(e);
    m.alerts.advance(batch[0].endUs);
  }
}

function byEpisode(told: Transition[]): Transition[][] {
  const episodes = new Map<string, Transition[]>();
  for (const t of told) episodes.set(t.alertId, [...(episodes.get(t.alertId) ?? []), t]);
  return [...episodes.values()];
}

const GRAMMAR = /^(pending )?(suppressed )?(firing ((escalated|deescalated) )*(resolved )?)?$/;

it('every episode reads pending, suppressed, firing, changes, resolved; keys are unique; time never goes back', () => {
  fc.assert(
    fc.property(streams, (stream) => {
      const m = machine();
      play(m, evaluations(stream));
      m.alerts.end();
      for (const episode of byEpisode(m.told)) expect(episode.map((t) => `${t.state} `).join('')).toMatch(GRAMMAR);
      expect(new Set(m.told.map((t) => t.idempotencyKey)).size).toBe(m.told.length);
      expect(m.told.map((t) => t.time)).toEqual(m.told.map((t) => t.time).sort());
    }),
  );
});

it('a machine restored anywhere tells the same lines', () => {
  fc.assert(
    fc.property(streams, fc.nat(), fc.boolean(), (stream, cut, midWindow) => {
      const batches = evaluations(stream);
      const whole = machine();
      play(whole, batches);
      whole.alerts.end();
      const at = cut % batches.length;
      const first = machine();
      play(first, batches.slice(0, at));
      const half = midWindow ? 3 : 0;
      for (const e of batches[at].slice(0, half)) first.alerts.evaluate(e);
      const second = machine();
      expect(second.alerts.restore(first.alerts.save(), RULES)).toEqual([]);
      play(second, [batches[at].slice(half), ...batches.slice(at + 1)]);
      second.alerts.end();
      expect(JSON.stringify([...first.told, ...second.told])).toBe(JSON.stringify(whole.told));
    }),
  );
});

it('the order of rules does not change what becomes of an alert', () => {
  fc.assert(
    fc.property(streams, (stream) => {
      const batches = evaluations(stream);
      const straight = machine();
      play(straight, batches);
      const turned = machine();
      play(
        turned,
        batches.map((batch) => batch.toReversed()),
      );
      const lines = (m: Machine) => m.told.map((t) => JSON.stringify(t)).sort();
      expect(lines(turned)).toEqual(lines(straight));
    }),
  );
});

/** An independent model of one rule with one level: what holds at each step, looked up in the whole past. */
function expected(holds: boolean[], steps: { forUs: number; keepUs: number }): string[] {
  const story: string[] = [];
  let firing = false;
  for (let i = 0; i < holds.length; i++) {
    const run = (wanted: boolean) => i - holds.slice(0, i + 1).lastIndexOf(!wanted) - 1;
    const at = 10 * (i + 1);
    if (!firing && holds[i] && run(true) === 0 && steps.forUs > 0) story.push(`pending warning @${at}`);
    if (!firing && holds[i] && run(true) * 10 * SECOND >= steps.forUs) {
      firing = true;
      story.push(`firing warning @${at}`);
    } else if (firing && !holds[i] && run(false) * 10 * SECOND >= steps.keepUs) {
      firing = false;
      story.push(`resolved warning @${at}`);
    }
  }
  return story;
}

it('agrees with a model that looks at the whole past', () => {
  const seconds = fc.constantFrom(0, 10e6, 15e6, 30e6);
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 40 }), seconds, seconds, (holds, forUs, keepUs) => {
      const rule = ruleOf({ levels: [{ ...ruleOf().levels[0], forUs }], keepFiringForUs: keepUs });
      const m = machine();
      for (const [i, held] of holds.entries()) m.alerts.evaluate(evaluation(rule, 10 * (i + 1), { holds: [held] }));
      m.alerts.advance(Number.POSITIVE_INFINITY);
      expect(m.story()).toEqual(expected(holds, { forUs, keepUs }));
    }),
  );
});

it('rules that changed or left begin anew, and their ids are named', () => {
  const m = machine();
  for (const rule of RULES) m.alerts.evaluate(evaluation(rule, 10, { holds: [true, false] }));
  m.alerts.advance(10 * SECOND);
  const next = machine();
  const running = [RULES[1], { ...RULES[2], fingerprint: 'c2' }];
  expect(next.alerts.restore(m.alerts.save(), running)).toEqual(['a', 'c']);
  expect(next.alerts.active().map((each) => each.rule)).toEqual(['b']);
  expect(() => next.alerts.restore(new Uint8Array([1, 2]), RULES)).toThrow(/cannot be read/);
});
