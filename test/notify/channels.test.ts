import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { syslogLine } from '../../src/notify/syslog-line.ts';
import { type Bench, bench } from './bench.ts';
import { Receiver, status } from './receiver.ts';
import { transitionOf } from './transition.ts';

let closers: (() => unknown)[];
beforeEach(() => {
  closers = [];
});
afterEach(async () => {
  for (const close of closers.reverse()) await close();
});

function start(channels: object[]): Bench {
  const b = bench(channels, { dashboard: 'http://weir.example/' });
  closers.push(() => b.delivery.stop());
  b.delivery.start();
  return b;
}

async function receiver(): Promise<Receiver> {
  const made = new Receiver();
  await made.listen();
  closers.push(() => made.close());
  return made;
}

const states = (b: Bench) => b.outbox.stats().map(({ channel, waiting, done, dead }) => [channel, waiting, done, dead]);

describe('chat', () => {
  it('is a card with what happened, safe against markup', async () => {
    const to = await receiver();
    const b = start([{ name: 'chat', type: 'chat', url: to.url }]);
    b.outbox.enqueue({ ...transitionOf('a', 0), title: '<!channel> & co' }, ['chat']);
    await b.delivery.settled();
    const [{ json }] = to.got;
    expect(json).toMatchObject({
      attachments: [{ color: expect.stringMatching(/^#/), title_link: expect.any(String) }],
    });
    expect(JSON.stringify(json)).toContain('&lt;!channel&gt; &amp; co');
    expect(states(b)).toEqual([['chat', 0, 1, 0]]);
  });

  it('is an adaptive card for Teams', async () => {
    const to = await receiver();
    const b = start([{ name: 'chat', type: 'chat', format: 'teams', url: to.url }]);
    b.outbox.enqueue({ ...transitionOf('a', 0), title: '[x](http://evil)' }, ['chat']);
    await b.delivery.settled();
    expect(to.got[0].json).toMatchObject({
      type: 'message',
      attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content: { type: 'AdaptiveCard' } }],
    });
    expect(JSON.stringify(to.got[0].json)).toContain('\\\\[x\\\\]\\\\(http://evil\\\\)');
  });

  it('waits as long as the chat asks', async () => {
    const to = await receiver();
    to.behave = (response, request, n) =>
      n === 0 ? status(429, { 'retry-after': '30' })(response, request, n) : response.end('ok');
    const b = start([{ name: 'chat', type: 'chat', url: to.url }]);
    b.outbox.enqueue(transitionOf('a', 0), ['chat']);
    await b.delivery.settled();
    await b.pass(29_000);
    expect(to.got).toHaveLength(1);
    await b.pass(1_000);
    expect(states(b)).toEqual([['chat', 0, 1, 0]]);
  });
});

describe('syslog', () => {
  const FRAME = /^(\d+) /;
  /** Octet counting, as RFC 6587 has it, by another reader than the writer. */
  function frames(bytes: Buffer): string[] {
    const found: string[] = [];
    for (let at = 0; at < bytes.length; ) {
      const [head, length] = FRAME.exec(bytes.toString('latin1', at))!;
      found.push(bytes.toString('utf8', at + head.length, at + head.length + Number(length)));
      at += head.length + Number(length);
    }
    return found;
  }

  function collect(server: Server): Promise<Buffer> {
    return new Promise((resolve) => {
      server.once(
        server.constructor.name === 'Server' && 'setSecureContext' in server ? 'secureConnection' : 'connection',
        (socket) => {
          const parts: Buffer[] = [];
          socket.on('data', (part: Buffer) => parts.push(part));
          socket.on('end', () => resolve(Buffer.concat(parts)));
        },
      );
    });
  }

  async function listen(server: Server): Promise<number> {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closers.push(() => server.close());
    return (server.address() as AddressInfo).port;
  }

  it('is a datagram over UDP', async () => {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    closers.push(() => socket.close());
    const got = once(socket, 'message');
    const b = start([
      { name: 'log', type: 'syslog', host: '127.0.0.1', port: socket.address().port, facility: 'local0' },
    ]);
    b.outbox.enqueue(
      { ...transitionOf('a', 0), severity: 'critical', key: { 'dst.ip': '192.0.2.1' }, summary: 'ab\ncd' },
      ['log'],
    );
    const [message] = (await got) as [Buffer];
    expect(message.toString()).toMatch(
      /^<130>1 2026-11-24T03:15:20\.000Z \S+ weir \d+ \S+ \[weir@32473 rule="[^"]+" .*key\.dst\.ip="192\.0\.2\.1"\] \ufeffab cd$/u,
    );
    await b.delivery.settled();
    expect(states(b)).toEqual([['log', 0, 1, 0]]);
  });

  it('is counted in octets over TCP', async () => {
    const server = createServer();
    const port = await listen(server);
    const got = collect(server);
    const b = start([{ name: 'log', type: 'syslog', protocol: 'tcp', host: '127.0.0.1', port }]);
    b.outbox.enqueue({ ...transitionOf('a', 0), summary: 'Überlast' }, ['log']);
    const [line] = frames(await got);
    expect(line).toMatch(/\ufeffÜberlast$/u);
    await b.delivery.settled();
    expect(states(b)).toEqual([['log', 0, 1, 0]]);
  });

  it('goes over TLS to a server whose certificate is trusted, and to no other', async () => {
    const tls = (name: string) => readFileSync(join(import.meta.dirname, 'tls', name));
    const server = createTlsServer({ key: tls('test-only-key.pem'), cert: tls('test-only-cert.pem') });
    const port = await listen(server);
    const got = collect(server);
    const common = { type: 'syslog', protocol: 'tls', host: '127.0.0.1', port, servername: 'localhost' };
    const b = start([{ name: 'log', ...common, ca_file: 'tls/test-only-cert.pem' }]);
    b.outbox.enqueue(transitionOf('a', 0), ['log']);
    expect(frames(await got)).toHaveLength(1);
    await b.delivery.settled();
    expect(states(b)).toEqual([['log', 0, 1, 0]]);
    const c = start([{ name: 'log', ...common }]);
    c.outbox.enqueue(transitionOf('a', 0), ['log']);
    await c.delivery.settled();
    expect(states(c)).toEqual([['log', 1, 0, 0]]);
  });

  it('keeps what cannot be delivered', async () => {
    const server = createServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    const b = start([{ name: 'log', type: 'syslog', protocol: 'tcp', host: '127.0.0.1', port }]);
    b.outbox.enqueue(transitionOf('a', 0), ['log']);
    await b.delivery.settled();
    expect(states(b)).toEqual([['log', 1, 0, 0]]);
  });

  it('escapes and bounds what comes from outside', () => {
    const line = syslogLine({
      ...{ facility: 3, severity: 4, nowUs: 0, host: 'a b', app: 'weir', messageId: 'é' },
      facts: { 'a=b': 'x"]\\y\n', long: 'z'.repeat(10_000) },
      text: '\u{1f30a}'.repeat(10_000),
    });
    expect(line.toString()).toMatch(
      /^<28>1 1970-01-01T00:00:00\.000Z ab weir \d+ - \[weir@32473 ab="x\\"\\\]\\\\y " long="z{256}"\] /,
    );
    expect(line.length).toBeLessThan(8192);
    expect(line.toString()).not.toContain('\ufffd');
  });
});

describe('alertmanager', () => {
  it('is told of beginning, change of severity and end', async () => {
    const to = await receiver();
    const url = to.url.replace('/hook', '/');
    const b = start([{ name: 'am', type: 'alertmanager', url, token: 'a token', labels: { team: 'noc' } }]);
    const since = '2026-11-24T03:00:00.000000Z';
    const alert = { ...transitionOf('a', 0), since, key: { 'dst.ip': '192.0.2.1' } };
    b.outbox.enqueue({ ...alert, state: 'firing', severity: 'warning' }, ['am']);
    b.outbox.enqueue({ ...alert, state: 'escalated', severity: 'critical', idempotencyKey: 'a-1' }, ['am']);
    b.outbox.enqueue({ ...alert, state: 'resolved', severity: 'critical', idempotencyKey: 'a-2' }, ['am']);
    await b.delivery.settled();
    expect(to.got.map(({ path, headers }) => [path, headers.authorization])).toEqual(
      Array(3).fill(['/api/v2/alerts', 'Bearer a token']),
    );
    const now = '2026-11-24T03:15:20.000Z';
    const later = '2026-11-25T03:15:20.000Z';
    const told = to.got.map(({ json }) =>
      (json as unknown as { labels: Record<string, string>; endsAt: string }[]).map(({ labels, endsAt }) => [
        labels['severity'],
        endsAt,
      ]),
    );
    expect(told[0]).toEqual([['warning', later]]);
    expect(told[1]).toEqual([
      ['critical', later],
      ['info', now],
      ['warning', now],
    ]);
    expect(told[2]).toEqual([
      ['critical', now],
      ['info', now],
      ['warning', now],
    ]);
    const [first] = to.got[0].json as unknown as [{ labels: object; startsAt: string }];
    expect(first.labels).toMatchObject({ team: 'noc', dst_ip: '192.0.2.1' });
    expect(first.startsAt).toBe('2026-11-24T03:00:00.000Z');
  });

  const program = ['prometheus-alertmanager', 'alertmanager'].find(
    (name) => spawnSync(name, ['--version']).status === 0,
  );

  it.runIf(program !== undefined)('is a real Alertmanager, which holds and ends the alert', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-am-'));
    closers.push(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, 'am.yml'), 'route: {receiver: none}\nreceivers: [{name: none}]\n');
    const probe = createServer();
    probe.listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    const args = [
      `--config.file=${folder}/am.yml`,
      `--storage.path=${folder}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ];
    const child = spawn(program!, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    closers.push(async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    });
    await new Promise<void>((resolve) => {
      let text = '';
      child.stderr.on('data', (part: Buffer) => {
        text += part.toString();
        if (/Listening on|TLS is disabled/.test(text)) resolve();
      });
    });
    const url = `http://127.0.0.1:${port}`;
    const b = start([{ name: 'am', type: 'alertmanager', url }]);
    b.clock.advance(Date.now() - b.clock.nowUs() / 1000);
    const alert = {
      ...transitionOf('a', 0),
      rule: 'syn-flood',
      key: { 'dst.ip': '192.0.2.1' },
      since: new Date(b.clock.nowUs() / 1000 - 60_000).toISOString(),
    };
    const held = async () =>
      (await (await fetch(`${url}/api/v2/alerts?filter=alertname="syn-flood"`)).json()) as { labels: object }[];
    b.outbox.enqueue({ ...alert, state: 'firing', severity: 'warning' }, ['am']);
    await b.delivery.settled();
    expect(states(b)).toEqual([['am', 0, 1, 0]]);
    expect((await held()).map(({ labels }) => labels)).toEqual([
      { alertname: 'syn-flood', severity: 'warning', dst_ip: '192.0.2.1' },
    ]);
    b.outbox.enqueue({ ...alert, state: 'resolved', severity: 'warning', idempotencyKey: 'a-1' }, ['am']);
    await b.delivery.settled();
    expect(states(b)).toEqual([['am', 0, 2, 0]]);
    expect(await held()).toEqual([]);
  });
});
