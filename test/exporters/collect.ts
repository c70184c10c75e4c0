/**
 * A collector by itself, as the daemon runs it: `node test/exporters/collect.ts PORT TYPE SECONDS [EXPECTED_RECORDS [WORKERS]]`.
 * It ends when the records have come or the time is over, and prints one JSON object: rows, packets and octets, what the
 * exporters lost by their sequence numbers, what the kernel and the queue dropped, and the processor time since the first rows.
 */
import { startCollectorWorker } from '../../src/collector-thread.ts';
import { systemClock } from '../../src/core/clock.ts';
import { createLogger } from '../../src/core/logger.ts';
import { Metrics } from '../../src/core/metrics.ts';
import { Decoder } from '../../src/decode/decode.ts';
import { createCollector, sourceOptions } from '../../src/exporter/exporter.ts';
import type { FlowBatch } from '../../src/model/flow-batch.ts';
import type { Intake } from '../../src/model/intake.ts';
import { Names } from '../../src/model/names.ts';

const [port, type, seconds, expected, workers = '1'] = process.argv.slice(2);
const schema = sourceOptions[['netflow', 'ipfix', 'sflow'].indexOf(type)];
// Captures are old, and exporters that read them are not always right about when.
const anyTime = { ahead: '10000d', age: '10000d' };
const options = schema.parse({ name: 'load', type, listen: `127.0.0.1:${port}`, workers: Number(workers), ...anyTime });
const names = new Names();
const metrics = new Metrics();
const frames = new Decoder({ names }, { metrics: new Metrics() });
const deps = { names, metrics, logger: createLogger(), clock: systemClock, frames };
const source = createCollector(options, { ...deps, startWorker: startCollectorWorker });
const total = { rows: 0, packets: 0, octets: 0 };
let sent = Number(expected ?? Number.POSITIVE_INFINITY);
let first = 0;
let begun = process.cpuUsage();
let last = 0;

const intake: Intake = {
  packets() {},
  rows() {},
  series() {},
  flows(batch: FlowBatch) {
    last = performance.now();
    if (first === 0) begun = process.cpuUsage();
    first ||= last;
    total.rows += batch.length;
    for (let n = 0; n < batch.length; n++) {
      total.packets += batch.packetDeltaCount[n];
      total.octets += batch.octetDeltaCount[n];
    }
  },
};

let scheduled = false;
function pull(): void {
  scheduled = false;
  const more = source.poll(intake, 8192);
  if (total.rows >= sent) finish();
  else if (more) wake();
}
function wake(): void {
  if (scheduled) return;
  scheduled = true;
  setImmediate(pull);
}
function finish(): void {
  sent = Number.POSITIVE_INFINITY;
  clearTimeout(timer);
  const cpu = process.cpuUsage(begun);
  source.stop().then(() => {
    const secs = (last - first) / 1000;
    const cpuSecs = (cpu.user + cpu.system) / 1e6;
    console.log(
      JSON.stringify({
        ...total,
        secs,
        rate: Math.round(total.rows / secs),
        cpuSecs,
        ...source.status(),
        metrics: metrics.snapshot(),
      }),
    );
    process.exit(0);
  });
}
const timer = setTimeout(finish, Number(seconds) * 1000);
const started = source.start(wake);
// What the kernel has by now still counts.
const LAST_MS = 1000;
process.on('SIGTERM', () => started.then(() => setTimeout(finish, LAST_MS)));
