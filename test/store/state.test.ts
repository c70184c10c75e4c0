import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseTimeUs } from '../../src/core/time.ts';
import type { Transition } from '../../src/model/alert.ts';
import { applyRetention, openState, readTransitions, TransitionLog } from '../../src/store/store.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-state-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function transition(n: number, state: Transition['state'], alertId = 'a'): Transition {
  return {
    rule: 'syn-flood',
    severity: 'critical',
    state,
    time: `2026-11-24T03:00:${String(n).padStart(2, '0')}.000000Z`,
    window: { start: '', end: '' },
    key: { 'dst.ip': '192.0.2.7' },
    values: { pps: 9000 },
    expected: null,
    summary: 's',
    evidence: [],
    tags: [],
    idempotencyKey: `k${n}`,
    alertId,
    title: 't',
    filter: '',
    advice: '',
    measured: [],
    since: '',
  };
}

describe('state', () => {
  it('keeps every transition once, in order, over a restart', () => {
    const first = openState(folder);
    const log = new TransitionLog(first);
    expect(log.append(transition(1, 'firing'))).toBe(true);
    expect(log.append(transition(1, 'firing'))).toBe(false);
    first.close();
    const second = openState(folder);
    new TransitionLog(second).append(transition(2, 'resolved'));
    expect(readTransitions(second, {}).map((t) => t.state)).toEqual(['firing', 'resolved']);
    second.close();
  });

  it('takes a transaction back whole when its work fails', () => {
    const db = openState(folder);
    const log = new TransitionLog(db);
    expect(() =>
      log.transaction(() => {
        log.append(transition(1, 'firing'));
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(readTransitions(db, {})).toEqual([]);
    db.close();
  });

  it('filters by time, rule and activity', () => {
    const db = openState(folder);
    const log = new TransitionLog(db);
    log.append(transition(1, 'firing', 'a'));
    log.append(transition(2, 'firing', 'b'));
    log.append(transition(3, 'resolved', 'a'));
    log.append(transition(4, 'pending', 'c'));
    log.append(transition(5, 'suppressed', 'd'));
    log.append(transition(6, 'firing', 'e'));
    log.append(transition(7, 'deescalated', 'e'));
    const active = readTransitions(db, { active: true });
    expect(active.map((t) => [t.alertId, t.state])).toEqual([
      ['b', 'firing'],
      ['e', 'deescalated'],
    ]);
    expect(readTransitions(db, { since: '2026-11-24T03:00:02', until: '2026-11-24T03:00:04' })).toHaveLength(2);
    expect(readTransitions(db, { rule: 'other' })).toEqual([]);
    db.close();
  });

  it('refuses a state of a newer schema with the remedy', () => {
    const db = openState(folder);
    db.exec('PRAGMA user_version = 99');
    db.close();
    expect(() => openState(folder)).toThrow(/schema 99/);
  });
});

describe('retention', () => {
  const hour = (name: string, bytes: number): string => {
    const path = join(folder, 'flows', name);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'w-1.parquet'), Buffer.alloc(bytes));
    return path;
  };

  it('drops hours by age', () => {
    const old = hour('2026-11-20/03', 10);
    const young = hour('2026-11-24/03', 10);
    const now = parseTimeUs('2026-11-24T04:00:00Z');
    expect(applyRetention(folder, { ageUs: 2 * 86400e6, size: 1e9 }, now)).toEqual({
      hours: ['2026-11-20/03'],
      bytes: 10,
    });
    expect([existsSync(old), existsSync(young)]).toEqual([false, true]);
  });

  it('drops the oldest hours until the size holds', () => {
    hour('2026-11-24/01', 600);
    hour('2026-11-24/02', 600);
    hour('2026-11-24/03', 600);
    const now = parseTimeUs('2026-11-24T04:00:00Z');
    expect(applyRetention(folder, { ageUs: 30 * 86400e6, size: 1200 }, now).hours).toEqual(['2026-11-24/01']);
  });
});
