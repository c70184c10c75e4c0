import { Metrics } from '../../src/core/metrics.ts';
import { Decoder } from '../../src/decode/decode.ts';
import { Meter } from '../../src/meter/meter.ts';
import { Names } from '../../src/model/names.ts';
import { PacketRows } from '../../src/model/packet-rows.ts';
import { BATCH, fill, framesBatch } from '../perf/bench/frames.ts';

/** Decodes and meters packets of flows that take turns; prints the bytes of heap that the last million took. */
const WARM_UP = 1 << 19;
const MEASURED = 1 << 20;

const names = new Names();
const metrics = new Metrics();
const meter = new Meter({}, { metrics, names, onSlices: () => {}, onRecords: () => {} });
const decoder = new Decoder({ names }, { metrics });
const rows = new PacketRows(128);
rows.lean = true;
const batch = framesBatch();

function run(from: number, to: number): void {
  for (let packet = from; packet < to; packet += BATCH) {
    fill(batch, packet, BATCH, 5000);
    for (let at = 0; at < batch.length; ) {
      at += decoder.decode(batch, at, batch.length, rows);
      meter.add(rows);
    }
  }
}

run(0, WARM_UP);
globalThis.gc?.();
const before = process.memoryUsage().heapUsed;
run(WARM_UP, WARM_UP + MEASURED);
const bytes = process.memoryUsage().heapUsed - before;
console.log(JSON.stringify({ packets: MEASURED, bytes, slices: meter.sliceCount }));
