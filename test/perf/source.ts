/**
 * How fast captures are walked. `node test/perf/source.ts [packets]` writes captures of 96-byte packets, reads them in
 * turn, and prints medians of seven rounds and ratios to a plain read of the same bytes. Only ratios of one run count.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { PacketBatch } from '../../src/model/packet-batch.ts';
import type { PacketReader } from '../../src/model/packet-reader.ts';
import { openCapture, openOrdered } from '../../src/source/source.ts';

const PACKETS = Number(process.argv[2] ?? 3_000_000);
const ROUNDS = 7;
const SIZE = 96;
const GROUP = 10_000;

const folder = mkdtempSync(join(tmpdir(), 'weir-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** Fills records of one size: `write` says what stands before each packet. */
function records(header: number, bytes: number, write: (view: DataView, at: number, i: number) => void): Uint8Array {
  const out = new Uint8Array(header + PACKETS * bytes);
  const view = new DataView(out.buffer);
  for (let i = 0; i < PACKETS; i++) write(view, header + i * bytes, i);
  return out;
}

/** Every second group of packets lies twenty seconds in the past when `disordered`. */
function secondsOf(i: number, disordered: boolean): number {
  return 1_700_000_000 + Math.floor(i / GROUP) - (disordered && Math.floor(i / GROUP) % 2 === 1 ? 20 : 0);
}

function pcap(disordered = false): Uint8Array {
  const out = records(24, 16 + SIZE, (view, at, i) => {
    view.setUint32(at, secondsOf(i, disordered), true);
    view.setUint32(at + 4, (i % GROUP) * 100, true);
    view.setUint32(at + 8, SIZE, true);
    view.setUint32(at + 12, 1500, true);
  });
  new Uint32Array(out.buffer, 0, 6).set([0xa1b2c3d4, 0x00040002, 0, 0, 65_535, 1]);
  return out;
}

function pcapng(): Uint8Array {
  const total = 32 + SIZE;
  const out = records(48, total, (view, at, i) => {
    const time = secondsOf(i, false) * 1e6 + (i % GROUP) * 100;
    const words = [6, total, 0, Math.floor(time / 2 ** 32), time % 2 ** 32, SIZE, 1500];
    for (let w = 0; w < words.length; w++) view.setUint32(at + 4 * w, words[w], true);
    view.setUint32(at + total - 4, total, true);
  });
  new Uint32Array(out.buffer, 0, 12).set([0x0a0d0d0a, 28, 0x1a2b3c4d, 1, 0xffffffff, 0xffffffff, 28, 1, 20, 1, 0, 20]);
  return out;
}

function put(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

function plainRead(path: string): number {
  const buffer = new Uint8Array(1 << 20);
  const fd = openSync(path, 'r');
  let bytes = 0;
  for (let got = readSync(fd, buffer); got > 0; got = readSync(fd, buffer)) bytes += got;
  closeSync(fd);
  return bytes;
}

async function walk(reader: PacketReader): Promise<number> {
  const batch = new PacketBatch();
  let packets = 0;
  for (let more = reader.read(batch); typeof more === 'boolean' ? more : await more; more = reader.read(batch)) {
    packets += batch.length;
  }
  return packets;
}

async function stream(paths: string[]): Promise<number> {
  const packetStream = openOrdered(paths);
  let packets = 0;
  for (;;) {
    const next = packetStream.next();
    const run = next instanceof Promise ? await next : next;
    if (run === null) return packets;
    packets += run.to - run.from;
  }
}

const classic = pcap();
const first = put('a.pcap', classic);
const second = put('b.pcap', pcap());
const next = put('c.pcapng', pcapng());
const disordered = put('d.pcap', pcap(true));
const compressed = put('e.pcap.gz', gzipSync(classic, { level: 1 }));

const CASES: [string, number, () => number | Promise<number>][] = [
  ['plain read', 1, () => plainRead(first) / (16 + SIZE)],
  ['pcap', 1, () => walk(openCapture(first))],
  ['pcapng', 1, () => walk(openCapture(next))],
  ['pcap, looked through and in order', 1, () => stream([first])],
  ['two files, interleaved', 2, () => stream([first, second])],
  ['pcap, sorted by time', 1, () => stream([disordered])],
  ['pcap.gz', 1, () => walk(openCapture(compressed))],
  ['pcap, pcap-parser', 1, () => walk(openCapture(first, { reader: 'pcap-parser' }))],
];

const seconds = new Map<string, number[]>();
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, files, run] of CASES) {
    const start = performance.now();
    const packets = await run();
    if (Math.round(packets) !== files * PACKETS) throw new Error(`${name}: ${packets} packets, not ${files * PACKETS}`);
    seconds.set(name, [...(seconds.get(name) ?? []), (performance.now() - start) / 1000 / files]);
  }
}
const median = (values: number[]): number => [...values].sort((a, b) => a - b)[ROUNDS >> 1];
const base = median(seconds.get('plain read')!);
for (const [name] of CASES) {
  const time = median(seconds.get(name)!);
  const rate = (PACKETS / time / 1e6).toFixed(1).padStart(7);
  console.log(`${name.padEnd(36)}${rate} M packets/s${(time / base).toFixed(2).padStart(8)} x plain read`);
}
