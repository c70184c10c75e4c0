import { Metrics } from '../../src/core/metrics.ts';
import { Decoder } from '../../src/decode/decode.ts';
import { Meter } from '../../src/meter/meter.ts';
import { createFlowBatch, type FlowBatch } from '../../src/model/flow-batch.ts';
import type { Names } from '../../src/model/names.ts';
import { PacketBatch } from '../../src/model/packet-batch.ts';
import { PacketRows } from '../../src/model/packet-rows.ts';
import { openCapture } from '../../src/source/source.ts';

/** A batch of slices, and the watermark after it. */
export interface Step {
  batch: FlowBatch;
  watermarkUs: number;
}

const BOUND_US = 3e6;

/** All slices of a capture, in the meter's batches. */
export async function slicesOf(path: string, names: Names): Promise<Step[]> {
  const steps: Step[] = [];
  const metrics = new Metrics();
  const meter = new Meter({ records: false }, { metrics, names, onSlices: keep, onRecords: () => {} });
  function keep(batch: FlowBatch): void {
    steps.push({ batch: copyOf(batch), watermarkUs: meter.maxEventUs - BOUND_US });
  }
  await meterCapture(path, meter, { names, metrics });
  return steps;
}

/** A whole capture, decoded, through a meter to its end. */
export async function meterCapture(
  path: string,
  meter: Meter,
  deps: { names: Names; metrics: Metrics },
): Promise<void> {
  const { names, metrics } = deps;
  const decoder = new Decoder({ names }, { metrics });
  const reader = openCapture(path);
  const packets = new PacketBatch();
  const rows = new PacketRows();
  for (;;) {
    const answer = reader.read(packets);
    if (!(typeof answer === 'boolean' ? answer : await answer)) break;
    for (let at = 0; at < packets.length; ) {
      at += decoder.decode(packets, at, packets.length, rows);
      meter.add(rows);
    }
  }
  meter.end();
}

/** Column by column, which is fast enough for millions of slices. */
function copyOf(batch: FlowBatch): FlowBatch {
  const copy = createFlowBatch(batch.length);
  copy.length = batch.length;
  for (const name of Object.keys(batch) as (keyof FlowBatch)[]) {
    const from: unknown = batch[name];
    const to = copy[name] as Int32Array;
    if (ArrayBuffer.isView(from)) to.set((from as Int32Array).subarray(0, to.length));
  }
  return copy;
}
