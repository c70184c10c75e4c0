import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Checkpoints } from '../../src/store/store.ts';
import { Running, Site, told } from './in-process.ts';

let site: Site;
beforeEach(() => {
  site = new Site();
});
afterEach(() => site.remove());

const snapshots = (): string[] => {
  const folder = join(site.folder, 'state', 'checkpoint');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.snapshot'))
    .sort()
    .map((name) => join(folder, name));
};

function spoil(path: string, at: (length: number) => number): void {
  const bytes = readFileSync(path);
  bytes[at(bytes.length)] ^= 0x10;
  writeFileSync(path, bytes);
}

async function runOver(from: number, to: number, perSecond = 10): Promise<Running> {
  const run = new Running(site);
  site.capture(`t-${from}.pcap`, from, to, perSecond);
  await run.until(() => run.daemon.engine.maxEventUs >= (1_700_000_000 + to - 1) * 1e6);
  return run;
}

describe('recovery', () => {
  it('a run that was ended goes on where it was, and tells nothing twice', async () => {
    const first = await runOver(0, 15);
    await first.stop();
    const second = await runOver(15, 60);
    await second.stop();
    const third = await runOver(60, 120, 1);
    await third.until(() => third.told.length === 1);
    await third.stop();
    const all = [...first.told, ...second.told, ...third.told];
    expect(told(all).map((line) => line.split(' ')[1])).toEqual(['pending', 'firing', 'resolved']);
    expect(new Set(all.map(({ alertId }) => alertId)).size).toBe(1);
    expect(third.daemon.engine.packets).toBe(660);
  });

  it('an unreadable checkpoint: the older one is taken', async () => {
    const first = await runOver(0, 15);
    await first.daemon.checkpoint();
    await first.stop();
    expect(snapshots()).toHaveLength(2);
    spoil(snapshots()[1], (length) => length >> 1);
    const second = await runOver(15, 60);
    expect(told(second.told).map((line) => line.split(' ')[1])).toEqual(['firing']);
    expect(second.daemon.engine.packets).toBe(600);
    await second.stop();
  });

  it('none that can be read, or one of another version: refused with the remedy; --fresh begins anew', async () => {
    const first = await runOver(0, 15);
    await first.stop();
    spoil(snapshots()[0], () => 12);
    const checkpoints = new Checkpoints(join(site.folder, 'state'));
    expect(() => checkpoints.newest()).toThrow(expect.objectContaining({ code: 'checkpoint.damaged' }));
    await expect(new Running(site).ended).rejects.toThrow(/no checkpoint can be read/);
    const fresh = new Running(site, { fresh: true });
    await fresh.read(150);
    await fresh.stop();
  });

  it('rules that changed while weir was away: their alerts end', async () => {
    const first = await runOver(0, 60);
    await first.stop();
    expect(first.told).toHaveLength(2);
    site.rule('burst', readFileSync(join(site.folder, 'rules/burst.yaml'), 'utf8').replace('id: burst', 'id: new'));
    const second = new Running(site);
    await second.until(() => second.told.length === 1);
    expect(second.told[0]).toMatchObject({ rule: 'burst', state: 'resolved' });
    expect(second.told[0].summary).toContain('its rule was removed');
    await second.stop();
  });
});

it('a store is for one daemon at a time', async () => {
  const first = new Running(site);
  expect(() => new Running(site)).toThrow(expect.objectContaining({ code: 'store.locked' }));
  await first.stop();
  await new Running(site).stop();
});
