import { describe, expect, test } from 'vitest';
import { ESTABLISHED, FIRST, LAST, OPENED_BY_DESTINATION, UNASKED } from '../../src/model/flow-batch.ts';
import { has, meterAll, startMeter } from './collect.ts';
import { flagBits, type Packet } from './packets.ts';

const client = { src: '10.0.0.1', dst: '10.0.0.2', sport: 40000, dport: 80 };
const server = { src: '10.0.0.2', dst: '10.0.0.1', sport: 80, dport: 40000 };
const handshake = (at: number): Packet[] => [
  { ...client, at, flags: 'S' },
  { ...server, at: at + 0.01, flags: 'SA' },
  { ...client, at: at + 0.02, flags: 'A' },
];
const closing = (at: number): Packet[] => [
  { ...client, at, flags: 'FA' },
  { ...server, at: at + 0.01, flags: 'FA' },
  { ...client, at: at + 0.02, flags: 'A' },
];

describe('a biflow', () => {
  test('counts both directions, seen from the initiator', () => {
    const { records } = meterAll([...handshake(10), { ...server, at: 10.5, flags: 'PA', bytes: 1000, payload: true }]);
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({
      src: '10.0.0.1',
      sport: 40000,
      dport: 80,
      packets: 2,
      reversePackets: 2,
      bytes: 80,
      reverseBytes: 1040,
      wire: 108,
      flags: flagBits('SA'),
      reverseFlags: flagBits('SPA'),
      start: 10,
      end: 10.5,
      reason: 4,
    });
    expect(has(records[0], ESTABLISHED)).toBe(true);
  });

  test('ends when silent for longer than the idle timeout', () => {
    const udp = { ...client, proto: 17 };
    const { records } = meterAll([
      { ...udp, at: 0 },
      { ...udp, at: 15 },
      { ...udp, at: 30.000001 },
    ]);
    expect(records.map((row) => [row.packets, row.reason])).toEqual([
      [2, 1],
      [1, 4],
    ]);
    expect(records.every((row) => has(row, FIRST))).toBe(true);
  });

  test('leaves by itself when event time moves on', () => {
    const { records, add, meter } = startMeter();
    add([{ ...client, at: 0, proto: 17 }]);
    add([{ ...server, at: 21, sport: 7, proto: 17 }]);
    expect(records.map((row) => [row.dport, row.reason])).toEqual([[80, 1]]);
    expect(meter.liveFlows).toBe(1);
  });

  test('goes on under the same initiator after the active timeout, and counts once', () => {
    const packets = Array.from(
      { length: 40 },
      (_, i): Packet => ({ ...(i % 2 ? server : client), at: i * 10, proto: 17 }),
    );
    const { records, slices } = meterAll(packets);
    expect(records.map((row) => [row.src, row.reason, has(row, FIRST)])).toEqual([
      ['10.0.0.1', 2, true],
      ['10.0.0.1', 4, false],
    ]);
    expect(slices.filter((row) => has(row, FIRST))).toHaveLength(1);
  });
});

