import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Transition } from '../../src/model/alert.ts';
import { Router, routeOptions } from '../../src/notify/notify.ts';
import { type Bench, type BenchOptions, bench } from './bench.ts';
import { MailServer } from './mail-server.ts';
import { OK, Receiver } from './receiver.ts';
import { transitionOf } from './transition.ts';

const GROUPED = { to: ['mail', 'ops'], group_by: ['rule'], group_wait: '30s', group_interval: '5m' };

let server: MailServer;
let receiver: Receiver;
let port: number;
let open: Bench[];

beforeEach(async () => {
  open = [];
  server = new MailServer();
  receiver = new Receiver();
  port = await server.listen();
  await receiver.listen();
});

afterEach(async () => {
  for (const each of open) await each.delivery.stop();
  await server.close();
  await receiver.close();
});

interface Run extends Bench {
  tell(alert: Transition): number;
}

function start(route: object, options: BenchOptions = {}): Run {
  const addresses = { from: 'weir <weir@weir.example>', to: ['noc@weir.example'] };
  const mail = { name: 'mail', type: 'email', smtp: { host: '127.0.0.1', port }, ...addresses };
  const b = bench([mail, { name: 'ops', type: 'webhook', url: receiver.url }], options);
  const router = new Router([routeOptions.parse(route)], b.channels);
  open.push(b);
  b.delivery.start();
  return { ...b, tell: (alert) => b.outbox.enqueue(alert, router.targetsFor(alert)) };
}

/** The `n`th alert of its rule: another host each. */
function alertOf(n: number, changes: Partial<Transition> = {}): Transition {
  return transitionOf(`a${n}`, 0, { key: { 'dst.ip': `192.0.2.${n}` }, ...changes });
}

function endOf(n: number): Transition {
  return transitionOf(`a${n}`, 1, { key: { 'dst.ip': `192.0.2.${n}` } });
}

const subjects = () => server.got.map(({ mail }) => mail.subject);

