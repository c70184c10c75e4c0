import { createHmac } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Bench, type BenchOptions, bench } from './bench.ts';
import { HANG, OK, RESET, Receiver, status } from './receiver.ts';
import { transitionOf } from './transition.ts';

let receiver: Receiver;
let open: Bench[];

beforeEach(async () => {
  receiver = new Receiver();
  open = [];
  await receiver.listen();
});

afterEach(async () => {
  for (const each of open) await each.delivery.stop();
  await receiver.close();
});

function start(options: BenchOptions & { channel?: object; more?: object[] } = {}): Bench {
  const { channel, more = [], ...rest } = options;
  const b = bench([{ name: 'ops', type: 'webhook', url: receiver.url, ...channel }, ...more], rest);
  open.push(b);
  b.delivery.start();
  return b;
}

describe('what is sent', () => {
  it('is the line of the alert, signed, with its key', async () => {
    const b = start({ channel: { secret: 'hush', headers: { Authorization: 'Bearer x' } }, dashboard: 'http://weir/' });
    const alert = transitionOf('a', 0);
    b.outbox.enqueue(alert, ['ops']);
    await b.delivery.settled();
    const [{ headers, body, json }] = receiver.got;
    expect(json).toEqual({ ...alert, version: '1', receiver: 'ops', dashboardUrl: 'http://weir/alerts/a' });
    expect(Object.keys(json).slice(0, 5)).toEqual(Object.keys(alert).slice(0, 5));
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'idempotency-key': 'a-0',
      'x-weir-attempt': '1',
      'x-weir-signature': `sha256=${createHmac('sha256', 'hush').update(body).digest('hex')}`,
      authorization: 'Bearer x',
      'user-agent': 'weir/0.1.0',
    });
    expect(b.outbox.stats()).toEqual([{ channel: 'ops', waiting: 0, done: 1, dead: 0, oldestUs: null }]);
  });

  it('is not signed without a secret, and takes one from the environment', async () => {
    const env = { HOOK_SECRET: 'from env' };
    const more = [{ name: 'two', type: 'webhook', url: receiver.url, secret_env: 'HOOK_SECRET' }];
    const b = start({ more, env });
    b.outbox.enqueue(transitionOf('a', 0), ['ops', 'two']);
    await b.delivery.settled();
    const signatures = receiver.got.map(({ json, headers }) => [json['receiver'], headers['x-weir-signature'] ?? null]);
    const { body } = receiver.got.find(({ json }) => json['receiver'] === 'two')!;
    const signed = createHmac('sha256', env.HOOK_SECRET).update(body).digest('hex');
    expect(signatures.sort()).toEqual([
      ['ops', null],
      ['two', `sha256=${signed}`],
    ]);
  });

  it('is a message once, however often it is enqueued', async () => {
    const b = start();
    expect(b.outbox.enqueue(transitionOf('a', 0), ['ops'])).toBe(1);
    expect(b.outbox.enqueue(transitionOf('a', 0), ['ops'])).toBe(0);
    await b.delivery.settled();
    expect(b.outbox.enqueue(transitionOf('a', 0), ['ops'])).toBe(0);
    await b.pass(60_000);
    expect(receiver.keys()).toEqual(['a-0']);
  });
});

