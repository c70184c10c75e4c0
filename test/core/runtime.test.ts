import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/core/clock.ts';
import { type Component, Lifecycle } from '../../src/core/component.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { Metrics } from '../../src/core/metrics.ts';

function recorder(name: string, log: string[], fails = false): Component {
  return {
    name,
    start: () => {
      if (fails) throw new Error('no');
      log.push(`+${name}`);
    },
    stop: () => {
      log.push(`-${name}`);
    },
  };
}

describe('lifecycle', () => {
  it('starts in order, stops in reverse, and may be stopped twice', async () => {
    const log: string[] = [];
    const life = new Lifecycle([recorder('a', log), recorder('b', log)], { logger: silentLogger() });
    await life.start();
    await life.stop();
    await life.stop();
    expect(log).toEqual(['+a', '+b', '-b', '-a']);
  });

  it('stops what it started when a later part does not start', async () => {
    const log: string[] = [];
    const life = new Lifecycle([recorder('a', log), recorder('b', log, true)], { logger: silentLogger() });
    await expect(life.start()).rejects.toThrow('b did not start: no');
    expect(log).toEqual(['+a', '-a']);
  });
});

describe('manual clock', () => {
  it('wakes sleepers in the order of their times', async () => {
    const clock = new ManualClock();
    const woken: string[] = [];
    const late = clock.sleep(20).then(() => woken.push('late'));
    const early = clock.sleep(10).then(() => woken.push('early'));
    clock.advance(15);
    await early;
    expect(woken).toEqual(['early']);
    clock.advance(15);
    await late;
    expect(woken).toEqual(['early', 'late']);
  });

  it('a sleep ends when its signal aborts', async () => {
    const abort = new AbortController();
    const sleep = new ManualClock().sleep(1000, abort.signal);
    abort.abort(new Error('stop'));
    await expect(sleep).rejects.toThrow('stop');
  });
});

describe('metrics', () => {
  it('gives one counter a name and shows those that moved', () => {
    const metrics = new Metrics();
    metrics.counter('weir_a_total', 'a').value += 2;
    metrics.counter('weir_b_total', 'b');
    expect(metrics.counter('weir_a_total', 'a').value).toBe(2);
    expect(metrics.snapshot()).toEqual({ weir_a_total: 2 });
  });
});