describe('alerts of one group', () => {
  it('come in one mail when they come within group_wait; webhooks get each at once', async () => {
    const b = start(GROUPED);
    for (const n of [1, 2, 3]) {
      b.tell(alertOf(n, { severity: n === 2 ? 'critical' : 'warning' }));
      await b.pass(5000);
    }
    expect(receiver.keys()).toEqual(['a1-0', 'a2-0', 'a3-0']);
    await b.pass(14_999);
    expect(server.got).toEqual([]);
    await b.pass(1);
    expect(subjects()).toEqual(['[critical] 3 alerts: TCP SYN flood']);
    const [{ mail }] = server.got;
    expect(mail.messageId).toMatch(/^<[0-9a-f]{32}@weir\.example>$/);
    expect(mail.headers.get('priority')).toBe('high');
    const html = String(mail.html);
    for (const text of [html, String(mail.text)]) {
      const places = ['192.0.2.2', '192.0.2.1', '192.0.2.3'].map((address) => text.indexOf(`dst.ip ${address}`));
      expect(places).not.toContain(-1);
      expect(places).toEqual(places.toSorted((x, y) => x - y));
      expect(text).toContain('1 critical, 2 warning');
    }
    expect(b.outbox.stats()).toMatchObject([
      { waiting: 0, done: 1 },
      { waiting: 0, done: 3 },
    ]);
  });

  it('that come later go together, at most every group_interval', async () => {
    const b = start(GROUPED);
    b.tell(alertOf(1));
    await b.pass(30_000);
    b.tell(alertOf(2));
    await b.pass(60_000);
    b.tell(alertOf(3));
    await b.pass(239_999);
    expect(subjects()).toEqual(['[critical] TCP SYN flood: dst.ip 192.0.2.1']);
    await b.pass(1);
    expect(subjects().slice(1)).toEqual(['[critical] 2 alerts: TCP SYN flood']);
    await b.pass(3600_000);
    b.tell(alertOf(4));
    await b.pass(29_999);
    expect(server.got).toHaveLength(2);
    await b.pass(1);
    expect(subjects()[2]).toBe('[critical] TCP SYN flood: dst.ip 192.0.2.4');
    expect(server.got[2].mail.messageId).toBe('<a4-0@weir.example>');
  });

  it('are those that agree in all of group_by', async () => {
    const b = start({ ...GROUPED, group_by: ['severity', 'dst.ip'] });
    const key = { 'dst.ip': '192.0.2.9' };
    b.tell(alertOf(1, { key }));
    b.tell(alertOf(2, { key, rule: 'udp-flood', title: 'UDP flood' }));
    b.tell(alertOf(3, { key, severity: 'warning' }));
    b.tell(alertOf(4, { key: { 'src.ip': '192.0.2.9' } }));
    await b.pass(30_000);
    expect(subjects().sort()).toEqual([
      '[critical] 2 alerts: TCP SYN flood, UDP flood',
      '[critical] TCP SYN flood: src.ip 192.0.2.9',
      '[warning] TCP SYN flood: dst.ip 192.0.2.9',
    ]);
  });

  it('stay in it to their end, in order, as a thread', async () => {
    const b = start({ ...GROUPED, group_by: ['severity'], match: { severity: 'critical' } });
    b.tell(alertOf(1));
    b.tell(alertOf(2));
    await b.pass(30_000);
    b.tell(alertOf(1, { state: 'deescalated', severity: 'warning', idempotencyKey: 'a1-1' }));
    b.tell({ ...endOf(1), severity: 'warning', idempotencyKey: 'a1-2' });
    b.tell(endOf(2));
    b.tell(alertOf(3));
    await b.pass(300_000);
    expect(subjects()).toEqual(['[critical] 2 alerts: TCP SYN flood', '[critical] 3 alerts: TCP SYN flood']);
    const [first, second] = server.got.map(({ mail }) => mail);
    expect(second.inReplyTo).toBe(first.messageId);
    expect(second.text).toContain('deescalated, then resolved 03:15:20');
    expect(second.text).toContain('1 critical, 2 resolved');
    b.tell(endOf(3));
    await b.pass(300_000);
    expect(server.got[2].mail.subject).toBe('[resolved] TCP SYN flood: dst.ip 192.0.2.3');
    expect(server.got[2].mail.references).toBe(second.messageId);
  });

  it('are told alone when the alert was told alone before', async () => {
    const db = new DatabaseSync(':memory:');
    const before = start({ to: ['mail'] }, { db });
    before.tell(alertOf(1));
    await before.delivery.settled();
    await before.delivery.stop();
    const b = start(GROUPED, { db });
    b.tell(endOf(1));
    await b.delivery.settled();
    expect(subjects()).toEqual([
      '[critical] TCP SYN flood: dst.ip 192.0.2.1',
      '[resolved] TCP SYN flood: dst.ip 192.0.2.1',
    ]);
  });

  it('do not wait when the replay is over', async () => {
    const b = start(GROUPED);
    for (const n of [1, 2]) b.tell(alertOf(n));
    await b.delivery.settled();
    expect(b.outbox.stats()[0]).toMatchObject({ channel: 'mail', waiting: 2 });
    const drained = b.delivery.drain(60_000);
    await b.delivery.settled();
    b.clock.advance(50);
    expect(await drained).toBe(0);
    expect(subjects()).toEqual(['[critical] 2 alerts: TCP SYN flood']);
  });

  it('are bounded: a message takes 200 of them, a channel as many as may wait', async () => {
    const b = start({ ...GROUPED, to: ['mail'] }, { limits: { waiting: 205 } });
    for (let n = 0; n < 399; n++) b.tell(alertOf(n));
    await b.delivery.settled();
    expect(subjects()).toEqual(['[critical] 200 alerts: TCP SYN flood']);
    for (let n = 0; n < 8; n++) b.tell(alertOf(1000 + n, { rule: `r${n}` }));
    await b.delivery.settled();
    expect(server.got.slice(1).map(({ mail }) => mail.messageId)).toEqual(
      [1000, 1001].map((n) => `<a${n}-0@weir.example>`),
    );
    await b.pass(30_000);
    expect(server.got).toHaveLength(1 + 8);
    await b.pass(300_000);
    expect(subjects().at(-1)).toBe('[critical] 199 alerts: TCP SYN flood');
  });
});

describe('a kill', () => {
  it('while a group is open loses and doubles nothing', async () => {
    const db = new DatabaseSync(':memory:');
    const b = start(GROUPED, { db });
    b.tell(alertOf(1));
    b.tell(alertOf(2));
    await b.pass(10_000);
    await b.delivery.stop();
    const again = start(GROUPED, { db, clock: b.clock });
    expect(again.tell(alertOf(2))).toBe(0);
    again.tell(alertOf(3));
    await again.pass(19_999);
    expect(server.got).toEqual([]);
    await again.pass(1);
    expect(subjects()).toEqual(['[critical] 3 alerts: TCP SYN flood']);
    for (const n of [1, 2, 3]) expect(again.tell(alertOf(n))).toBe(0);
    await again.pass(3600_000);
    expect(server.got).toHaveLength(1);
  });

  it('of a mail on its way: it goes again with the same members and Message-ID', async () => {
    const db = new DatabaseSync(':memory:');
    server.answers.push(451, 451);
    const b = start(GROUPED, { db });
    b.tell(alertOf(1));
    b.tell(alertOf(2));
    await b.pass(30_000);
    const { key } = db.prepare("SELECT idempotency_key AS key FROM outbox WHERE channel = 'mail'").get() as {
      key: string;
    };
    await b.delivery.stop();
    const again = start(GROUPED, { db, clock: b.clock });
    again.tell(alertOf(3));
    await again.pass(1000);
    await again.pass(2000);
    expect(server.got.map(({ mail }) => mail.messageId)).toEqual([`<${key}@weir.example>`]);
    expect(server.got[0].mail.text).not.toContain('192.0.2.3');
    await again.pass(300_000);
    expect(server.got[1].mail.messageId).toBe('<a3-0@weir.example>');
  });

  it('of a transaction takes its alerts back', async () => {
    const b = start(GROUPED);
    b.db.exec('BEGIN');
    b.tell(alertOf(1));
    b.db.exec('ROLLBACK');
    b.tell(alertOf(2));
    await b.pass(30_000);
    expect(subjects()).toEqual(['[critical] TCP SYN flood: dst.ip 192.0.2.2']);
  });
});

