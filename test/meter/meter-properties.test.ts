import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ESTABLISHED, FIRST, UNASKED } from '../../src/model/flow-batch.ts';
import { anyTime, inOrder } from './arbitrary.ts';
import { type FlowRow, has, meterAll, startMeter } from './collect.ts';
import { type NaiveFlow, naiveMeter } from './naive.ts';
import type { Packet } from './packets.ts';

const shape = (row: FlowRow): unknown[] => [
  row.start,
  row.end,
  [row.packets, row.reversePackets],
  [row.bytes, row.reverseBytes],
  row.reason,
  has(row, FIRST),
  has(row, UNASKED),
  has(row, ESTABLISHED),
];
const naiveShape = (row: NaiveFlow): unknown[] => {
  const forward = row.packets[row.initiator] ?? 0;
  const bytes = row.bytes[row.initiator] ?? 0;
  const sum = (counts: Record<string, number>): number => Object.values(counts).reduce((a, b) => a + b, 0);
  return [
    row.start / 1e6,
    row.end / 1e6,
    [forward, sum(row.packets) - forward],
    [bytes, sum(row.bytes) - bytes],
    row.reason,
    row.first,
    row.unasked,
    row.established,
  ];
};
const sorted = (rows: unknown[][]): string[] => rows.map((row) => JSON.stringify(row)).sort();
const total = (rows: FlowRow[]): [number, number] => [
  rows.reduce((sum, row) => sum + row.packets + row.reversePackets, 0),
  rows.reduce((sum, row) => sum + row.bytes + row.reverseBytes, 0),
];

/** An answer that nobody asked for, then a request for another name in the same second: it splits the slice. */
const dns = { bytes: 40, vlan: -1, interface: 1, sport: 53, dport: 53, proto: 17, payload: false, dns: 1, at: 100 };
const splitByRequest: Packet[] = [
  { ...dns, src: '10.0.0.2', dst: '10.0.0.1', answer: true, dnsType: 28 },
  { ...dns, src: '10.0.0.1', dst: '10.0.0.2', answer: false, dnsType: 1 },
];

describe('against the naive meter', () => {
  test('the same records and slices for any packets in order of time', () => {
    fc.assert(
      fc.property(inOrder, fc.constantFrom(2, 15), fc.constantFrom(20, 300), (packets, idle, active) => {
        const { records, slices } = meterAll(packets, { idleTimeoutUs: idle * 1e6, activeTimeoutUs: active * 1e6 });
        const naive = naiveMeter(packets, idle * 1e6, active * 1e6);
        expect(sorted(records.map(shape))).toEqual(sorted(naive.records.map(naiveShape)));
        expect(sorted(slices.map(shape))).toEqual(sorted(naive.slices.map(naiveShape)));
      }),
      { numRuns: 1000, examples: [[splitByRequest, 2, 20]] },
    );
  });

  test('where batches are cut makes no difference', () => {
    fc.assert(
      fc.property(inOrder, fc.integer({ min: 1, max: 7 }), (packets, size) => {
        const whole = meterAll(packets);
        const cut = startMeter();
        for (let i = 0; i < packets.length; i += size) cut.add(packets.slice(i, i + size));
        cut.meter.end();
        expect(cut.records).toEqual(whole.records);
        expect(cut.slices).toEqual(whole.slices);
      }),
      { numRuns: 200 },
    );
  });
});

describe('every packet counts once', () => {
  test('at any time, in any order, in a table of any size', () => {
    fc.assert(
      fc.property(anyTime, fc.constantFrom(1, 2, 3, 16, 1 << 20), (packets, maxFlows) => {
        const { records, slices, meter } = meterAll(packets, { maxFlows });
        const want = [packets.length, packets.reduce((sum, p) => sum + (p.bytes ?? 40), 0)];
        expect(total(records)).toEqual(want);
        expect(total(slices)).toEqual(want);
        expect(meter.liveFlows).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  test('without slices, or without records', () => {
    fc.assert(
      fc.property(inOrder, (packets) => {
        const both = meterAll(packets);
        expect(meterAll(packets, { slices: false })).toMatchObject({ slices: [], records: both.records });
        expect(meterAll(packets, { records: false })).toMatchObject({ slices: both.slices, records: [] });
      }),
      { numRuns: 200 },
    );
  });
});

test('a flood comes, goes, and the few flows that stay are still found', () => {
  const { records, meter, metrics, add } = startMeter();
  const syn = (n: number, at: number): Packet => ({
    at,
    src: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`,
    sport: 1,
    dport: 2,
    flags: 'S',
  });
  const steady = (at: number): Packet[] =>
    Array.from({ length: 50 }, (_, i) => ({ at, sport: i + 1, dport: 99, proto: 17 }));
  for (let second = 0; second < 60; second++) {
    if (second === 10) add(Array.from({ length: 100_000 }, (_, n) => syn(n, second)));
    add(steady(second));
  }
  expect(meter.liveFlows).toBe(50);
  meter.end();
  expect(records).toHaveLength(100_050);
  expect(total(records)[0]).toBe(100_000 + 60 * 50);
  expect(metrics.snapshot()['weir_meter_flows_total']).toBe(100_050);
});
