import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { Metrics } from '../../src/core/metrics.ts';
import type { DashboardData } from '../../src/model/dashboard.ts';
import { httpOptions, WebServer } from '../../src/web/web.ts';

const POINTS = [
  { timeUs: 1e6, value: 1 },
  { timeUs: 2e6, value: 2 },
];
const DATA: DashboardData = {
  status: () => ({ version: '1' }),
  alerts: () => ({ active: [], recent: [] }),
  seriesNames: () => [{ name: 'total.bps', stepUs: 1e6, lastUs: 2e6, lastValue: 2 }],
  series: async (name, fromUs, untilUs) =>
    name === 'total.bps' ? POINTS.filter(({ timeUs }) => timeUs >= fromUs && timeUs < untilUs) : null,
  forecast: (name, steps) =>
    name === 'total.bps' ? { stepUs: 1e6, learned: true, points: [{ timeUs: steps } as never] } : null,
  talkers: () => [],
};

let server: WebServer;
let metrics: Metrics;
let trouble: string | null;

beforeEach(() => {
  metrics = new Metrics();
  trouble = null;
});
afterEach(() => server.stop());

async function serve(token?: string, listen = '127.0.0.1:0'): Promise<string> {
  server = new WebServer({ listen, token }, { metrics, logger: silentLogger(), data: DATA, trouble: () => trouble });
  await server.start();
  return server.url!;
}

/** fetch chooses the Host header itself. */
function statusWith(url: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on('error', reject);
    asked.end();
  });
}

describe('on loopback', () => {
  it('serves the page and all it needs from here alone', async () => {
    const url = await serve();
    const page = await fetch(url);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    const html = await page.text();
    for (const [, path] of html.matchAll(/(?:src|href)="([^"#]+)"/g)) {
      expect(path).not.toMatch(/^(?:https?:)?\/\//);
      if (!path.startsWith('data:')) expect((await fetch(new URL(path, url))).status).toBe(200);
    }
  });

  it('tells metrics, health, status, alerts', async () => {
    const url = await serve();
    metrics.counter('weir_x_total', 'X.').value = 7;
    expect(await (await fetch(`${url}metrics`)).text()).toContain('\nweir_x_total 7\n');
    expect(await (await fetch(`${url}healthz`)).json()).toEqual({ ok: true });
    expect(await (await fetch(`${url}api/status`)).json()).toEqual({ version: '1' });
    expect(await (await fetch(`${url}api/alerts`)).json()).toEqual({ active: [], recent: [] });
  });

  it('is ready unless something is wrong', async () => {
    const url = await serve();
    expect((await fetch(`${url}readyz`)).status).toBe(200);
    trouble = 'the disk is full';
    const answer = await fetch(`${url}readyz`);
    expect([answer.status, await answer.json()]).toEqual([503, { ready: false, why: 'the disk is full' }]);
  });

  it('tells series and forecasts', async () => {
    const url = await serve();
    const get = async (path: string) => {
      const answer = await fetch(`${url}api/${path}`);
      return [answer.status, await answer.json()];
    };
    expect(await get('series')).toEqual([200, { series: DATA.seriesNames() }]);
    expect(await get('series?name=total.bps&from=1970-01-01T00:00:02Z')).toEqual([
      200,
      { name: 'total.bps', points: [[2, 2]] },
    ]);
    expect(await get('series?name=total.bps&from=x')).toMatchObject([400, {}]);
    expect(await get('series?name=other')).toMatchObject([404, {}]);
    expect(await get('forecast?name=total.bps&steps=12')).toMatchObject([200, { points: [{ timeUs: 12 }] }]);
    expect(await get('forecast?name=total.bps&steps=99999')).toMatchObject([400, {}]);
    expect(await get('forecast?name=other')).toMatchObject([404, {}]);
    expect((await fetch(`${url}etc/passwd`)).status).toBe(404);
    expect((await fetch(url, { method: 'POST' })).status).toBe(404);
  });

  it('refuses pages of other names that point here', async () => {
    const url = await serve();
    const port = new URL(url).port;
    expect(await statusWith(url, { host: `evil.example:${port}` })).toBe(403);
    expect(await statusWith(url, { host: `localhost:${port}` })).toBe(200);
    expect(await statusWith(url, { host: `[::1]:${port}` })).toBe(200);
  });

  it('pushes events as they happen', async () => {
    const url = await serve();
    const answer = await fetch(`${url}api/events`);
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = (await reader.read()).value ?? '';
    server.events.send('alert', { rule: 'a\nb' });
    while (!text.includes('data:')) text += (await reader.read()).value ?? '';
    expect(text).toBe('retry: 3000\n\nevent: alert\ndata: {"rule":"a\\nb"}\n\n');
    await reader.cancel();
  });

  it('lets so many listen and no more', async () => {
    const url = await serve();
    const open = await Promise.all(Array.from({ length: 64 }, () => fetch(`${url}api/events`)));
    expect((await fetch(`${url}api/events`)).status).toBe(503);
    await Promise.all(open.map((each) => each.body?.cancel()));
  });
});

describe('with a token', () => {
  const TOKEN = 'a token of 20 bytes!';

  it('asks for it, but for the question whether it lives', async () => {
    const url = await serve(TOKEN, '0.0.0.0:0');
    expect((await fetch(`${url}metrics`)).status).toBe(401);
    expect((await fetch(`${url}metrics`, { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
    expect((await fetch(`${url}healthz`)).status).toBe(200);
    const given = encodeURIComponent(TOKEN);
    expect((await fetch(`${url}api/status?token=${given}`)).status).toBe(200);
    expect((await fetch(`${url}api/status`, { headers: { cookie: `a=b; weir=${given}` } })).status).toBe(200);
    expect((await fetch(`${url}api/status`, { headers: { cookie: 'weir=%E0%A4%A' } })).status).toBe(401);
  });

  it('keeps it in a cookie that scripts cannot read', async () => {
    const url = await serve(TOKEN);
    const answer = await fetch(`${url}?token=${encodeURIComponent(TOKEN)}`, { redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/']);
    expect(answer.headers.get('set-cookie')).toMatch(/^weir=.*; HttpOnly; SameSite=Strict/);
  });
});

describe('http: of the configuration', () => {
  const read = (options: object) => httpOptions.safeParse(options);

  it('is loopback by default', () => {
    server = { stop: async () => {} } as WebServer;
    expect(read({}).data).toEqual({ listen: '127.0.0.1:8686' });
  });

  it.each(['0.0.0.0:8686', '[::]:8686', ':8686', '192.0.2.1:80', 'weir.example.net:80'])(
    'refuses %s without a token',
    (listen) => {
      expect(read({ listen }).error?.issues[0].message).toContain('give token');
      expect(read({ listen, token_file: 'token' }).success).toBe(true);
    },
  );

  it.each(['8686', 'a:b', '127.0.0.1:99999', '::1:80'])('knows that %s is no address', (listen) => {
    expect(read({ listen, token_file: 'x' }).success).toBe(false);
  });

  it.each(['off', 'localhost:1', '[::1]:80', '127.1.2.3:80'])('takes %s', (listen) => {
    expect(read({ listen }).success).toBe(true);
  });
});
