import { describe, expect, it } from 'vitest';
import { enterValue, estimate, mergeRegisters, REGISTERS } from '../../src/window/hyper-log-log.ts';
import { beaconScore } from '../../src/window/measure/beacon-score.ts';
import { bucket, bucketValue } from '../../src/window/measure/quantile.ts';
import { registeredDomain } from '../../src/window/texts.ts';
import { ip, measure, plain, plan, tumbling } from './plans.ts';
import { BASE_US, slice } from './rows.ts';
import { run } from './run.ts';

const S = 1e6;
const HOUR = 3600 * S;
const at = (seconds: number): number => BASE_US + seconds * S;

/** The same numbers on every machine (mulberry32). */
function random(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('scan', () => {
  const scan = measure('walk', 'scan', {
    of: [ip('dst.ip'), plain('dst.port')],
    params: { t0: 0.8, t1: 0.2, a: 1e-5, b: 0.99, keep: 24 * HOUR },
  });
  const rule = plan({ by: [ip('src.ip')], window: tumbling(60), measures: [scan] });
  const walks = (rows: ReturnType<typeof slice>[]) =>
    run([rule], rows, { boundUs: 1e12 })
      .lines.filter(({ key }) => key === 'src.ip=198.51.100.1')
      .map(({ values }) => values['walk']);

  it('reaches 9 by nine failed first contacts, also when they take hours', () => {
    const slow = Array.from({ length: 9 }, (_, i) => slice({ startUs: at(600 * i), dport: 1 + i }));
    expect(walks(slow)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('counts a contact once and lets answered ones outweigh', () => {
    const again = Array.from({ length: 20 }, (_, i) => slice({ startUs: at(i), dport: 1 }));
    expect(walks(again)).toEqual([1]);
    const answered = Array.from({ length: 20 }, (_, i) =>
      slice({ startUs: at(i), dport: i, reverseFlags: 18, reversePackets: 1 }),
    );
    expect(walks(answered)).toEqual([0]);
  });
});

describe('beacon', () => {
  const score = (gaps: number[], sizes: number[]): number => {
    const times = [0];
    for (const gap of gaps) times.push(times[times.length - 1] + gap * S);
    const last = times[times.length - 1];
    return beaconScore(times, sizes, last + 1, last + 1, 0.8);
  };

  it('finds a call every minute with a fifth of jitter, and not a steady talker without a clock', () => {
    const next = random(1);
    const sizes = Array.from({ length: 121 }, () => 300);
    const jitter = Array.from({ length: 120 }, () => 60 * (0.8 + 0.4 * next()));
    expect(score(jitter, sizes)).toBeGreaterThan(0.9);
    const poisson = Array.from({ length: 120 }, () => -60 * Math.log(1 - next()));
    expect(score(poisson, sizes)).toBe(0);
  });

  it('is measured over windows, and needs its least number of flows', () => {
    const beacon = measure('score', 'beacon', {
      of: [plain('dst.port')],
      params: { min: 4, ts: 0.8, keep: 24 * HOUR },
    });
    const rule = plan({ by: [ip('src.ip'), ip('dst.ip')], window: tumbling(300), measures: [beacon] });
    const calls = Array.from({ length: 40 }, (_, i) => slice({ startUs: at(60 * i), bytes: 200 }));
    const { lines } = run([rule], calls, { boundUs: 10 * S, cuts: [5] });
    const scores = lines.filter(({ key }) => key.startsWith('src.ip=198')).map(({ values }) => values['score']);
    expect(scores.at(-1)).toBeGreaterThan(0.8);
    expect(run([rule], calls.slice(0, 3)).lines.every(({ values }) => values['score'] === 0)).toBe(true);
  });
});

describe('first_seen', () => {
  it('tells new tuples once it has learned, and learns anew after a silence longer than it remembers', () => {
    const fresh = measure('fresh', 'first_seen', { of: [ip('dst.ip')], params: { learn: 20 * S, keep: 100 * S } });
    const rule = plan({ by: [ip('src.ip')], measures: [fresh] });
    const rows = [
      slice({ startUs: at(0), dst: '192.0.2.1' }),
      slice({ startUs: at(30), dst: '192.0.2.1' }),
      slice({ startUs: at(31), dst: '192.0.2.2' }),
      slice({ startUs: at(61), dst: '192.0.2.2' }),
      slice({ startUs: at(300), dst: '192.0.2.3' }),
    ];
    const { lines } = run([rule], rows, { cuts: [1] });
    expect(lines.map(({ values }) => values['fresh'])).toEqual([0, 1, 0, 0]);
  });
});

describe('sketches', () => {
  it('HyperLogLog is within 2.5 % from few to many values, and merges', () => {
    for (const n of [100, 5_000, 40_000, 80_000, 300_000]) {
      const one = new Uint8Array(REGISTERS);
      const two = new Uint8Array(REGISTERS);
      for (let i = 0; i < n; i++) enterValue(i % 2 === 0 ? one : two, Int32Array.of(0, 0, 0xffff, i * 7), 0, 4);
      mergeRegisters(one, two);
      expect(Math.abs(estimate(one) / n - 1)).toBeLessThan(0.025);
    }
  });

  it('DDSketch answers within 1 % of any value', () => {
    for (const value of [1, 3, 1500, 1e9, 0.002])
      expect(Math.abs(bucketValue(bucket(value)) / value - 1)).toBeLessThan(0.0101);
    expect(bucketValue(bucket(0))).toBe(0);
  });
});

describe('names', () => {
  it('finds the registered domain', () => {
    expect(registeredDomain('a.b.example.com')).toBe('example.com');
    expect(registeredDomain('www.example.co.uk')).toBe('example.co.uk');
    expect(registeredDomain('localhost')).toBe('localhost');
  });
});
