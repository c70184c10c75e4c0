import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Metrics } from '../../src/core/metrics.ts';
import { Decoder } from '../../src/decode/decode.ts';
import { Names } from '../../src/model/names.ts';
import { PacketBatch } from '../../src/model/packet-batch.ts';
import { hashRows, keyRows } from '../../src/model/packet-key.ts';
import * as R from '../../src/model/packet-rows.ts';
import { openCapture } from '../../src/source/source.ts';
import { generate } from '../perf/generate.ts';

const SEED = 12_345;
const FIXTURES = join(import.meta.dirname, '../../fixtures');

interface Side {
  names: Names;
  decoder: Decoder;
  rows: R.PacketRows;
}

function side(lean: boolean): Side {
  const names = new Names();
  const rows = new R.PacketRows(128);
  rows.lean = lean;
  if (lean) rows.wantedSeed = SEED;
  return { names, rows, decoder: new Decoder({ names, maxEarlyFragments: 16 }, { metrics: new Metrics() }) };
}

/** What a meter asks of a row, without ids. */
function asked({ names, rows: { words, doubles } }: Side, r: number): unknown {
  const info = words[r + R.KEY_INFO];
  const meta = words[r + R.META];
  const named = (info & 64) !== 0;
  return {
    key: [info, words[r + R.KEY_HASH], words[r + R.KEY_KIND], words[r + R.KEY_PORTS]],
    ends: [3, 7].map((k) => ((meta & R.HAS_IP) === 0 ? 0 : words[r + k])),
    counts: [words[r + R.IP_BYTES], words[r + R.WIRE_BYTES], words[r + R.FLAGS], doubles[(r >> 1) + R.TIME_F64]],
    meta: meta & (R.HAS_IP | R.HAS_MAC | R.HAS_OUTER | R.HAS_PORTS | 0xff),
    place: [words[r + R.VLAN], words[r + R.INTERFACE], (meta & R.HAS_ICMP) === 0 ? 0 : words[r + R.ICMP]],
    layers: names.layers.text(words[r + R.LAYERS]),
    macs: (meta & R.HAS_MAC) === 0 ? [] : [0, 1, 2, 3].map((k) => words[r + R.SRC_MAC + k]),
    dns: named ? [names.names.text(words[r + R.DNS_NAME]), words[r + R.DNS_TYPE], meta & R.IS_DNS_RESPONSE] : [],
  };
}

/** Decodes a capture both ways, compares every row, and answers the share of lean ones. */
async function compare(path: string): Promise<number> {
  const [lean, whole] = [side(true), side(false)];
  const reader = openCapture(path);
  const batch = new PacketBatch(512);
  let all = 0;
  let leanRows = 0;
  while (await reader.read(batch)) {
    for (let at = 0; at < batch.length; ) {
      const taken = lean.decoder.decode(batch, at, batch.length, lean.rows);
      expect(whole.decoder.decode(batch, at, batch.length, whole.rows)).toBe(taken);
      expect(lean.rows.keySeed).toBe(SEED);
      keyRows(whole.rows.words, 0, whole.rows.length * R.ROW, SEED);
      for (let r = 0; r < lean.rows.length * R.ROW; r += R.ROW) {
        all++;
        if ((lean.rows.words[r + R.META] & R.IS_LEAN) !== 0) {
          leanRows++;
          lean.rows.source!.complete(lean.rows.words, r);
        }
        expect(asked(lean, r)).toEqual(asked(whole, r));
      }
      at += taken;
    }
  }
  reader.close();
  return leanRows / all;
}

test('a lean row, completed, has what a whole one has, and the same key', { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-lean-'));
  const mixed = join(folder, 'mixed.pcap');
  generate(mixed, 5000);
  expect(await compare(mixed)).toBeGreaterThan(0.9);
  rmSync(folder, { recursive: true });
  const captures = readdirSync(FIXTURES, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /\.pcap(ng)?$/.test(path),
  );
  expect(captures.length).toBeGreaterThan(5);
  for (const capture of captures.slice(0, 12)) await compare(join(FIXTURES, capture));
});

test('hashing keys with another seed gives what writing them with it gives', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-lean-'));
  const mixed = join(folder, 'mixed.pcap');
  generate(mixed, 500);
  const reader = openCapture(mixed);
  const batch = new PacketBatch(512);
  await reader.read(batch);
  const { decoder, rows } = side(false);
  decoder.decode(batch, 0, batch.length, rows);
  const end = rows.length * R.ROW;
  keyRows(rows.words, 0, end, SEED);
  const wanted = rows.words.slice(0, end);
  keyRows(rows.words, 0, end, 7);
  expect(rows.words.slice(0, end)).not.toEqual(wanted);
  hashRows(rows.words, 0, end, SEED);
  expect(rows.words.slice(0, end)).toEqual(wanted);
  reader.close();
  rmSync(folder, { recursive: true });
});
