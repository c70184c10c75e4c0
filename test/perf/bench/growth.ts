import { writeFileSync } from 'node:fs';
import { Metrics } from '../../../src/core/metrics.ts';
import { StateWriter } from '../../../src/core/state.ts';
import { Decoder } from '../../../src/decode/decode.ts';
import { Meter } from '../../../src/meter/meter.ts';
import { Names } from '../../../src/model/names.ts';
import type { PacketBatch } from '../../../src/model/packet-batch.ts';
import { PacketRows } from '../../../src/model/packet-rows.ts';
import { BATCH, fill, framesBatch } from './frames.ts';
import { svgCurve } from './svg.ts';

const ROWS = 128;

interface Cost {
  packets: number;
  keys: number;
  nanoseconds: number;
  rssMB: number;
  records: number;
  /** Writing the meter's state at the end: milliseconds, MB. */
  saveMs: number;
  saveMB: number;
}

/** Decodes and meters packets that are made in memory; slices and records are given out. */
class Run {
  readonly meter: Meter;
  cpuUs = 0;
  readonly #decoder: Decoder;
  readonly #rows = new PacketRows(ROWS);
  readonly #batch: PacketBatch;

  constructor(ipv6 = false) {
    const names = new Names();
    const metrics = new Metrics();
    this.meter = new Meter({}, { metrics, names, onSlices: () => {}, onRecords: () => {} });
    this.#decoder = new Decoder({ names }, { metrics });
    this.#rows.lean = true;
    this.#batch = framesBatch(ipv6);
  }

  /** Packets `from` to (not including) `to` of `keys` flows. */
  step(from: number, to: number, keys: number): void {
    const batch = this.#batch;
    const rows = this.#rows;
    fill(batch, from, to - from, keys);
    const before = process.threadCpuUsage();
    for (let at = 0; at < batch.length; ) {
      at += this.#decoder.decode(batch, at, batch.length, rows);
      this.meter.add(rows);
    }
    const { user, system } = process.threadCpuUsage(before);
    this.cpuUs += user + system;
  }
}

/**
 * CPU time a packet of `packets` packets of `keys` flows. Few keys take turns all the time; of many, `ACTIVE` are open at a
 * time and each gets its ten packets.
 */
function cost(packets: number, keys: number): Cost {
  const run = new Run();
  for (let from = 0; from < packets; from += BATCH) run.step(from, Math.min(from + BATCH, packets), keys);
  const { meter } = run;
  const { saveMs, saveMB } = saveCost(meter);
  const rssMB = process.memoryUsage.rss() / 2 ** 20;
  meter.end();
  return { packets, keys, nanoseconds: (1e3 * run.cpuUs) / packets, rssMB, records: meter.recordCount, saveMs, saveMB };
}

function saveCost(meter: Meter): { saveMs: number; saveMB: number } {
  const before = performance.now();
  const out = new StateWriter();
  meter.save(out);
  return { saveMs: performance.now() - before, saveMB: out.byteLength / 2 ** 20 };
}

const line = ({ packets, keys, nanoseconds, rssMB, records, saveMs, saveMB }: Cost): string =>
  `| ${packets.toLocaleString('en')} | ${keys.toLocaleString('en')} | ${nanoseconds.toFixed(0)} | ${rssMB.toFixed(0)} | ` +
  `${records.toLocaleString('en')} | ${saveMs.toFixed(1)} ms, ${saveMB.toFixed(0)} MB |`;

/** IPv6 beside IPv4: a batch of the one, a batch of the other, so that both see the same machine. */
function versions(packets: number, keys: number): string {
  const four = new Run();
  const six = new Run(true);
  for (let from = 0; from < packets; from += BATCH) {
    for (const run of (from / BATCH) % 2 === 0 ? [four, six] : [six, four]) run.step(from, from + BATCH, keys);
  }
  const [nsFour, nsSix] = [four, six].map(({ cpuUs }) => (1e3 * cpuUs) / packets);
  return `${keys.toLocaleString('en')} keys: ${nsSix.toFixed(0)} / ${nsFour.toFixed(0)} ns = ${(nsSix / nsFour).toFixed(2)}`;
}

/** Prints cost a packet by packets and by keys, and draws both. */
export function growth(most: number, svgPath: string): void {
  versions(1e6, 1000);
  for (const keys of [1000, 100_000]) console.log(`IPv6 / IPv4, ${versions(Math.min(most, 1e7), keys)}`);
  console.log('| packets | keys | ns a packet | RSS MB | records | state |\n|---|---|---|---|---|---|');
  const measured = (packets: number, keys: number): Cost => {
    const answer = cost(packets, keys);
    console.log(line(answer));
    return answer;
  };
  const byPackets = [1e6, 1e7, 1e8].filter((n) => n <= most).map((n) => measured(n, 100_000));
  const byKeys = [10, 1000, 100_000, 1e6, 1e7].map((n) => measured(Math.min(most, Math.max(1e7, 10 * n)), n));
  const at = (costs: Cost[], i: number): number => costs.at(i)?.nanoseconds ?? Number.NaN;
  console.log(`\npackets: last / first ${(at(byPackets, -1) / at(byPackets, 0)).toFixed(2)}`);
  console.log(`keys: 10,000,000 / 1,000 ${(at(byKeys, 4) / at(byKeys, 1)).toFixed(2)}`);
  const points = (costs: Cost[], by: 'packets' | 'keys') => costs.map((each) => ({ x: each[by], y: each.nanoseconds }));
  writeFileSync(
    svgPath,
    svgCurve('CPU time a packet, ns: decode and meter', [
      { name: 'by packets (100,000 keys)', points: points(byPackets, 'packets') },
      { name: 'by keys (ten packets each, 10 M at least)', points: points(byKeys, 'keys') },
    ]),
  );
}
