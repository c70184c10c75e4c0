/**
 * What no exporter should send: `node --expose-gc test/exporters/hostile.ts [DATAGRAMS]` (default a million). Datagrams of other projects
 * (../shared/data), mutated; a storm of as many template ids from one address; templates without fields; records of 64 KiB. Each goes
 * through the decoder as a collector's thread calls it. What is held after a collection is measured at half time and at the end;
 * exit 1 where it grew by more than 32 MiB.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Metrics } from '../../src/core/metrics.ts';
import { Decoder } from '../../src/decode/decode.ts';
import { ExporterDecoder } from '../../src/exporter/exporter.ts';
import { Names } from '../../src/model/names.ts';
import { bytesOf, concat, ipfix, set, templateRecord } from '../exporter/decode.ts';
import { mutate, random } from '../exporter/mutate.ts';

const DATA = resolve(import.meta.dirname, '../../../shared/data');
const FOLDERS = ['netflow-logstash', 'netflow-telegraf/ipfix_example', 'netflow-telegraf/sflow_v5_example'];
const MOST_GROWTH = 32 * 2 ** 20;
const datagrams = Number(process.argv[2] ?? 1e6);

const samples = FOLDERS.flatMap((folder) =>
  readdirSync(join(DATA, folder))
    .filter((name) => /\.(dat|bin)$/.test(name))
    .map((name) => new Uint8Array(readFileSync(join(DATA, folder, name)))),
);
const next = random(11);
const V4 = [
  [8, 4],
  [12, 4],
  [1, 4],
  [2, 4],
];

/** One datagram after another, by its number; `address` is who sent it. */
interface Attack {
  name: string;
  count: number;
  make(n: number): { data: Uint8Array; address: string };
}

const mutated: Attack = {
  name: 'mutated datagrams',
  count: datagrams,
  make: () => ({ data: mutate(samples[next(samples.length)], next), address: `192.0.2.${next(256)}` }),
};
const TEMPLATES = 50;
const storm: Attack = {
  name: 'template ids from one address',
  count: datagrams / TEMPLATES,
  make(n) {
    const sets = Array.from({ length: TEMPLATES }, (_, i) =>
      set(2, templateRecord(256 + ((n * TEMPLATES + i) % 65_000), V4)),
    );
    return { data: ipfix(n, Math.floor((n * TEMPLATES) / 65_000), ...sets), address: '192.0.2.1' };
  },
};
const empty: Attack = {
  name: 'templates without fields or lengths, with records',
  count: datagrams / 10,
  make: (n) => ({
    data: ipfix(n, 1, set(2, templateRecord(256, n % 2 ? [] : [[8, 0]])), set(256, new Uint8Array(1000))),
    address: '192.0.2.1',
  }),
};
const LONG = 65_400;
const long = ipfix(
  0,
  1,
  set(
    256,
    concat(
      bytesOf([
        [4, 1],
        [1, 255],
        [2, LONG],
      ]),
      new Uint8Array(LONG).fill(0x61),
    ),
  ),
);
const announcement = ipfix(
  0,
  1,
  set(
    2,
    templateRecord(256, [
      [8, 4],
      [96, 65_535],
    ]),
  ),
);
const large: Attack = {
  name: 'records of 64 KiB',
  count: datagrams / 50,
  make: (n) => ({ data: n === 0 ? announcement : long, address: '192.0.2.1' }),
};

/** @returns bytes that what is held grew by in the second half */
function run({ name, count, make }: Attack): number {
  const names = new Names();
  const metrics = new Metrics();
  let rows = 0;
  const decoder = new ExporterDecoder(
    { names, frames: new Decoder({ names }, { metrics: new Metrics() }) },
    {
      metrics,
      onFlows: (batch) => {
        rows += batch.length;
      },
    },
  );
  const startMs = performance.now();
  let early = 0;
  let longestMs = 0;
  for (let n = 0; n < count; n++) {
    const { data, address } = make(n);
    const beforeMs = performance.now();
    decoder.decode(data, 0, data.length, address, 9995, n * 1000);
    longestMs = Math.max(longestMs, performance.now() - beforeMs);
    if (n === Math.floor(count / 2)) early = held();
  }
  decoder.flush();
  const grown = held() - early;
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
  console.log(
    `${name}: ${count} datagrams, ${rows} rows, ${seconds} s, the longest ${longestMs.toFixed(1)} ms; ` +
      `${mebibytes(early)} MiB held at half time, ${mebibytes(grown)} more at the end; RSS ${mebibytes(process.memoryUsage.rss())} MiB`,
  );
  return grown;
}

/** Bytes of objects and buffers that are still held. */
function held(): number {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const grown = [mutated, storm, empty, large].map(run);
process.exitCode = grown.some((bytes) => bytes > MOST_GROWTH) ? 1 : 0;
