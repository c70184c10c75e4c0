import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Metrics } from '../../src/core/metrics.ts';
import { StateReader, StateWriter } from '../../src/core/state.ts';
import { Meter, type MeterOptions } from '../../src/meter/meter.ts';
import type { FlowBatch } from '../../src/model/flow-batch.ts';
import { anyTime, inOrder } from './arbitrary.ts';
import { type FlowRow, readBatch } from './collect.ts';
import { type Packet, rowsOf } from './packets.ts';

/** What a meter gave out: each batch to the last byte. */
class Log {
  readonly slices: string[] = [];
  readonly records: string[] = [];

  meter(options: MeterOptions): Meter {
    return new Meter(options, {
      metrics: new Metrics(),
      onSlices: (batch) => this.slices.push(bytesOf(batch)),
      onRecords: (batch) => this.records.push(bytesOf(batch)),
    });
  }
}

function bytesOf(batch: FlowBatch): string {
  const out = new StateWriter();
  batch.save(out);
  return Buffer.from(out.concat()).toString('base64');
}

function saved(meter: Meter): Uint8Array {
  const out = new StateWriter();
  meter.save(out);
  return out.concat();
}

/** Meters pieces; after each one a new meter takes over from the state of the one before. */
function meterInterrupted(pieces: Packet[][], options: MeterOptions): Log {
  const log = new Log();
  let meter = log.meter(options);
  for (const piece of pieces) {
    meter.add(rowsOf(piece));
    const state = saved(meter);
    meter = log.meter(options);
    meter.restore(new StateReader(state));
    expect(Buffer.from(saved(meter)).equals(state)).toBe(true);
  }
  meter.end();
  return log;
}

function cutAt(packets: Packet[], shares: number[]): Packet[][] {
  const places = shares.map((share) => Math.floor(share * packets.length)).sort((a, b) => a - b);
  return [0, ...places].map((from, i) => packets.slice(from, places[i]));
}

const options = fc.record({
  idleTimeoutUs: fc.constantFrom(2e6, 15e6, 600e6),
  activeTimeoutUs: fc.constantFrom(20e6, 300e6),
  maxFlows: fc.constantFrom(1, 3, 16, 1 << 20),
  slices: fc.boolean(),
  records: fc.boolean(),
});
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 5 });

test('an interrupted meter gives the same bytes as one that was never interrupted', () => {
  fc.assert(
    fc.property(fc.oneof(inOrder, anyTime), cuts, options, (packets, shares, meterOptions) => {
      const pieces = cutAt(packets, shares);
      const whole = new Log();
      const meter = whole.meter(meterOptions);
      for (const piece of pieces) meter.add(rowsOf(piece));
      meter.end();
      expect(meterInterrupted(pieces, meterOptions)).toEqual(whole);
    }),
    { numRuns: 500 },
  );
});

const syn = (n: number, at: number): Packet => ({
  at,
  src: `10.0.${n >> 8}.${n & 255}`,
  sport: 1,
  dport: 2,
  flags: 'S',
});

test('after a flood the state holds the flows that are open, not those that were', () => {
  const flood = Array.from({ length: 20_000 }, (_, n) => syn(n, 10));
  const later = Array.from({ length: 60 }, (_, n) => syn(n % 50, 40 + n));
  const whole = new Log();
  const meter = whole.meter({});
  for (const piece of [flood, later, later.map((p) => ({ ...p, at: p.at + 7 }))]) meter.add(rowsOf(piece));
  expect(meter.liveFlows).toBeLessThan(50);
  expect(saved(meter).length).toBeLessThan(250_000);
  meter.end();
  expect(meterInterrupted([flood, later, later.map((p) => ({ ...p, at: p.at + 7 }))], {})).toEqual(whole);
});

test('other timeouts and a smaller table take over a state; every packet still counts once', () => {
  fc.assert(
    fc.property(inOrder, cuts, options, options, (packets, shares, before, after) => {
      const [first, ...rest] = cutAt(packets, shares);
      const records: FlowRow[] = [];
      const start = (meterOptions: MeterOptions) =>
        new Meter(
          { ...meterOptions, records: true },
          { metrics: new Metrics(), onSlices: () => {}, onRecords: (batch) => readBatch(batch, records) },
        );
      const old = start(before);
      old.add(rowsOf(first));
      const meter = start(after);
      meter.restore(new StateReader(saved(old)));
      for (const piece of rest) meter.add(rowsOf(piece));
      meter.end();
      expect(records.reduce((sum, row) => sum + row.packets + row.reversePackets, 0)).toBe(packets.length);
    }),
    { numRuns: 300 },
  );
});

test('a state with more flows than the new limit, and with free rows among them, does not hold the meter up', () => {
  const records: FlowRow[] = [];
  const start = (maxFlows: number) =>
    new Meter({ maxFlows }, { metrics: new Metrics(), onSlices: () => {}, onRecords: (b) => readBatch(b, records) });
  const old = start(1 << 20);
  old.add(rowsOf(Array.from({ length: 20 }, (_, n) => syn(n, 10))));
  old.add(rowsOf([syn(30, 29), syn(31, 29), syn(32, 60)]));
  const meter = start(1);
  old.add(rowsOf([syn(33, 60), syn(34, 60)]));
  meter.restore(new StateReader(saved(old)));
  expect(meter.liveFlows).toBeGreaterThan(1);
  meter.add(rowsOf([syn(40, 61)]));
  expect(meter.liveFlows).toBe(1);
  meter.end();
  expect(records.reduce((sum, row) => sum + row.packets, 0)).toBe(26);
});
