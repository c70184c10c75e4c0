import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readTransitions } from '../../src/store/store.ts';
import { RULE, Running, Site, told } from './in-process.ts';

let site: Site;
beforeEach(() => {
  site = new Site();
});
afterEach(() => site.remove());

const OTHER = RULE.replace('id: burst', 'id: other').replace('pps > 3', 'pps > 900');

/** What an alert does with nobody interrupting. */
async function undisturbed(): Promise<string[]> {
  const quiet = new Site();
  quiet.capture('t-1.pcap', 0, 60);
  quiet.capture('t-2.pcap', 60, 120, 1);
  const run = new Running(quiet, { untilDone: true });
  await run.ended;
  quiet.remove();
  return told(run.told);
}

describe('reload', () => {
  it('an alert that is pending across it fires at the same time', async () => {
    const whole = await undisturbed();
    expect(whole.map((line) => line.split(' ')[1])).toEqual(['pending', 'firing', 'resolved']);
    const run = new Running(site);
    site.capture('t-1.pcap', 0, 15);
    await run.read(150);
    expect(told(run.told)).toEqual(whole.slice(0, 1));
    site.rule('other', OTHER);
    run.daemon.reload();
    await run.until(() => run.daemon.ruleCount === 2);
    site.capture('t-2.pcap', 15, 60);
    site.capture('t-3.pcap', 60, 120, 1);
    await run.read(660);
    await run.until(() => run.told.length === 3);
    expect(told(run.told)).toEqual(whole);
    await run.stop();
  });

  it('at any moment under load loses no row', async () => {
    for (let i = 0; i < 10; i++) site.capture(`t-${i}.pcap`, 100 * i, 100 * (i + 1), 100);
    const run = new Running(site);
    let reloads = 0;
    while (run.daemon.engine.packets < 100_000) {
      const { packets } = run.daemon.engine;
      run.daemon.reload();
      await run.until(() => run.daemon.engine.packets > packets || run.daemon.engine.packets >= 100_000);
      reloads++;
    }
    expect(run.daemon.engine.packets).toBe(100_000);
    expect(reloads).toBeGreaterThan(5);
    expect(run.metrics.snapshot()['weir_late_rows_total']).toBeUndefined();
    expect(told(run.told).map((line) => line.split(' ')[1])).toEqual(['pending', 'firing']);
    await run.stop();
  });

  it('a file with errors leaves the running set in force, is shown with its place, and is alerted until it is right', async () => {
    const run = new Running(site);
    site.rule('burst', RULE.replace('pps > 3', 'pqs > 3'));
    run.daemon.reload();
    await run.until(() => run.told.length === 1);
    expect(run.told[0]).toMatchObject({ rule: 'weir-reload-failed', state: 'firing' });
    expect(run.told[0].summary).toMatch(/burst\.yaml:\d+:\d+/);
    expect(JSON.stringify(run.status)).toMatch(/burst\.yaml:\d+:\d+/);
    expect(run.daemon.ruleCount).toBe(1);
    site.rule('burst', RULE);
    run.daemon.reload();
    await run.until(() => run.told.length === 2);
    expect(run.told[1]).toMatchObject({ rule: 'weir-reload-failed', state: 'resolved' });
    expect(run.told[1].alertId).toBe(run.told[0].alertId);
    await run.stop();
  });

  it('an alert whose rule changes or leaves ends, and says why', async () => {
    const run = new Running(site);
    site.capture('t-1.pcap', 0, 60);
    await run.until(() => run.told.length === 2);
    site.rule('burst', RULE.replace('pps > 3', 'pps > 4'));
    run.daemon.reload();
    await run.until(() => run.told.length === 3);
    expect(run.told[2]).toMatchObject({ rule: 'burst', state: 'resolved', alertId: run.told[1].alertId });
    expect(run.told[2].summary).toContain('its rule was changed');
    expect(readTransitions(run.daemon.store.db, { active: true })).toEqual([]);
    await run.stop();
  });
});
