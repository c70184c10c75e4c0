import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AlertState, Transition } from '../../src/model/alert.ts';
import { bench } from './bench.ts';
import { type Behaviour, HANG, OK, RESET, Receiver, type Request, status } from './receiver.ts';
import { transitionOf } from './transition.ts';

/** Every kind of trouble at once, each receiver with its own, over real sockets and by a clock that is moved by hand. */
const TEN_MINUTES_US = 600e6;
const STATES: AlertState[] = ['firing', 'escalated', 'resolved'];
const ALERTS = 15;

interface Troubled {
  name: string;
  receiver: Receiver;
  /** Nobody listens during the trouble. */
  refuses?: true;
  /** By the time since the start, microseconds, and the number of the request. */
  behaviour?: (sinceUs: number, n: number) => Behaviour;
}

const during =
  (trouble: Behaviour) =>
  (sinceUs: number): Behaviour =>
    sinceUs < TEN_MINUTES_US ? trouble : OK;

let all: Troubled[];

beforeEach(async () => {
  all = [
    { name: 'well' },
    { name: 'refuses', refuses: true as const },
    { name: 'resets', behaviour: during(RESET) },
    { name: 'hangs', behaviour: during(HANG) },
    { name: 'fails', behaviour: during(status(500)) },
    { name: 'limits', behaviour: during(status(429, { 'retry-after': '120' })) },
    { name: 'moody', behaviour: (_: number, n: number) => [OK, status(503), RESET, OK][n % 4] },
  ].map((each) => ({ ...each, receiver: new Receiver() }));
  for (const { receiver } of all) await receiver.listen();
});

afterEach(async () => {
  for (const { receiver } of all) await receiver.close();
});

function transitions(): Transition[] {
  const told: Transition[] = [];
  for (let number = 0; number < STATES.length; number++) {
    for (let i = 0; i < ALERTS; i++) told.push(transitionOf(`a${i}`, number, { state: STATES[number] }));
  }
  return told;
}

/** What a receiver said yes to. */
function takenBy(receiver: Receiver, accepted: ReadonlySet<Request>): Request[] {
  return receiver.got.filter((request) => accepted.has(request));
}

describe('receivers in trouble for ten minutes', () => {
  it('get every alert, no key with two contents, each alert in order; the one that is well waits for nobody', async () => {
    const b = bench(
      all.map(({ name, receiver }) => ({ name, type: 'webhook', url: receiver.url, timeout: '10s' })),
      { delivery: { random: Math.random } },
    );
    const startUs = b.clock.nowUs();
    const accepted = new Set<Request>();
    for (const { receiver, behaviour, refuses } of all) {
      receiver.behave = (response, request, n) => {
        response.on('finish', () => response.statusCode === 200 && accepted.add(request));
        (behaviour?.(b.clock.nowUs() - startUs, n) ?? OK)(response, request, n);
      };
      if (refuses) await receiver.close();
    }
    const names = all.map(({ name }) => name);
    const queue = transitions();
    b.delivery.start();
    let back = false;
    let wellUs = 0;
    for (let turn = 0; turn < 50_000; turn++) {
      if (turn % 20 === 0 && queue.length > 0) b.outbox.enqueue(queue.shift()!, names);
      if (!back && b.clock.nowUs() - startUs >= TEN_MINUTES_US) {
        back = true;
        for (const { receiver, refuses } of all) if (refuses) await receiver.listen();
      }
      b.clock.advance(500);
      await setImmediate();
      const stats = b.outbox.stats();
      const well = stats.find(({ channel }) => channel === 'well');
      if (wellUs === 0 && queue.length === 0 && well?.waiting === 0) wellUs = b.clock.nowUs() - startUs;
      if (queue.length === 0 && back && stats.every(({ waiting }) => waiting === 0)) break;
    }
    await b.delivery.stop();
    expect(b.outbox.stats().map(({ channel, waiting, dead }) => [channel, waiting, dead])).toEqual(
      names.toSorted().map((name) => [name, 0, 0]),
    );
    expect(wellUs).toBeLessThan(TEN_MINUTES_US);
    const wanted = transitions().map(({ idempotencyKey }) => idempotencyKey);
    for (const { name, receiver } of all) {
      const taken = takenBy(receiver, accepted);
      const keys = taken.map(({ headers }) => String(headers['idempotency-key']));
      expect([...new Set(keys)].sort(), name).toEqual(wanted.toSorted());
      const bodies = new Map<string, string>();
      for (const { headers, body } of receiver.got) {
        const key = String(headers['idempotency-key']);
        expect(bodies.get(key) ?? body, `${name} ${key}`).toBe(body);
        bodies.set(key, body);
      }
      for (let i = 0; i < ALERTS; i++) {
        const order = STATES.map((_, number) => keys.indexOf(`a${i}-${number}`));
        expect(order, `${name} a${i}`).toEqual(order.toSorted((x, y) => x - y));
      }
    }
  });
});
