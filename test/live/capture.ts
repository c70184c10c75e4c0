import { writeFileSync } from 'node:fs';
import { pino } from 'pino';
import { Metrics } from '../../src/core/metrics.ts';
import { LiveSource } from '../../src/live/live.ts';
import { startLiveWorker } from '../../src/live-thread.ts';
import { Meter } from '../../src/meter/meter.ts';
import type { FlowObject } from '../../src/model/flow-fields.ts';
import { FlowFormatter } from '../../src/model/flow-json.ts';
import { Names } from '../../src/model/names.ts';
import type { PacketRows } from '../../src/model/packet-rows.ts';

/** Captures an interface through the ring, decoder and meter until SIGTERM; then writes what it got. */
const [device, workers, filter, output, stallMs = '0'] = process.argv.slice(2);
const metrics = new Metrics();
const names = new Names();
const flows: FlowObject[] = [];
const format = new FlowFormatter(names);
const meter = new Meter(
  { slices: false, idleTimeoutUs: 600e6, activeTimeoutUs: 600e6 },
  {
    metrics,
    onSlices: () => {},
    onRecords: (batch) => {
      for (let n = 0; n < batch.length && flows.length < 200_000; n++) flows.push(format.object(batch, n));
    },
  },
);
let packets = 0;
let firstMs = 0;
let lastMs = 0;
let cpu = process.cpuUsage();
const intake = {
  packets() {},
  rows(rows: PacketRows): void {
    if (packets === 0) {
      firstMs = performance.now();
      cpu = process.cpuUsage();
    }
    packets += rows.length;
    lastMs = performance.now();
    meter.add(rows);
  },
  flows() {},
  series() {},
};
const source = new LiveSource(
  {
    name: 'live',
    type: 'live',
    interface: device,
    filter,
    workers: Number(workers),
    promiscuous: true,
    timestamps: 'kernel',
    fallback: false,
  },
  {
    names,
    folders: [],
    start: startLiveWorker,
    metrics,
    logger: pino({ level: 'warn' }),
    fallback: () => {
      throw new Error('no fallback here');
    },
  },
);
const drain = (): void => {
  while (source.poll(intake, 1 << 16));
};
await source.start(drain);
process.stdout.write('ready\n');
if (Number(stallMs) > 0) setInterval(stand, 1000);
process.on('SIGTERM', () => setTimeout(finish, 1200));

/** What a checkpoint, or a window with many keys, does to the thread that the engine runs on. */
function stand(): void {
  for (const endMs = performance.now() + Number(stallMs); performance.now() < endMs; );
}

async function finish(): Promise<void> {
  drain();
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (lastMs - firstMs) / 1000;
  const status = source.status();
  await source.stop();
  meter.end();
  const result = { packets, seconds, cpuSeconds: (user + system) / 1e6, flows, counters: metrics.snapshot(), status };
  writeFileSync(output, JSON.stringify(result));
  process.exit(0);
}
