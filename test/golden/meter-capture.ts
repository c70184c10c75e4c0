import { Metrics } from '../../src/core/metrics.ts';
import { Decoder } from '../../src/decode/decode.ts';
import { Meter } from '../../src/meter/meter.ts';
import type { FlowObject } from '../../src/model/flow-fields.ts';
import { FlowFormatter } from '../../src/model/flow-json.ts';
import { Names } from '../../src/model/names.ts';
import { PacketBatch } from '../../src/model/packet-batch.ts';
import { PacketRows } from '../../src/model/packet-rows.ts';
import { openCapture, type ReaderName } from '../../src/source/source.ts';

/** Longer than any case, so that no flow is cut where another tool would not cut it. */
const NEVER_US = 10 * 365 * 86400e6;

/** Flow records of one capture. */
export async function meterCapture(path: string): Promise<FlowObject[]> {
  return (await meterWhole(path)).flows;
}

export interface Metered {
  flows: FlowObject[];
  packets: number;
  wireBytes: number;
  /** Code of what is wrong with the capture. */
  error: string | null;
}

/** Flow records of one capture, and how much was read for them. */
export async function meterWhole(path: string, readerName?: ReaderName): Promise<Metered> {
  const names = new Names();
  const metrics = new Metrics();
  const format = new FlowFormatter(names);
  const flows: FlowObject[] = [];
  const meter = new Meter(
    { slices: false, idleTimeoutUs: NEVER_US, activeTimeoutUs: NEVER_US },
    {
      metrics,
      onSlices: () => {},
      onRecords: (records) => {
        for (let n = 0; n < records.length; n++) flows.push(format.object(records, n));
      },
    },
  );
  const decoder = new Decoder({ names, maxEarlyFragments: 256 }, { metrics });
  const reader = openCapture(path, { reader: readerName });
  const batch = new PacketBatch();
  const rows = new PacketRows();
  let packets = 0;
  let wireBytes = 0;
  while (await reader.read(batch)) {
    packets += batch.length;
    for (let i = 0; i < batch.length; i++) wireBytes += batch.wireLength[i];
    for (let at = 0; at < batch.length; ) {
      at += decoder.decode(batch, at, batch.length, rows);
      meter.add(rows);
    }
  }
  reader.close();
  while (decoder.end(rows) > 0) meter.add(rows);
  meter.end();
  return { flows, packets, wireBytes, error: reader.error?.code ?? null };
}
