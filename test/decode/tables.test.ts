import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Metrics } from '../../src/core/metrics.ts';
import { StringTable } from '../../src/core/string-table.ts';
import { Decoder } from '../../src/decode/decode.ts';
import { layerCode, VLAN_CODE } from '../../src/decode/layer-codes.ts';
import { LayerTrie } from '../../src/decode/layer-trie.ts';
import { Names } from '../../src/model/names.ts';
import { PacketRows } from '../../src/model/packet-rows.ts';
import { batchOf, decodeBatch, decodeFrames, type Frame, hex, readRow, SMALL } from './frames.ts';
import { eth, h, INNER, ip6 } from './packets.ts';

/** A UDP fragment of datagram `id`: the first one has ports 53 > 49152. */
function fragment(id: number, first: boolean, timeUs: number): Frame {
  const payload = first ? '0035 c000 0100 0000 0000000000000000' : '00'.repeat(16);
  const header = `4500 0024 ${h(id)} ${first ? '2000' : '0002'} 40 11 0000 c0000201 c0000202`;
  return { bytes: hex(eth(0x0800, `${header} ${payload}`)), timeUs };
}

function fragment6(first: boolean): Frame {
  const payload = first ? '0035 c000 0100 0000 0000000000000000' : '00'.repeat(16);
  return { bytes: hex(eth(0x86dd, ip6(44, `1100 ${first ? '0001' : '0010'} 00000007 ${payload}`))) };
}

describe('fragments', () => {
  it('take the ports of the first one, for a minute', () => {
    const { rows } = decodeFrames([fragment(1, true, 0), fragment(1, false, 59e6), fragment(1, false, 61e6)]);
    expect(rows.map((row) => row.ports)).toEqual(['53>49152', '53>49152', null]);
  });

  it('are told apart by identification, also in IPv6', () => {
    const { rows } = decodeFrames([fragment(1, true, 0), fragment(2, false, 1), fragment6(true), fragment6(false)]);
    expect(rows.map((row) => [row.ports, row.protocol])).toEqual([
      ['53>49152', 17],
      [null, 17],
      ['53>49152', 17],
      ['53>49152', 17],
    ]);
  });

  it('are remembered in bounded memory, the newest longest', () => {
    const firsts = Array.from({ length: 100 }, (_, id) => fragment(id, true, id));
    const { rows, causes } = decodeFrames([...firsts, fragment(99, false, 100)], { maxFragments: 8 });
    expect(rows[100].ports).toBe('53>49152');
    expect(causes).toEqual({ fragment_table_full: 92 });
  });
});

/** Ports of all rows, decoded `step` packets at a time. */
function portsOf(frames: Frame[], step: number, options = { maxEarlyFragments: 4 }): (string | null)[] {
  const names = new Names();
  const decoder = new Decoder({ ...SMALL, ...options, names }, { metrics: new Metrics() });
  const batch = batchOf(frames);
  const rows = new PacketRows(step);
  const ports: (string | null)[] = [];
  const collect = () => {
    for (let i = 0; i < rows.length; i++) ports.push(readRow(rows, i, names).ports);
  };
  for (let at = 0; at < batch.length; collect()) at += decoder.decode(batch, at, batch.length, rows);
  while (decoder.end(rows) > 0) collect();
  return ports;
}

describe('fragments before their first one', () => {
  const other = (timeUs: number): Frame => ({ bytes: hex(eth(0x0800, INNER)), timeUs });
  const late = (id: number, timeUs: number) => fragment(id, false, timeUs);
  const first = (id: number, timeUs: number) => fragment(id, true, timeUs);
  const dns = '53>49152';
  const tcp = '1234>80';

  it.each([1, 2, 256])('wait for its ports, %i rows at a time', (step) => {
    expect(portsOf([late(1, 0), other(1), late(1, 2), first(1, 3), late(1, 4), other(5)], step)).toEqual([
      tcp,
      dns,
      dns,
      dns,
      dns,
      tcp,
    ]);
  });

  it.each([1, 2, 256])('go on without ports after a second, or at the end, %i rows at a time', (step) => {
    const frames = [late(1, 0), other(1), other(1e6), first(1, 1e6 + 1), late(2, 1e6 + 2), other(1e6 + 3)];
    expect(portsOf(frames, step)).toEqual([tcp, null, tcp, dns, tcp, null]);
  });

  it('are bounded: who finds no room goes on at once', () => {
    const frames = [late(1, 0), late(2, 1), late(3, 2), first(1, 3), first(2, 4), first(3, 5)];
    expect(portsOf(frames, 256, { maxEarlyFragments: 2 })).toEqual([null, dns, dns, dns, dns, dns]);
    expect(portsOf(frames, 256, { maxEarlyFragments: 0 })).toEqual([null, null, null, dns, dns, dns]);
  });

  it('are all there whatever comes, each once, in any cut', () => {
    const packet = fc.tuple(fc.integer({ min: 0, max: 5 }), fc.boolean(), fc.nat(700_000));
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 60 }), fc.integer({ min: 1, max: 9 }), (packets, step) => {
        let timeUs = 0;
        const frames = packets.map(([id, isFirst, pauseUs]) => {
          timeUs += pauseUs;
          return fragment(id, isFirst, timeUs);
        });
        const whole = portsOf(frames, 256);
        expect(whole.length).toBe(frames.length);
        expect(portsOf(frames, step)).toEqual(whole);
      }),
    );
  });
});

describe('header stacks', () => {
  it('stay bounded: VLAN ids are left out first, and what is lost is counted', () => {
    const table = new StringTable(1 << 16);
    const trie = new LayerTrie(table);
    const eth1 = trie.child(0, layerCode('eth'));
    for (let outer = 0; outer < 8; outer++) {
      const node = trie.child(eth1, VLAN_CODE + outer);
      for (let inner = 0; inner < 4096; inner++) trie.child(node, VLAN_CODE + inner);
    }
    expect(trie.takeOverflows()).toBeGreaterThan(10_000);
    const last = trie.child(trie.child(eth1, VLAN_CODE + 4000), layerCode('ipv4'));
    expect(table.text(trie.id(last))).toBe('eth vlan ipv4');
    expect(trie.takeOverflows()).toBe(1);
  });
});

describe('rows', () => {
  it('are filled as far as they go; the answer says how many packets were taken', () => {
    const batch = batchOf(Array.from({ length: 10 }, () => ({ bytes: hex(eth(0x0800, INNER)) })));
    const { decoder } = decodeBatch(batch);
    const rows = new PacketRows(4);
    expect([decoder.decode(batch, 0, 10, rows), rows.length]).toEqual([4, 4]);
    expect([decoder.decode(batch, 8, 10, rows), rows.length]).toEqual([2, 2]);
    expect([decoder.decode(batch, 10, 10, rows), rows.length]).toEqual([0, 0]);
  });
});