describe('a receiver in trouble', () => {
  it.each([
    ['500', status(500)],
    ['503', status(503)],
    ['408', status(408)],
    ['425', status(425)],
    ['a reset', RESET],
  ])('%s: again after 1, 2, 4 s, with the same key and body', async (_, trouble) => {
    const b = start();
    receiver.behave = (...args) => (args[2] < 3 ? trouble(...args) : OK(...args));
    b.outbox.enqueue(transitionOf('a', 0), ['ops']);
    await b.delivery.settled();
    expect(receiver.got).toHaveLength(1);
    await b.pass(999);
    expect(receiver.got).toHaveLength(1);
    await b.pass(1);
    expect(receiver.got).toHaveLength(2);
    await b.pass(2000);
    await b.pass(4000);
    expect(receiver.keys()).toEqual(['a-0', 'a-0', 'a-0', 'a-0']);
    expect(receiver.got.map(({ headers }) => headers['x-weir-attempt'])).toEqual(['1', '2', '3', '4']);
    expect(new Set(receiver.got.map(({ body }) => body)).size).toBe(1);
    expect(b.outbox.stats()[0]).toMatchObject({ waiting: 0, done: 1 });
  });

  it('hangs: the attempt ends after the timeout', async () => {
    const b = start({ channel: { timeout: '5s' } });
    receiver.behave = (...args) => (args[2] === 0 ? HANG(...args) : OK(...args));
    b.outbox.enqueue(transitionOf('a', 0), ['ops']);
    await receiver.arrived(1);
    b.clock.advance(5000);
    await b.delivery.settled();
    expect(b.outbox.stats()[0]).toMatchObject({ waiting: 1 });
    await b.pass(1000);
    expect(receiver.keys()).toEqual(['a-0', 'a-0']);
    expect(b.outbox.stats()[0]).toMatchObject({ waiting: 0, done: 1 });
  });

  it('is away and comes back: nothing is lost, each once, an end never before its beginning', async () => {
    const b = start();
    await receiver.close();
    for (let i = 0; i < 20; i++) b.outbox.enqueue(transitionOf(`a${i}`, 0), ['ops']);
    await b.delivery.settled();
    for (let i = 0; i < 20; i++) b.outbox.enqueue(transitionOf(`a${i}`, 1), ['ops']);
    for (let i = 0; i < 10; i++) await b.pass(30_000);
    expect(b.outbox.stats()[0]).toMatchObject({ waiting: 40, done: 0, dead: 0 });
    await receiver.listen();
    await b.pass(30_000);
    await b.pass(30_000);
    expect(b.outbox.stats()[0]).toMatchObject({ waiting: 0, done: 40, dead: 0 });
    const keys = receiver.keys();
    expect(new Set(keys).size).toBe(40);
    expect(keys).toHaveLength(40);
    for (let i = 0; i < 20; i++) expect(keys.indexOf(`a${i}-0`)).toBeLessThan(keys.indexOf(`a${i}-1`));
  });

  it('rests after five failures, then one message finds out whether it is back', async () => {
    const b = start({ delivery: { firstMs: 1, mostMs: 1 } });
    receiver.behave = status(500);
    for (let i = 0; i < 20; i++) b.outbox.enqueue(transitionOf(`a${i}`, 0), ['ops']);
    await b.delivery.settled();
    const tried = receiver.got.length;
    expect(tried).toBeLessThanOrEqual(8);
    await b.pass(29_000);
    expect(receiver.got).toHaveLength(tried);
    await b.pass(1000);
    expect(receiver.got).toHaveLength(tried + 1);
    receiver.behave = OK;
    await b.pass(30_000);
    expect(b.outbox.stats()[0]).toMatchObject({ waiting: 0, done: 20 });
  });

  it.each([
    ['seconds', '90'],
    ['a date', new Date(Date.UTC(2026, 10, 24, 3, 16, 50)).toUTCString()],
  ])('asks for silence in %s: the whole channel is silent', async (_, header) => {
    const b = start();
    receiver.behave = (...args) => (args[2] === 0 ? status(429, { 'Retry-After': header })(...args) : OK(...args));
    b.outbox.enqueue(transitionOf('a', 0), ['ops']);
    await b.delivery.settled();
    b.outbox.enqueue(transitionOf('b', 0), ['ops']);
    await b.pass(89_000);
    expect(receiver.keys()).toEqual(['a-0']);
    await b.pass(1000);
    expect(receiver.keys().sort()).toEqual(['a-0', 'a-0', 'b-0']);
  });

  it.each([400, 401, 404, 410, 422, 301, 307])('%d is final: a dead letter, and the next one goes on', async (code) => {
    const b = start();
    receiver.behave = (...args) => (args[2] === 0 ? status(code, { Location: '/elsewhere' })(...args) : OK(...args));
    b.outbox.enqueue(transitionOf('a', 0), ['ops']);
    b.outbox.enqueue(transitionOf('a', 1), ['ops']);
    await b.delivery.settled();
    expect(receiver.keys()).toEqual(['a-0', 'a-1']);
    expect(new Set(receiver.got.map(({ path }) => path))).toEqual(new Set(['/hook']));
    expect(b.outbox.deadLetters('ops')).toMatchObject([{ idempotencyKey: 'a-0', attempts: 1 }]);
    expect(b.outbox.deadLetters('ops')[0].error).toContain(`HTTP ${code}: answer ${code}`);
    expect(b.outbox.revive('ops')).toBe(1);
    await b.delivery.settled();
    expect(receiver.keys()).toEqual(['a-0', 'a-1', 'a-0']);
  });

  it('gives up after a day', async () => {
    const b = start();
    receiver.behave = status(500);
    b.outbox.enqueue(transitionOf('a', 0), ['ops']);
    await b.delivery.settled();
    for (let i = 0; i < 24 * 12 + 3; i++) await b.pass(300_000);
    expect(b.outbox.stats()[0]).toMatchObject({ waiting: 0, dead: 1 });
  });

  it('answers without end: the answer is cut and counts', async () => {
    const b = start();
    let written = 0;
    receiver.behave = (response) => {
      const line = 'x'.repeat(10_000);
      const write = () => {
        if (!response.destroyed && !response.socket?.destroyed) response.write(line, () => setImmediate(write));
        written += line.length;
      };
      write();
    };
    b.outbox.enqueue(transitionOf('a', 0), ['ops']);
    await b.delivery.settled();
    expect(b.outbox.stats()[0]).toMatchObject({ waiting: 0, done: 1 });
    expect(written).toBeLessThan(20e6);
  });
});