describe('TCP', () => {
  test('a new SYN after the close is a new flow', () => {
    const { records } = meterAll([...handshake(0), ...closing(1), ...handshake(2)]);
    expect(records.map((row) => [row.packets, row.reversePackets, row.reason])).toEqual([
      [4, 2, 3],
      [2, 1, 4],
    ]);
  });

  test('stragglers belong to the closed flow, which leaves after five silent seconds', () => {
    const { records, add } = startMeter();
    add([...handshake(0), ...closing(1), { ...server, at: 5, flags: 'FA' }, { ...server, at: 9, sport: 1 }]);
    expect(records).toHaveLength(0);
    add([{ ...server, at: 10.2, sport: 1 }]);
    expect(records.map((row) => [row.packets, row.reversePackets, row.reason])).toEqual([[4, 3, 3]]);
  });

  test('simultaneous open is one flow of the first sender', () => {
    const { records } = meterAll([
      { ...client, at: 0, flags: 'S' },
      { ...server, at: 0.001, flags: 'S' },
      { ...client, at: 0.002, flags: 'SA' },
      { ...server, at: 0.003, flags: 'SA' },
    ]);
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({ src: '10.0.0.1', packets: 2, reversePackets: 2 });
  });

  test('a reset is no sign of an established connection', () => {
    const { records } = meterAll([
      { ...client, at: 0, flags: 'S' },
      { ...server, at: 0.1, flags: 'RA' },
    ]);
    expect(has(records[0], ESTABLISHED)).toBe(false);
    expect(records[0].reason).toBe(3);
  });

  test('backscatter stays with its sender and is unasked', () => {
    const { records, slices } = meterAll([{ ...server, at: 0, flags: 'SA' }]);
    for (const row of [records[0], slices[0]]) {
      expect(row.src).toBe('10.0.0.2');
      expect(has(row, UNASKED) && has(row, OPENED_BY_DESTINATION)).toBe(true);
    }
  });

  test('a connection whose SYN was missed is its client’s', () => {
    const { records, slices } = meterAll(handshake(0).slice(1));
    for (const row of [records[0], slices[0]]) {
      expect(row).toMatchObject({ src: '10.0.0.1', packets: 1, reversePackets: 1 });
      expect(has(row, UNASKED)).toBe(false);
    }
  });
});

describe('slices', () => {
  test('the first one holds the flow’s first second, later ones a second of the clock each', () => {
    const at = [0.9, 1.5, 1.89, 1.95, 2.1, 2.9, 5];
    const { slices } = meterAll(at.map((time) => ({ ...client, at: time, proto: 17 })));
    expect(slices.map((row) => [row.start, row.end, row.packets, has(row, FIRST), has(row, LAST)])).toEqual([
      [0.9, 1.89, 3, true, false],
      [1.95, 1.95, 1, false, false],
      [2.1, 2.9, 2, false, false],
      [5, 5, 1, false, true],
    ]);
  });

  test('the first one waits for the answer, and leaves when the flow is a second old', () => {
    const { slices, add } = startMeter();
    add(handshake(0.99).slice(0, 1));
    add([{ ...client, at: 1.5, sport: 1 }, ...handshake(0.99).slice(1)]);
    expect(slices).toHaveLength(0);
    add([{ ...client, at: 2, sport: 1 }]);
    expect(slices.map((row) => [row.sport, row.packets, row.reversePackets])).toEqual([[40000, 2, 1]]);
  });

  test('a reset lets the first one leave at the next second', () => {
    const { slices, add } = startMeter();
    add([
      { ...client, at: 0.9, flags: 'S' },
      { ...server, at: 0.95, flags: 'RA' },
      { ...client, at: 1, sport: 1 },
    ]);
    expect(slices.map((row) => [row.sport, has(row, FIRST), has(row, LAST)])).toEqual([[40000, true, true]]);
  });

  test('each DNS name stands in a slice of its own', () => {
    const dns = { ...client, dport: 53, proto: 17 };
    const { slices, records } = meterAll([
      { ...dns, at: 0, dns: 5, dnsType: 1 },
      { ...dns, at: 0.1, dns: 5, dnsType: 1 },
      { ...dns, at: 0.2, dns: 6, dnsType: 1 },
      { ...dns, at: 0.3, dns: 6, dnsType: 28 },
    ]);
    expect(slices.map((row) => [row.dns, row.dnsType, row.packets, has(row, FIRST)])).toEqual([
      [5, 1, 2, true],
      [6, 1, 1, false],
      [6, 28, 1, false],
    ]);
    expect(records[0]).toMatchObject({ dns: 5, dnsType: 1, packets: 4 });
  });
});

