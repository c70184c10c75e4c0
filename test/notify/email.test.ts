import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { AlertPlot } from '../../src/model/alert.ts';
import { sendTest } from '../../src/notify/notify.ts';
import { type Bench, type BenchOptions, bench, START_US } from './bench.ts';
import { DIGEST } from './digest-data.ts';
import { addressesOf, CERT_FILE, MailServer } from './mail-server.ts';
import { transitionOf } from './transition.ts';

const PLOT: AlertPlot = {
  name: 'pps',
  unit: 'pps',
  points: Array.from({ length: 60 }, (_, i) => ({ timeUs: START_US + i * 10e6, value: i < 50 ? 1200 : 45_210 })),
  limit: 20_000,
};

let closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});

async function serve(options: ConstructorParameters<typeof MailServer>[0] = {}) {
  const server = new MailServer(options);
  const port = await server.listen();
  closing.push(() => server.close());
  return { server, port };
}

function start(smtp: object, channel: object = {}, options: BenchOptions = {}): Bench {
  const base = { name: 'mail', type: 'email', from: 'weir <weir@weir.example>', to: ['noc@weir.example'] };
  const b = bench([{ ...base, smtp: { host: '127.0.0.1', ...smtp }, ...channel }], options);
  closing.push(() => b.delivery.stop());
  b.delivery.start();
  return b;
}

const errorOf = (b: Bench) => String(b.db.prepare('SELECT last_error FROM outbox').get()?.['last_error']);

describe('a mail', () => {
  it('has text, HTML, a picture, and headers that machines understand', async () => {
    const { server, port } = await serve();
    const b = start({ port }, {}, { plot: async () => PLOT, dashboard: 'https://weir.example' });
    b.outbox.enqueue(transitionOf('a', 0), ['mail']);
    await b.delivery.settled();
    const [{ mail, raw, to, secure }] = server.got;
    expect(to).toEqual(['noc@weir.example']);
    expect(secure).toBe(true);
    expect(addressesOf(mail.from)).toEqual(['weir@weir.example']);
    expect(mail.subject).toBe('[critical] TCP SYN flood: dst.ip 192.0.2.7');
    expect(mail.messageId).toBe('<a-0@weir.example>');
    expect(mail.date?.getTime()).toBe(START_US / 1000);
    expect(mail.headers.get('priority')).toBe('high');
    expect(mail.headers.get('auto-submitted')).toBe('auto-generated');
    expect(mail.text).toContain('198.51.100.7');
    expect(mail.text).toContain('pps 45.2 kpps (limit > 20.0 kpps) (expected 1.20 kpps)');
    expect(mail.text).toContain("weir query 'dst net 192.0.2.0/24 and proto tcp and dst ip 192.0.2.7'");
    expect(raw).toContain('cid:plot@weir');
    const html = String(mail.html);
    for (const part of ['Turn on SYN cookies', 'https://weir.example/alerts/a', '2001:db8:85a3', '40%']) {
      expect(html).toContain(part);
    }
    const [picture] = mail.attachments;
    expect(picture).toMatchObject({ contentType: 'image/png', contentDisposition: 'inline', cid: 'plot@weir' });
    expect(picture.content.subarray(1, 4).toString()).toBe('PNG');
  });

  it('joins the mails of one alert into a thread', async () => {
    const { server, port } = await serve();
    const b = start({ port });
    for (const [i, state] of (['firing', 'escalated', 'resolved'] as const).entries()) {
      b.outbox.enqueue(transitionOf('a', i, { state }), ['mail']);
    }
    b.outbox.enqueue(transitionOf('b', 0), ['mail']);
    await b.delivery.settled();
    const mails = server.got.map(({ mail }) => [mail.messageId, mail.inReplyTo, mail.references]);
    expect(mails).toEqual([
      ['<a-0@weir.example>', undefined, undefined],
      ['<a-1@weir.example>', '<a-0@weir.example>', '<a-0@weir.example>'],
      ['<a-2@weir.example>', '<a-1@weir.example>', ['<a-0@weir.example>', '<a-1@weir.example>']],
      ['<b-0@weir.example>', undefined, undefined],
    ]);
    expect(server.got[2].mail.subject).toContain('[resolved]');
  });

  it('lets nothing from the network into the headers or the page', async () => {
    const { server, port } = await serve();
    const b = start({ port });
    const key = { 'dns.name': 'a\r\nBcc: evil@weir.example\r\n\r\n<script>alert(1)</script>' };
    b.outbox.enqueue(transitionOf('a', 0, { key, title: 'T <b>x</b>\r\nX-Evil: 1' }), ['mail']);
    await b.delivery.settled();
    const [{ mail, to }] = server.got;
    expect(to).toEqual(['noc@weir.example']);
    expect([...mail.headers.keys()].filter((name) => /bcc|evil/.test(name))).toEqual([]);
    expect(mail.subject).toContain('Bcc: evil@weir.example');
    expect(String(mail.html)).not.toMatch(/<script|<b>x/);
  });

  it('is a digest too', async () => {
    const { server, port } = await serve();
    const b = start({ port });
    expect(b.outbox.enqueueDigest(DIGEST, ['mail'])).toBe(1);
    expect(b.outbox.enqueueDigest(DIGEST, ['mail'])).toBe(0);
    await b.delivery.settled();
    const [{ mail }] = server.got;
    expect(mail.subject).toBe('[weir] Daily report: 15 alerts, 2026-11-23');
    for (const part of ['TCP SYN flood', 'Uplink 1', '198.51.100.7', 'late_row']) {
      expect(mail.text).toContain(part);
      expect(String(mail.html)).toContain(part);
    }
  });

  it('is sent as a test past the outbox', async () => {
    const { server, port } = await serve();
    const b = start({ port });
    expect(await sendTest(b.channels[0], b.clock)).toMatchObject({ kind: 'delivered' });
    expect(server.got[0].mail.text).toContain('This is a test message');
    expect(b.outbox.stats()).toEqual([]);
  });
});

