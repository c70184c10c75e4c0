import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';
import { Metrics } from '../../src/core/metrics.ts';
import { Meter } from '../../src/meter/meter.ts';
import type { FlowBatch } from '../../src/model/flow-batch.ts';
import { Names } from '../../src/model/names.ts';
import { writeHours } from '../../src/store/hour-files.ts';
import { type StagedData, StagedRows } from '../../src/store/staged-rows.ts';
import { meterCapture } from '../support/slices.ts';

/**
 * What a flow record costs in the history: taking it into memory, and making files of it, each by itself; beside them what it
 * takes to compress the same columns as they lie in memory, untouched, which is the least that a simple writer could do.
 * `node test/perf/store.ts CAPTURE [ROUNDS]`: CPU time of the thread, ns a record, medians, and bytes a record.
 */
const FLUSH_ROWS = 32_768;

async function stage(path: string): Promise<{ staged: StagedData[]; records: number; ms: number }> {
  const names = new Names();
  const metrics = new Metrics();
  const staged: StagedData[] = [];
  let [live, records, ms] = [new StagedRows(names, []), 0, 0];
  const seal = (): void => {
    if (live.rows > 0) staged.push(live.data);
    live = new StagedRows(names, []);
  };
  const onRecords = (batch: FlowBatch): void => {
    const before = performance.now();
    live.flows(batch);
    ms += performance.now() - before;
    records += batch.length;
    if (live.rows >= FLUSH_ROWS) seal();
  };
  const meter = new Meter({ slices: false }, { metrics, names, onSlices: () => {}, onRecords });
  await meterCapture(path, meter, { names, metrics });
  seal();
  return { staged, records, ms };
}

/** CPU time of this thread, milliseconds. Some systems count it in steps of four, so only long work can be measured. */
function cpuMs(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const after = process.threadCpuUsage();
  return (after.user + after.system - before.user - before.system) / 1e3;
}

function writeAll(path: string, staged: readonly StagedData[]): void {
  for (const [i, data] of staged.entries()) writeHours({ path, name: `b-${i}`, data, supersedes: null });
}

function compressAll(staged: readonly StagedData[]): void {
  const params = { [constants.ZSTD_c_compressionLevel]: 1 };
  for (const { flows } of staged)
    for (const buffer of flows.buffers) zstdCompressSync(new Uint8Array(buffer), { params });
}

function bytesBelow(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];

const [path, rounds = '5'] = process.argv.slice(2);
const { staged, records, ms } = await stage(path);
const folder = mkdtempSync(join(tmpdir(), 'weir-perf-store-'));
const [write, reference]: [number[], number[]] = [[], []];
for (let round = 0; round < Number(rounds); round++) {
  write.push(cpuMs(() => writeAll(folder, staged)));
  reference.push(cpuMs(() => compressAll(staged)));
}
const bytes = bytesBelow(folder);
rmSync(folder, { recursive: true });
const each = (value: number): number => Math.round((1e6 * value) / records);
const line = {
  records,
  nanosecondsToStage: each(ms),
  nanosecondsToWrite: each(median(write)),
  nanosecondsToCompressOnly: each(median(reference)),
  bytesARecord: Number((bytes / records).toFixed(1)),
};
process.stdout.write(`${JSON.stringify(line)}\n`);
