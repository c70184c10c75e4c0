import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ManualClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { Metrics } from '../../src/core/metrics.ts';
import {
  type Channel,
  Delivery,
  type Message,
  Outbox,
  type Outcome,
  Router,
  routeOptions,
} from '../../src/notify/notify.ts';
import { transitionOf } from './transition.ts';

const MINUTE = 60_000;

/** Takes messages, says now and then that it did not, and breaks off now and then after it took one. */
class Reader implements Channel {
  readonly name: string;
  readonly groups: boolean;
  readonly concurrency = 2;
  /** By key of the message: the keys of its transitions. */
  readonly got = new Map<string, string[]>();
  readonly #answers: ('ok' | 'no' | 'lost')[];

  constructor(name: string, groups: boolean, answers: ('ok' | 'no' | 'lost')[]) {
    this.name = name;
    this.groups = groups;
    this.#answers = [...answers];
  }

  async send({ content, idempotencyKey }: Message): Promise<Outcome> {
    const answer = this.#answers.shift() ?? 'ok';
    if (answer === 'no') return { kind: 'retry', error: 'not now' };
    const told = content.kind === 'group' ? content.alerts : content.kind === 'alert' ? [content] : [];
    const keys = told.map(({ alert }) => alert.idempotencyKey);
    expect(this.got.get(idempotencyKey) ?? keys).toEqual(keys);
    this.got.set(idempotencyKey, keys);
    if (answer === 'lost') throw new Error('the line broke');
    return { kind: 'delivered', answer: {} };
  }
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ alert: fc.nat(5) }) },
  { weight: 4, arbitrary: fc.record({ minutes: fc.constantFrom(1, 4, 10, 70, 140) }) },
  { weight: 1, arbitrary: fc.constant('kill' as const) },
);
const answers = fc.array(fc.constantFrom('ok' as const, 'no' as const, 'lost' as const), { maxLength: 30 });

it('whatever is killed and refused: each transition is told once, in order, and repeated only while it fires', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), answers, answers, async (steps, mail, hook) => {
      const db = new DatabaseSync(':memory:');
      const clock = new ManualClock(1e15);
      const metrics = new Metrics();
      const channels = [new Reader('mail', true, mail), new Reader('hook', false, hook)];
      const route = { to: ['mail', 'hook'], group_by: ['rule'], repeat_interval: '1h' };
      const router = new Router([routeOptions.parse(route)], channels);
      const run = () => {
        const outbox = new Outbox(db, { clock, metrics });
        const options = { outbox, channels, metrics, logger: silentLogger(), clock };
        const delivery = new Delivery({ random: () => 1 }, options);
        delivery.start();
        return { outbox, delivery };
      };
      let { outbox, delivery } = run();
      const numbers = new Map<number, number>();
      const pass = async (minutes: number) => {
        for (let left = minutes; left > 0; left -= 10) {
          clock.advance(Math.min(left, 10) * MINUTE);
          await delivery.settled();
        }
      };
      for (const each of steps) {
        if (each === 'kill') {
          await delivery.stop();
          ({ outbox, delivery } = run());
        } else if ('minutes' in each) await pass(each.minutes);
        else {
          const n = numbers.get(each.alert) ?? 0;
          if (n === 3) continue;
          numbers.set(each.alert, n + 1);
          const state = (['firing', 'escalated', 'resolved'] as const)[n];
          const alert = transitionOf(`a${each.alert}`, n, { state, rule: `r${each.alert % 2}` });
          outbox.enqueue(alert, router.targetsFor(alert));
          outbox.enqueue(alert, router.targetsFor(alert));
        }
      }
      await pass(20);
      let waiting = -1;
      const drained = delivery.drain(400 * MINUTE).then((left) => {
        waiting = left;
      });
      // Thirty refusals, with pauses that grow to five minutes, take a while.
      for (let i = 0; i < 500 && waiting < 0; i++) await pass(1);
      await drained;
      expect(waiting).toBe(0);
      await delivery.stop();
      const wanted = [...numbers].flatMap(([alert, n]) => Array.from({ length: n }, (_, i) => `a${alert}-${i}`));
      for (const { got } of channels) {
        const told = [...got.values()].flat();
        expect(new Set(told).size).toBe(told.length);
        expect(told.filter((key) => !key.includes('#')).sort()).toEqual(wanted.sort());
        for (const alert of numbers.keys()) {
          const mine = told.filter((key) => key.startsWith(`a${alert}-`));
          expect(mine).toEqual(mine.toSorted((a, b) => order(a) - order(b)));
          expect(mine.filter((key) => key.startsWith(`a${alert}-2#`))).toEqual([]);
          for (const key of mine.filter((each) => each.includes('#'))) expect(gapBefore(mine, key)).toBe(0);
        }
      }
    }),
    { numRuns: 60 },
  );
});

/** `a1-0#2` comes after `a1-0#1`, and both before `a1-1`. */
function order(key: string): number {
  const [, number, repeat = '0'] = key.split(/[-#]/);
  return Number(number) * 1000 + Number(repeat);
}

/** Repetitions missing between a repetition and what stands before it. */
function gapBefore(keys: string[], key: string): number {
  return order(key) - order(keys[keys.indexOf(key) - 1]) - 1;
}