describe('encryption and login', () => {
  const login = { user: 'weir', password: 'hush' };

  it.each([
    ['STARTTLS', { tls: 'starttls' }, {}],
    ['TLS', { tls: 'implicit' }, { secure: true }],
  ])('logs in over %s with a certificate it checked', async (_, smtp, server) => {
    const receiver = await serve(server);
    const b = start({ port: receiver.port, ca_file: CERT_FILE, servername: 'localhost', ...smtp, ...login });
    b.outbox.enqueue(transitionOf('a', 0), ['mail']);
    await b.delivery.settled();
    expect(receiver.server.got).toMatchObject([{ user: 'weir', secure: true }]);
  });

  it.each([
    ['a certificate nobody vouches for', { tls: 'starttls' }, {}, /certificate/],
    [
      'no STARTTLS where it is required',
      { tls: 'starttls', ca_file: CERT_FILE },
      { disabledCommands: ['STARTTLS'] },
      /STARTTLS/i,
    ],
    ['a wrong password', { ...login, password: 'wrong' }, {}, /EAUTH/],
    ['AUTH that is not offered', login, { disabledCommands: ['AUTH', 'STARTTLS'] }, /EAUTH|ENOAUTH/],
  ])('%s is an error worth a retry, and no mail leaves', async (_, smtp, options, error) => {
    const { server, port } = await serve(options);
    const b = start({ port, ...smtp });
    b.outbox.enqueue(transitionOf('a', 0), ['mail']);
    await b.delivery.settled();
    expect(server.got).toEqual([]);
    expect(errorOf(b)).toMatch(error);
    expect(errorOf(b)).not.toContain('hush');
    expect(b.outbox.stats()[0]).toMatchObject({ waiting: 1, dead: 0 });
  });

  it('sends without encryption where none is offered and none is required', async () => {
    const { server, port } = await serve({ disabledCommands: ['STARTTLS', 'AUTH'] });
    const b = start({ port });
    b.outbox.enqueue(transitionOf('a', 0), ['mail']);
    await b.delivery.settled();
    expect(server.got).toMatchObject([{ secure: false, user: null }]);
  });
});

