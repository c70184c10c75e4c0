/**
 * How fast packets become rows. `node test/perf/decode.ts [packets]` prints the median of seven rounds for each mix, and
 * the ratio to a plain walk that only reads type, addresses and ports of the same packets. Only ratios of one run count.
 */
import { Metrics } from '../../src/core/metrics.ts';
import { Decoder } from '../../src/decode/decode.ts';
import { Names } from '../../src/model/names.ts';
import { PacketBatch } from '../../src/model/packet-batch.ts';
import { PacketRows } from '../../src/model/packet-rows.ts';

const PACKETS = Number(process.argv[2] ?? 1_000_000);
const ROUNDS = 7;
const FRAME = 96;
const BATCH = 256;

/** A small generator of its own, so that runs are alike. */
let seed = 42;
function random(below: number): number {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
}

type Kind = 'tcp4' | 'udp4' | 'tcp6' | 'vlan' | 'dns' | 'gre' | 'vxlan' | 'options' | 'arp';

/** Writes a frame of 96 bytes. */
function frame(view: DataView, at: number, kind: Kind): void {
  view.setUint32(at + 2, random(2 ** 31));
  view.setUint32(at + 8, random(2 ** 31));
  if (kind === 'arp') view.setUint16(at + 12, 0x0806);
  else if (kind === 'tcp6') ip6(view, at + 12);
  else if (kind === 'vlan') {
    view.setUint32(at + 12, 0x81000000 + random(20));
    ip4(view, at + 16, 6, 40000 + random(10000), 443, FRAME - 18);
  } else ip4Frame(view, at, kind);
}

function ip4Frame(view: DataView, at: number, kind: Kind): void {
  const destination = { dns: 53, vxlan: 4789 }[kind as string] ?? 443;
  const protocol = { tcp4: 6, options: 6, gre: 47 }[kind as string] ?? 17;
  ip4(view, at + 12, protocol, 40000 + random(10000), destination, FRAME - 14);
  if (kind === 'options') view.setUint8(at + 14, 0x46);
  if (kind === 'gre') {
    view.setUint32(at + 34, 0x00000800);
    ip4(view, at + 36, 6, 40000 + random(10000), 443, FRAME - 38);
  }
  if (kind === 'vxlan') {
    view.setUint32(at + 42, 0x08000000);
    ip4(view, at + 62, 17, 40000 + random(10000), 443, FRAME - 64);
  }
  if (kind === 'dns') question(view, at + 42);
}

/** EtherType, IPv4 header and ports. */
function ip4(view: DataView, at: number, protocol: number, source: number, destination: number, total: number): void {
  view.setUint16(at, 0x0800);
  view.setUint16(at + 2, 0x4500);
  view.setUint16(at + 4, total);
  view.setUint8(at + 11, protocol);
  view.setUint32(at + 14, 0x0a000000 + random(65536));
  view.setUint32(at + 18, 0x0a010000 + random(65536));
  view.setUint16(at + 22, source);
  view.setUint16(at + 24, destination);
  if (protocol === 6) view.setUint16(at + 34, 0x5018);
  if (protocol === 17) view.setUint16(at + 26, total - 20);
}

function ip6(view: DataView, at: number): void {
  view.setUint16(at, 0x86dd);
  view.setUint32(at + 2, 0x60000000);
  view.setUint32(at + 6, ((FRAME - 54) << 16) | 0x0640);
  view.setUint32(at + 10, 0x20010db8);
  view.setUint32(at + 22, random(65536));
  view.setUint32(at + 26, 0x20010db8);
  view.setUint16(at + 42, 40000 + random(10000));
  view.setUint16(at + 44, 443);
  view.setUint16(at + 54, 0x5018);
}

function question(view: DataView, at: number): void {
  view.setUint16(at + 4, 1);
  const name = `host${random(1000)}.example.net`;
  let position = at + 12;
  for (const label of name.split('.')) {
    view.setUint8(position++, label.length);
    for (const letter of label) view.setUint8(position++, letter.charCodeAt(0));
  }
  view.setUint8(position, 0);
  view.setUint32(position + 1, 0x00010001);
}

function batchOf(kinds: readonly Kind[]): PacketBatch {
  const batch = new PacketBatch(PACKETS);
  batch.setData(new Uint8Array(PACKETS * FRAME));
  for (let i = 0; i < PACKETS; i++) {
    frame(batch.view as DataView, i * FRAME, kinds[random(kinds.length)]);
    batch.offset[i] = i * FRAME;
    batch.capturedLength[i] = FRAME;
    batch.wireLength[i] = FRAME;
    batch.linkType[i] = 1;
    batch.timeUs[i] = i;
  }
  batch.length = PACKETS;
  return batch;
}

/** The least that reading these packets takes. */
function plainWalk({ view, offset, length }: PacketBatch): number {
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const at = offset[i];
    sum =
      (sum + view.getUint16(at + 12) + view.getInt32(at + 26) + view.getInt32(at + 30) + view.getInt32(at + 34)) | 0;
  }
  return sum;
}

function decodeAll(decoder: Decoder, batch: PacketBatch, rows: PacketRows): void {
  for (let at = 0; at < batch.length; ) at += decoder.decode(batch, at, batch.length, rows);
}

/** CPU time, which other work on the machine disturbs less than the clock. */
function millisecondsOf(work: () => unknown): number {
  const start = process.cpuUsage();
  work();
  return process.cpuUsage(start).user / 1000;
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1];
}

const repeat = (kind: Kind, times: number): Kind[] => new Array<Kind>(times).fill(kind);
const MIXES: Record<string, Kind[]> = {
  'TCP over IPv4': ['tcp4'],
  'TCP over IPv6': ['tcp6'],
  'one VLAN tag': ['vlan'],
  'usual mix': [
    ...repeat('tcp4', 55),
    ...repeat('udp4', 20),
    ...repeat('tcp6', 14),
    ...repeat('vlan', 7),
    'dns',
    'dns',
    'dns',
    'arp',
  ],
  'IPv4 options': ['options'],
  'DNS questions': ['dns'],
  GRE: ['gre'],
  VXLAN: ['vxlan'],
};

for (const [name, kinds] of Object.entries(MIXES)) {
  const batch = batchOf(kinds);
  const rows = new PacketRows(BATCH);
  const decoder = new Decoder({ names: new Names() }, { metrics: new Metrics() });
  const walks: number[] = [];
  const decodes: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    walks.push(millisecondsOf(() => plainWalk(batch)));
    decodes.push(millisecondsOf(() => decodeAll(decoder, batch, rows)));
  }
  const ratio = median(decodes.map((time, i) => time / walks[i]));
  const rate = PACKETS / median(decodes) / 1000;
  console.log(`${name.padEnd(16)} ${rate.toFixed(1).padStart(6)} M packets/s, ${ratio.toFixed(2)} x the plain walk`);
}