describe('what a record carries', () => {
  test('tunnel and MAC addresses follow the initiator, whichever end sorts first', () => {
    const [low, high] = [0x020000000001, 0xfe00ffffffff];
    for (const first of [client, server]) {
      const { records } = meterAll([
        { ...first, at: 0, proto: 17, mac: [low, high], outer: ['192.0.2.1', '192.0.2.2'], tos: 184, vlan: 7 },
      ]);
      expect(records[0]).toMatchObject({ macs: [low, high], outer: ['192.0.2.1', '192.0.2.2'], tos: 184, vlan: 7 });
    }
  });

  test('the tunnel may show later than the first packet', () => {
    const { records } = meterAll([
      { ...client, at: 0, proto: 17 },
      { ...server, at: 1, proto: 17, outer: ['192.0.2.1', '192.0.2.2'] },
    ]);
    expect(records[0].outer).toEqual(['192.0.2.2', '192.0.2.1']);
  });

  test('packets without IP are flows of MAC addresses and show no other', () => {
    const { records } = meterAll([
      { at: 0, bare: true, proto: 0, mac: [1, 2], layers: 3, bytes: 0, wire: 60 },
      { at: 1, bare: true, proto: 0, mac: [2, 1], layers: 3, bytes: 0, wire: 64 },
    ]);
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({ src: '::', dst: '::', macs: [1, 2], wire: 60, reverseWire: 64 });
  });

  test('an echo and its reply are one flow, an error is its own', () => {
    const { records } = meterAll([
      { at: 0, proto: 1, icmp: [8, 0] },
      { at: 1, proto: 1, icmp: [0, 0], src: '10.0.0.2', dst: '10.0.0.1', answer: true },
      { at: 2, proto: 1, icmp: [3, 1], icmpError: true },
      { at: 3, proto: 1, icmp: [3, 1], icmpError: true, src: '10.0.0.2', dst: '10.0.0.1' },
    ]);
    expect(records.map((row) => [row.icmp, row.packets, row.reversePackets])).toEqual([
      [0x0800, 1, 1],
      [0x0301, 1, 0],
      [0x0301, 1, 0],
    ]);
  });
});

describe('a meter', () => {
  test('lets idle flows go without packets when time is moved on', () => {
    const { records, slices, meter, add } = startMeter();
    add([{ ...client, at: 100, proto: 17 }]);
    meter.advance(102e6);
    expect(slices).toHaveLength(1);
    meter.advance(125e6);
    expect(records).toHaveLength(1);
    expect(meter.maxEventUs).toBe(125e6);
  });

  test('counts packets without a time, at the latest time seen', () => {
    const { records, metrics } = meterAll([
      { ...client, at: 100, proto: 17 },
      { ...client, at: Number.NaN, proto: 17 },
    ]);
    expect(records[0]).toMatchObject({ packets: 2, start: 100, end: 100 });
    expect(metrics.snapshot()['weir_meter_packets_without_time_total']).toBe(1);
  });

  test('evicts a closed connection before a flow that goes on', () => {
    const { records, metrics } = meterAll(
      [
        { ...client, at: 0, sport: 1, proto: 17 },
        { ...client, at: 1, flags: 'S' },
        { ...server, at: 1.1, flags: 'RA' },
        { ...client, at: 2, sport: 3, proto: 17 },
      ],
      { maxFlows: 2 },
    );
    expect(records.map((row) => [row.sport, row.reason])).toEqual([
      [40000, 3],
      [1, 4],
      [3, 4],
    ]);
    expect(metrics.snapshot()['weir_meter_flows_evicted_total{cause="table_full"}']).toBe(1);
  });

  test('starts anew after the end, at any time', () => {
    const { records, meter, add } = startMeter();
    add([...handshake(1000), ...closing(1001)]);
    meter.end();
    add(handshake(5));
    meter.end();
    expect(records.map((row) => [row.start, row.packets, row.reason])).toEqual([
      [1000, 4, 3],
      [5, 2, 4],
    ]);
  });
});
