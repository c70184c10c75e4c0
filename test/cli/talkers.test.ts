import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Talkers } from '../../src/cli/talkers.ts';
import { createFlowBatch, HAS_IP } from '../../src/model/flow-batch.ts';

const V4 = 0xffff;

/** Source, destination (last byte of 10.0.0.x), bytes there and back, whether the row has addresses. */
type Row = [number, number, number, number, boolean];
const rows: fc.Arbitrary<Row[]> = fc.array(fc.tuple(fc.nat(20), fc.nat(20), fc.nat(5), fc.nat(5), fc.boolean()), {
  maxLength: 60,
});

function batchOf(some: Row[]) {
  const batch = createFlowBatch(64);
  for (const [source, destination, forward, reverse, hasIp] of some) {
    const row = batch.length++;
    batch.meta[row] = hasIp ? HAS_IP : 0;
    batch.sourceAddress.set(hasIp ? [0, 0, V4, 0x0a000000 + source] : [0, 0, 0, 0], 4 * row);
    batch.destinationAddress.set(hasIp ? [0, 0, V4, 0x0a000000 + destination] : [0, 0, 0, 0], 4 * row);
    batch.octetDeltaCount[row] = forward;
    batch.reverseOctetDeltaCount[row] = reverse;
  }
  return batch;
}

function naive(all: Row[]) {
  const totals = new Map<number, { sent: number; received: number; flows: number }>();
  const count = (host: number, sent: number, received: number) => {
    const total = totals.get(host) ?? { sent: 0, received: 0, flows: 0 };
    totals.set(host, { sent: total.sent + sent, received: total.received + received, flows: total.flows + 1 });
  };
  for (const [source, destination, forward, reverse, hasIp] of all) {
    if (!hasIp) continue;
    count(source, forward, reverse);
    count(destination, reverse, forward);
  }
  return [...totals]
    .map(([host, total]) => ({ host, ...total }))
    .sort((a, b) => b.sent + b.received - (a.sent + a.received) || a.host - b.host)
    .map(({ host, ...total }) => ({ address: `10.0.0.${host}`, ...total }));
}

test('few talkers are exact, in one count or joined from two', () => {
  fc.assert(
    fc.property(rows, rows, fc.integer({ min: 1, max: 25 }), (first, second, count) => {
      const one = new Talkers();
      one.add(batchOf(first));
      const other = new Talkers();
      other.add(batchOf(second));
      one.join(other);
      expect(one.top(count)).toEqual(naive([...first, ...second]).slice(0, count));
    }),
  );
});

test('the large ones stay among more addresses than there is room for', () => {
  const talkers = new Talkers();
  const batch = createFlowBatch(1024);
  for (let from = 0; from < 300_000; from += 1024) {
    batch.length = 1024;
    for (let row = 0; row < 1024; row++) {
      batch.meta[row] = HAS_IP;
      batch.sourceAddress.set([0, 0, V4, 0x14000000 + from + row], 4 * row);
      batch.destinationAddress.set([0, 0, V4, 0x0a000000 + (row % 3)], 4 * row);
      batch.octetDeltaCount[row] = 40 + (row % 3);
      batch.reverseOctetDeltaCount[row] = 0;
    }
    talkers.add(batch);
  }
  const top = talkers.top(3);
  expect(top.map(({ address }) => address)).toEqual(['10.0.0.2', '10.0.0.1', '10.0.0.0']);
  expect(top.reduce((sum, { flows }) => sum + flows, 0)).toBe(293 * 1024);
});
