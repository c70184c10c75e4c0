import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LiveBook } from '../../src/cli/live-book.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { Metrics } from '../../src/core/metrics.ts';
import { WebServer } from '../../src/web/web.ts';
import { transitionOf } from '../notify/transition.ts';

const PROGRAM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
if (!PROGRAM) process.stderr.write('test/web/page: no Chromium here, the page is not looked at\n');
const STEP_US = 300e6;
const START_US = Date.UTC(2026, 10, 24) * 1000;

/** The page as a browser shows it. */
describe.runIf(PROGRAM)('the dashboard page', () => {
  let browser: Browser;
  let page: Page;
  let server: WebServer;
  let book: LiveBook;
  let faults: string[];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: PROGRAM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  });
  afterAll(() => browser?.close());

  beforeEach(async () => {
    const status = () => ({
      packets: 12_345,
      rules: 28,
      rssBytes: 100e6,
      uptimeSeconds: 90,
      eventTime: '2026-11-24T01:00:00Z',
      sources: [{ name: 'spool', done: false, error: null }],
      outbox: [{ channel: 'ops', waiting: 2, done: 5, dead: 1, oldestUs: null }],
      counters: { 'weir_alert_drops_total{cause="table_full"}': 3, weir_meter_packets_total: 12_345 },
    });
    const points = Array.from({ length: 12 }, (_, i) => ({
      timeUs: START_US + (i + 13) * STEP_US,
      ...{ expected: 5e6, low80: 4e6, high80: 6e6, low95: 3e6, high95: 7e6 },
    }));
    const forecast = () => ({ stepUs: STEP_US, learned: true, points });
    book = new LiveBook({ status, forecast, allTalkers: true });
    for (let i = 0; i < 12; i++) book.point('total.bps', START_US + i * STEP_US, 5e6 + 1e5 * i);
    const deps = { metrics: new Metrics(), logger: silentLogger(), data: book, trouble: () => null };
    server = new WebServer({ listen: '127.0.0.1:0' }, deps);
    await server.start();
    faults = [];
    page = await browser.newPage();
    page.on('console', (message) => ['error', 'warning'].includes(message.type()) && faults.push(message.text()));
    page.on('pageerror', (error) => faults.push(error.message));
  });

  afterEach(async () => {
    await page.close();
    await server.stop();
  });

  it('shows alerts, load, and what weir lost; nothing fails and nothing comes from elsewhere', async () => {
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).host));
    book.transition(transitionOf('a', 0));
    await page.goto(server.url!);
    await page.waitForSelector('#plot canvas');
    await page.waitForSelector('#firing li.critical');
    expect(await page.textContent('#firing')).toContain('TCP SYN flood');
    expect(await page.textContent('#count')).toBe('(1 firing)');
    expect(await page.textContent('#losses')).toContain('alert_drops_total{cause="table_full"}3');
    expect(await page.textContent('#losses')).not.toContain('meter_packets');
    expect(await page.textContent('#channels')).toContain('5 delivered, 2 waiting, 1 given up');
    expect(await page.textContent('#now')).toBe('live');
    expect(new Set(asked)).toEqual(new Set([new URL(server.url!).host]));
    expect(faults).toEqual([]);
  });

  it('follows what happens without being loaded again, and shows texts from outside as texts', async () => {
    await page.goto(server.url!);
    await page.waitForFunction("document.getElementById('now').textContent === 'live'");
    await page.waitForSelector('#firing li.empty');
    const title = '<img src=x onerror="document.title=1">';
    const alert = transitionOf('a', 0, { title, key: { 'dns.name': '<b>x</b>' } });
    book.transition(alert);
    server.events.send('alert', alert);
    await page.waitForSelector('#firing li.critical');
    expect(await page.textContent('#firing li b')).toBe(title);
    expect(await page.locator('#firing img').count()).toBe(0);
    server.events.send('alert', transitionOf('a', 1));
    await page.waitForSelector('#firing li.empty');
    expect(await page.locator('#recent li').count()).toBe(2);
    expect(await page.title()).toBe('weir');
    expect(faults).toEqual([]);
  });

  it.each([
    ['light', 1360],
    ['dark', 400],
  ] as const)('fits in %s at %d pixels', async (colorScheme, width) => {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    book.transition(transitionOf('a', 0));
    await page.goto(server.url!);
    await page.waitForSelector('#plot canvas');
    const wide = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    expect(wide).toBe(0);
  });
});