describe('an alert that still fires', () => {
  const hour = 3600_000;
  const route = { to: ['ops'], repeat_interval: '4h' };

  it('is told again after repeat_interval under a key of its own, until it is resolved', async () => {
    const b = start(route);
    b.tell(alertOf(1));
    await b.delivery.settled();
    await b.pass(4 * hour - 1);
    expect(receiver.keys()).toEqual(['a1-0']);
    await b.pass(1);
    await b.pass(4 * hour);
    expect(receiver.keys()).toEqual(['a1-0', 'a1-0#1', 'a1-0#2']);
    const { json } = receiver.got[2];
    expect(json).toMatchObject({ alertId: 'a1', state: 'firing', repeat: 2, idempotencyKey: 'a1-0#2' });
    expect(json['summary']).toMatch(/^still firing since 2026-11-24 03:15:10 UTC: TCP SYN flood/);
    b.tell(alertOf(1, { state: 'deescalated', severity: 'warning', idempotencyKey: 'a1-1' }));
    await b.delivery.settled();
    await b.pass(4 * hour);
    b.tell({ ...endOf(1), idempotencyKey: 'a1-2' });
    await b.pass(100 * hour);
    expect(receiver.keys().slice(3)).toEqual(['a1-1', 'a1-1#1', 'a1-2']);
  });

  it('is told again once, whatever is killed between', async () => {
    const db = new DatabaseSync(':memory:');
    const b = start(route, { db });
    b.tell(alertOf(1));
    await b.delivery.settled();
    await b.pass(3 * hour);
    await b.delivery.stop();
    b.clock.advance(9 * hour);
    const again = start(route, { db, clock: b.clock });
    await again.delivery.settled();
    expect(receiver.keys()).toEqual(['a1-0', 'a1-0#1']);
    await again.delivery.stop();
    const third = start(route, { db, clock: b.clock });
    expect(third.tell(alertOf(1))).toBe(0);
    await third.pass(4 * hour - 1);
    expect(receiver.got).toHaveLength(2);
    await third.pass(1);
    expect(receiver.keys()[2]).toBe('a1-0#2');
  });

  it('is not told again while the first message is still on its way', async () => {
    const b = start(route);
    receiver.behave = (response) => response.writeHead(503).end();
    b.tell(alertOf(1));
    for (let i = 0; i < 20; i++) await b.pass(hour / 2);
    expect(new Set(receiver.keys())).toEqual(new Set(['a1-0']));
    receiver.behave = OK;
    await b.pass(hour);
    await b.pass(4 * hour);
    expect(receiver.keys().slice(-2)).toEqual(['a1-0', 'a1-0#1']);
  });

  it('says so in the mail, alone and in its group', async () => {
    const b = start({ ...GROUPED, repeat_interval: '4h' });
    b.tell(alertOf(1));
    await b.pass(30_000);
    await b.pass(4 * hour);
    await b.pass(30_000);
    expect(subjects()[1]).toBe('[critical] TCP SYN flood: dst.ip 192.0.2.1, still firing');
    expect(server.got[1].mail.text).toContain('still firing since 2026-11-24 03:15:10 UTC');
    expect(server.got[1].mail.inReplyTo).toBe('<a1-0@weir.example>');
    b.tell(alertOf(2));
    await b.pass(300_000);
    await b.pass(4 * hour);
    await b.pass(30_000);
    expect(receiver.keys()).toEqual(['a1-0', 'a1-0#1', 'a2-0', 'a1-0#2', 'a2-0#1']);
    expect(server.got.at(-1)?.mail.text).toContain('still firing since 2026-11-24 03:15:10 UTC');
  });

  it('is remembered for as many alerts as may wait; more are counted', async () => {
    const b = start(route, { limits: { waiting: 2 } });
    for (const n of [1, 2, 3]) {
      b.tell(alertOf(n));
      await b.delivery.settled();
    }
    await b.pass(4 * hour);
    expect(receiver.keys().slice(3)).toEqual(['a1-0#1', 'a2-0#1']);
    expect(b.metrics.snapshot()['weir_outbox_drops_total{channel="ops",cause="repeats_full"}']).toBe(1);
  });
});
