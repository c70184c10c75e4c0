import { Metrics } from '../../src/core/metrics.ts';
import { Decoder } from '../../src/decode/decode.ts';
import { Meter } from '../../src/meter/meter.ts';
import type { FlowBatch } from '../../src/model/flow-batch.ts';
import { Names } from '../../src/model/names.ts';
import { PacketBatch } from '../../src/model/packet-batch.ts';
import { PacketRows } from '../../src/model/packet-rows.ts';
import { openCapture } from '../../src/source/source.ts';

/**
 * What reading, decoding, metering and slicing of one capture cost, each stage in turn and several rounds:
 * `node test/perf/meter.ts CAPTURE [ROUNDS [STAGE...]]`. Prints medians as one JSON line a stage.
 */
type Stage = 'read' | 'decode' | 'records' | 'slices';

/** As in `weir flows`; 64 and 256 cost a quarter more CPU time. */
const ROWS = 128;

interface Run {
  packets: number;
  flowPackets: number;
  records: number;
  slices: number;
  seconds: number;
  cpuSeconds: number;
}

const packetsOf = (batch: FlowBatch): number => {
  let sum = 0;
  for (let n = 0; n < batch.length; n++) sum += batch.packetDeltaCount[n] + batch.reversePacketDeltaCount[n];
  return sum;
};

async function run(path: string, stage: Stage): Promise<Run> {
  const names = new Names();
  const metrics = new Metrics();
  let flowPackets = 0;
  const meter = new Meter(
    { slices: stage === 'slices' },
    { metrics, onSlices: () => {}, onRecords: (batch) => (flowPackets += packetsOf(batch)) },
  );
  const decoder = new Decoder({ names }, { metrics });
  const cpu = process.cpuUsage();
  const start = performance.now();
  const packets = await pump(path, stage, decoder, meter);
  meter.end();
  const used = process.cpuUsage(cpu);
  return {
    packets,
    flowPackets,
    records: meter.recordCount,
    slices: meter.sliceCount,
    seconds: (performance.now() - start) / 1e3,
    cpuSeconds: (used.user + used.system) / 1e6,
  };
}

async function pump(path: string, stage: Stage, decoder: Decoder, meter: Meter): Promise<number> {
  const reader = openCapture(path);
  const batch = new PacketBatch();
  const rows = new PacketRows(ROWS);
  rows.lean = true;
  rows.wantedSeed = 1;
  let packets = 0;
  for (;;) {
    const answer = reader.read(batch);
    if (!(typeof answer === 'boolean' ? answer : await answer)) break;
    packets += batch.length;
    if (stage !== 'read') decodeAll(batch, rows, decoder, stage === 'decode' ? null : meter);
  }
  reader.close();
  return packets;
}

function decodeAll(batch: PacketBatch, rows: PacketRows, decoder: Decoder, meter: Meter | null): void {
  for (let at = 0; at < batch.length; ) {
    at += decoder.decode(batch, at, batch.length, rows);
    if (meter) meter.add(rows);
  }
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];

const [path, rounds = '3', ...stages] = process.argv.slice(2);
const STAGES = (stages.length > 0 ? stages : ['read', 'decode', 'records', 'slices']) as Stage[];
const results = new Map<Stage, Run[]>(STAGES.map((stage) => [stage, []]));
for (let round = 0; round < Number(rounds); round++) {
  for (const stage of STAGES) results.get(stage)!.push(await run(path, stage));
}
for (const [stage, runs] of results) {
  const seconds = median(runs.map((each) => each.seconds));
  const { packets, flowPackets, records, slices } = runs[0];
  const line = {
    stage,
    packets,
    flowPackets,
    records,
    slices,
    seconds: Number(seconds.toFixed(3)),
    cpuSeconds: Number(median(runs.map((each) => each.cpuSeconds)).toFixed(3)),
    millionPacketsPerSecond: Number((packets / seconds / 1e6).toFixed(2)),
    rssMegabytes: Math.round(process.memoryUsage.rss() / 1e6),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