describe('a server that refuses', () => {
  it('some recipients for good: the others have the mail, and the refusal is counted', async () => {
    const { server, port } = await serve();
    const b = start({ port }, { to: ['noc@weir.example', 'nobody@weir.example'] });
    b.outbox.enqueue(transitionOf('a', 0), ['mail']);
    await b.delivery.settled();
    expect(server.got.map(({ to }) => to)).toEqual([['noc@weir.example']]);
    expect(b.outbox.stats()[0]).toMatchObject({ waiting: 0, done: 1 });
    expect(b.metrics.snapshot()['weir_notify_rejected_recipients_total{channel="mail"}']).toBe(1);
    expect(String(b.db.prepare('SELECT answer FROM outbox').get()?.['answer'])).toContain('nobody@weir.example');
  });

  it('some recipients for now: only those are tried again', async () => {
    const { server, port } = await serve();
    const b = start({ port }, { to: ['noc@weir.example', 'later@weir.example'] });
    b.outbox.enqueue(transitionOf('a', 0), ['mail']);
    await b.delivery.settled();
    await b.pass(1000);
    await b.pass(2000);
    expect(server.got.map(({ to }) => to)).toEqual([['noc@weir.example']]);
    expect(b.db.prepare('SELECT remaining FROM outbox').get()).toEqual({ remaining: '["later@weir.example"]' });
    expect(b.outbox.stats()[0]).toMatchObject({ waiting: 1 });
  });

  it('every recipient for good: a dead letter', async () => {
    const { port } = await serve();
    const b = start({ port }, { to: ['nobody@weir.example'] });
    b.outbox.enqueue(transitionOf('a', 0), ['mail']);
    await b.delivery.settled();
    expect(b.outbox.deadLetters('mail')[0].error).toContain('no such user');
  });

  it('the mail for now (451) and then takes it; for good (554): a dead letter', async () => {
    const { server, port } = await serve();
    server.answers.push(451, null, 554);
    const b = start({ port });
    b.outbox.enqueue(transitionOf('a', 0), ['mail']);
    await b.delivery.settled();
    await b.pass(1000);
    expect(server.got.map(({ mail }) => mail.messageId)).toEqual(['<a-0@weir.example>']);
    b.outbox.enqueue(transitionOf('b', 0), ['mail']);
    await b.delivery.settled();
    expect(b.outbox.deadLetters('mail')).toMatchObject([{ idempotencyKey: 'b-0' }]);
  });

  it('is away, then back', async () => {
    const first = await serve();
    await closing.pop()?.();
    const b = start({ port: first.port });
    b.outbox.enqueue(transitionOf('a', 0), ['mail']);
    await b.delivery.settled();
    expect(errorOf(b)).toMatch(/ECONNREFUSED/);
    const second = new MailServer();
    await second.listen(first.port);
    closing.push(() => second.close());
    await b.pass(1000);
    expect(second.got).toHaveLength(1);
  });

  it('hangs up at once', async () => {
    const rude = createServer((socket) => socket.destroy());
    const port = await new Promise<number>((resolve) => {
      rude.listen(0, '127.0.0.1', () => resolve((rude.address() as { port: number }).port));
    });
    closing.push(() => new Promise((resolve) => rude.close(resolve)));
    const b = start({ port });
    b.outbox.enqueue(transitionOf('a', 0), ['mail']);
    await b.delivery.settled();
    expect(b.outbox.stats()[0]).toMatchObject({ waiting: 1, dead: 0 });
  });
});
