import { describe, expect, it } from 'vitest';
import { StateReader, StateWriter } from '../../src/core/state.ts';
import { sourceOptions } from '../../src/exporter/exporter.ts';
import { Observation } from '../../src/exporter/observation.ts';
import { quarantine } from '../../src/exporter/quarantine.ts';
import { Names } from '../../src/model/names.ts';
import { type OneWay, rowsOf } from './rows.ts';

const [FIRST, SECOND] = ['192.0.2.253', '192.0.2.254'];
const flow = (exporter: string, startMs = 0, more: Partial<OneWay> = {}): OneWay => ({
  exporter,
  from: '192.0.2.1 40000',
  to: '198.51.100.7 443',
  startMs,
  ...more,
});

function policy(options: Record<string, unknown>) {
  const names = new Names();
  const parsed = sourceOptions[0].parse({ name: 'c', type: 'netflow', listen: '[::]:2055', ...options });
  const observation = Observation.of(parsed, names);
  /** The exporters and octets of the records that count. */
  const kept = (...records: OneWay[]): string[] => {
    const batch = rowsOf(records, names);
    observation?.select(batch);
    return Array.from(
      { length: batch.length },
      (_, row) => `${names.exporters.text(batch.exporter[row])} ${batch.octetDeltaCount[row]}`,
    );
  };
  return { observation, kept };
}

describe('two routers and one flow', () => {
  it('all: both count', () => {
    expect(policy({}).kept(flow(FIRST), flow(SECOND))).toHaveLength(2);
  });

  it('ingress-only: a record taken where the packets left does not count', () => {
    const { kept } = policy({ observe: 'ingress-only' });
    const records = [
      flow(FIRST, 0, { inIf: 1, outIf: 2 }),
      flow(FIRST, 0, { outIf: 2, octets: 7 }),
      flow(FIRST, 0, { inIf: 0 }),
    ];
    expect(kept(...records)).toEqual([`${FIRST} 100`]);
  });

  it('external-if: what neither came in nor leaves at an external interface does not count', () => {
    const { kept } = policy({ observe: 'external-if', external: [`${FIRST} 10`] });
    const records = [
      flow(FIRST, 0, { inIf: 10, outIf: 2, octets: 1 }),
      flow(FIRST, 0, { inIf: 2, outIf: 10, octets: 2 }),
      flow(FIRST, 0, { inIf: 2, outIf: 3, octets: 3 }),
      flow(SECOND, 0, { inIf: 10, outIf: 2, octets: 4 }),
    ];
    expect(kept(...records)).toEqual([`${FIRST} 1`, `${FIRST} 2`]);
  });

  it('by-exporter-priority: the preferred one counts, and the other when that saw nothing for a minute', () => {
    const { kept } = policy({ observe: 'by-exporter-priority', priority: [FIRST, SECOND] });
    expect(kept(flow(FIRST), flow(SECOND))).toEqual([`${FIRST} 100`]);
    expect(kept(flow(SECOND, 30_000))).toEqual([]);
    expect(kept(flow(SECOND, 61_000))).toEqual([`${SECOND} 100`]);
    expect(kept(flow(FIRST, 62_000), flow(SECOND, 63_000))).toEqual([`${FIRST} 100`]);
  });

  it('by-exporter-priority: who saw a flow is in the saved state', () => {
    const options = { observe: 'by-exporter-priority', priority: [FIRST, SECOND] };
    const before = policy(options);
    before.kept(flow(FIRST));
    const out = new StateWriter();
    before.observation?.save(out);
    const after = policy(options);
    after.observation?.restore(new StateReader(out.concat()));
    expect(after.kept(flow(SECOND, 1000))).toEqual([]);
  });
});

describe('records with impossible times', () => {
  const NOW_MS = 1_600_000_000_000;
  const times = (startMs: number, endMs: number): number =>
    quarantine(rowsOf([flow(FIRST, startMs, { endMs })], new Names()), NOW_MS * 1000, {
      maxAheadUs: 600e6,
      maxAgeUs: 3600e6,
    });

  it.each([
    ['just now', NOW_MS - 1000, NOW_MS, 0],
    ['from a clock that is a little ahead', NOW_MS, NOW_MS + 599_000, 0],
    ['from the future', NOW_MS, NOW_MS + 601_000, 1],
    ['from long ago', NOW_MS - 3_602_000, NOW_MS - 3_601_000, 1],
    ['that ends before it begins', NOW_MS, NOW_MS - 1, 1],
  ])('%s', (_, startMs, endMs, left) => {
    expect(times(startMs, endMs)).toBe(left);
  });
});
