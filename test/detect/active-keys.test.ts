import { describe, expect, it } from 'vitest';
import { Metrics } from '../../src/core/metrics.ts';
import { ActiveKeys } from '../../src/detect/active-keys.ts';
import type { Subject } from '../../src/detect/subject.ts';
import type { RulePlan } from '../../src/model/plan.ts';

const SECOND = 1e6;
const subject: Subject = { key: { 'dst.ip': '192.0.2.7' }, text: '192.0.2.7', handle: new Int32Array(1) };

function keysOf(noData: RulePlan['noData']): ActiveKeys {
  const rule = { noData, keepFiringForUs: 30 * SECOND, follow: null } as RulePlan;
  return new ActiveKeys(rule, new Metrics().counter('refused', ''));
}

/** Fires at 10 s, is clear from 20 s on, and has no data from 30 s to 90 s. */
function overGap(noData: RulePlan['noData']): ActiveKeys {
  const keys = keysOf(noData);
  keys.note(subject, 10 * SECOND, true, false);
  keys.note(subject, 20 * SECOND, false, true);
  keys.note(subject, 30 * SECOND, false, true);
  keys.missing([subject], 60 * SECOND);
  keys.missing([subject], 90 * SECOND);
  return keys;
}

describe('time without data', () => {
  it.each(['keep', 'alert'] as const)('does not count for keep_firing_for (no_data: %s)', (noData) => {
    const keys = overGap(noData);
    expect(keys.note(subject, 100 * SECOND, false, true)).toBe(true);
    expect(keys.has(subject.text)).toBe(true);
    expect(keys.note(subject, 110 * SECOND, false, true)).toBe(true);
    expect(keys.has(subject.text)).toBe(false);
  });

  it('ends what is active with no_data: resolve', () => {
    expect(overGap('resolve').size).toBe(0);
  });

  it('begins what no_data: alert begins, so that the alert room hears when data is back', () => {
    const keys = keysOf('alert');
    keys.missing([subject], 60 * SECOND);
    expect(keys.note(subject, 70 * SECOND, false, true)).toBe(true);
  });
});
