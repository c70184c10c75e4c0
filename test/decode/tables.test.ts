import { describe, expect, it } from 'vitest';
import { StringTable } from '../../src/core/string-table.ts';
import { layerCode, VLAN_CODE } from '../../src/decode/layer-codes.ts';
import { LayerTrie } from '../../src/decode/layer-trie.ts';
import { PacketRows } from '../../src/model/packet-rows.ts';
import { batchOf, decodeBatch, decodeFrames, type Frame, hex } from './frames.ts';
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
