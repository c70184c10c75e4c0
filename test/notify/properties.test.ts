import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ManualClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { Metrics } from '../../src/core/metrics.ts';
import { backoffMs } from '../../src/notify/backoff.ts';
import { type Channel, Delivery, type Message, Outbox, type Outcome } from '../../src/notify/notify.ts';
import { retryAfterMs } from '../../src/notify/retry-after.ts';
import { transitionOf } from './transition.ts';

/** What a receiver answers, in turn; afterwards it takes everything. */
const answers = fc.array(
  fc.oneof(
    fc.constant<Outcome>({ kind: 'delivered', answer: {} }),
    fc.constant<Outcome>({ kind: 'retry', error: 'x' }),
    fc.record({ kind: fc.constant('retry' as const), error: fc.constant('x'), retryAfterMs: fc.nat(120_000) }),
    fc.constant<Outcome>({ kind: 'final', error: 'no' }),
    fc.constant<'throw'>('throw'),
  ),
  { maxLength: 40 },
);

class Fake implements Channel {
  readonly name: string;
  readonly groups = true;
  readonly concurrency: number;
  readonly log: { key: string; outcome: string }[] = [];
  readonly answers: (Outcome | 'throw')[];

  constructor(name: string, concurrency: number, answers: (Outcome | 'throw')[]) {
    this.name = name;
    this.concurrency = concurrency;
    this.answers = [...answers];
  }

  async send(message: Message): Promise<Outcome> {
    const answer = this.answers.shift() ?? { kind: 'delivered', answer: {} };
    this.log.push({ key: message.idempotencyKey, outcome: answer === 'throw' ? 'throw' : answer.kind });
    await Promise.resolve();
    if (answer === 'throw') throw new Error('boom');
    return answer;
  }
}

it('whatever receivers answer: each message ends once, and never before those of its alert that came first', async () => {
  await fc.assert(
    fc.asyncProperty(
      answers,
      answers,
      fc.array(fc.nat(4), { minLength: 1, maxLength: 30 }),
      async (one, two, alerts) => {
        const clock = new ManualClock(1e15);
        const metrics = new Metrics();
        const outbox = new Outbox(new DatabaseSync(':memory:'), { clock, metrics });
        const channels = [new Fake('one', 1, one), new Fake('two', 3, two)];
        const delivery = new Delivery({}, { outbox, channels, metrics, logger: silentLogger(), clock });
        delivery.start();
        for (const [i, alert] of alerts.entries()) {
          outbox.enqueue(transitionOf(`a${alert}`, i), ['one', 'two']);
          if (i % 3 === 0) {
            clock.advance(500);
            await delivery.settled();
          }
        }
        for (let i = 0; i < 200; i++) {
          clock.advance(60_000);
          await delivery.settled();
        }
        await delivery.stop();
        for (const { waiting } of outbox.stats()) expect(waiting).toBe(0);
        for (const { log } of channels) {
          const ended = log
            .filter(({ outcome }) => outcome === 'delivered' || outcome === 'final')
            .map(({ key }) => key);
          expect(new Set(ended).size).toBe(ended.length);
          expect(ended).toHaveLength(alerts.length);
          for (let alert = 0; alert <= 4; alert++) {
            const numbers = log
              .filter(({ key }) => key.startsWith(`a${alert}-`))
              .map(({ key }) => Number(key.split('-')[1]));
            expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
          }
        }
      },
    ),
    { numRuns: 40 },
  );
});

it('backoff doubles up to its limit and jitter takes at most half', () => {
  const at = (attempts: number, random: number) =>
    backoffMs(attempts, { firstMs: 1000, mostMs: 300_000, random: () => random });
  expect([1, 2, 3, 4, 20, 5000].map((n) => at(n, 1))).toEqual([1000, 2000, 4000, 8000, 300_000, 300_000]);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1000 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, random) => {
      expect(at(n, random)).toBeGreaterThanOrEqual(at(n, 1) / 2);
      expect(at(n, random)).toBeLessThanOrEqual(at(n, 1));
    }),
  );
});

it.each([
  [null, undefined],
  ['120', 120_000],
  [' 0 ', 0],
  ['999999999', 3600_000],
  ['-5', undefined],
  ['soon', undefined],
  ['1.5', undefined],
  ['Tue, 24 Nov 2026 03:16:20 GMT', 60_000],
  ['Tue, 24 Nov 2026 03:00:00 GMT', 0],
])('Retry-After %j is %j ms', (header, ms) => {
  expect(retryAfterMs(header, Date.UTC(2026, 10, 24, 3, 15, 20))).toBe(ms);
});