describe('several channels', () => {
  it('a slow receiver holds up nobody else', async () => {
    const slow = new Receiver();
    await slow.listen();
    slow.behave = HANG;
    const b = start({ more: [{ name: 'slow', type: 'webhook', url: slow.url }] });
    for (let i = 0; i < 10; i++) b.outbox.enqueue(transitionOf(`a${i}`, 0), ['ops', 'slow']);
    await slow.arrived(4);
    await receiver.arrived(10);
    expect(slow.got).toHaveLength(4);
    await slow.close();
  });

  it('one that was told of an alert is told of its end, whatever the routes say', async () => {
    const b = start();
    b.outbox.enqueue(transitionOf('a', 0), ['ops']);
    b.outbox.enqueue(transitionOf('a', 1, { severity: 'info' }), []);
    await b.delivery.settled();
    expect(receiver.keys()).toEqual(['a-0', 'a-1']);
  });
});

describe('durability', () => {
  it('what a transaction takes back is not sent; what was on its way goes again after a restart, under its key', async () => {
    const db = new DatabaseSync(':memory:');
    const b = start({ db });
    db.exec('BEGIN');
    b.outbox.enqueue(transitionOf('gone', 0), ['ops']);
    db.exec('ROLLBACK');
    receiver.behave = HANG;
    b.outbox.enqueue(transitionOf('a', 0), ['ops']);
    await receiver.arrived(1);
    await b.delivery.stop();
    await b.delivery.stop();
    receiver.behave = OK;
    const again = start({ db });
    await again.delivery.settled();
    expect(receiver.keys()).toEqual(['a-0', 'a-0']);
    expect(again.outbox.stats()[0]).toMatchObject({ waiting: 0, done: 1 });
  });

  it.each([
    ['drop_oldest', ['a0', 'a1'], ['a2', 'a3', 'a4']],
    ['refuse_newest', ['a3', 'a4'], ['a0', 'a1', 'a2']],
    ['drop_info_first', ['a0', 'a2'], ['a1', 'a3', 'a4']],
  ] as const)('is bounded: %s', (whenFull, dead, waiting) => {
    const b = bench([{ name: 'ops', type: 'webhook', url: receiver.url }], { limits: { waiting: 3, whenFull } });
    for (let i = 0; i < 5; i++) {
      b.outbox.enqueue(transitionOf(`a${i}`, 0, i === 2 ? { severity: 'info' } : {}), ['ops']);
    }
    expect(
      b.outbox
        .deadLetters('ops')
        .map((each) => each.alertId)
        .sort(),
    ).toEqual(dead);
    expect(b.outbox.due('ops', 9).map((each) => each.alertId)).toEqual(waiting);
    expect(b.metrics.snapshot()).toEqual({
      'weir_outbox_drops_total{channel="ops",cause="full"}': 2,
      'weir_outbox_dead_total{channel="ops"}': 2,
    });
  });

  it('forgets what is long over', async () => {
    const b = start({ limits: { kept: 10 } });
    for (let i = 0; i < 200; i++) b.outbox.enqueue(transitionOf(`a${i}`, 0), ['ops']);
    await b.delivery.settled();
    expect(receiver.got).toHaveLength(200);
    expect(b.outbox.stats()[0].done).toBeLessThanOrEqual(10 + 64);
  });

  it('drains until nothing waits, or says what still does', async () => {
    const b = start();
    b.outbox.enqueue(transitionOf('a', 0), ['ops']);
    await b.delivery.settled();
    expect(await b.delivery.drain(1000)).toBe(0);
    receiver.behave = status(500);
    b.outbox.enqueue(transitionOf('b', 0), ['ops']);
    await b.delivery.settled();
    const drained = b.delivery.drain(100);
    b.clock.advance(100);
    expect(await drained).toBe(1);
  });
});

it('sends what another process put back, without being told', async () => {
  const db = new DatabaseSync(':memory:');
  receiver.behave = status(400);
  const b = start({ db });
  b.outbox.enqueue(transitionOf('a', 0), ['ops']);
  await b.delivery.settled();
  expect(b.outbox.deadLetters('ops')).toHaveLength(1);
  receiver.behave = OK;
  const other = bench([{ name: 'ops', type: 'webhook', url: receiver.url }], { db, clock: b.clock });
  expect(other.outbox.revive('ops')).toBe(1);
  b.clock.advance(15_000);
  await receiver.arrived(2);
  await b.delivery.settled();
  expect(b.outbox.stats()).toMatchObject([{ waiting: 0, done: 1, dead: 0 }]);
});
