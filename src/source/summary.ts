import type { InputError } from '../core/errors.ts';
import { formatTime } from '../core/time.ts';
import { PacketBatch } from '../model/packet-batch.ts';
import type { CaptureInfo, PacketReader } from '../model/packet-reader.ts';

/** What is in a capture, as `weir stats --json` prints it. */
export interface CaptureSummary {
  file: string;
  format: CaptureInfo['format'];
  byteOrder: CaptureInfo['byteOrder'];
  linkTypes: string[];
  interfaces: number;
  packets: number;
  /** Bytes of packets that the capture holds. */
  capturedBytes: number;
  /** Bytes that these packets had on the wire, as their records say. */
  wireBytes: number;
  /** ISO 8601 UTC with the capture's own digits: the earliest and the latest packet. */
  firstTime: string | null;
  lastTime: string | null;
  drops: number | null;
  error: InputError | null;
}

interface Totals {
  packets: number;
  capturedBytes: number;
  wireBytes: number;
  minUs: number;
  minNanos: number;
  maxUs: number;
  maxNanos: number;
}

/** Reads a capture to its end. `progress` is told after each batch how many packets there are so far. */
export async function summarize(
  reader: PacketReader,
  progress: (packets: number) => void = () => {},
): Promise<CaptureSummary> {
  const batch = new PacketBatch();
  const totals: Totals = {
    packets: 0,
    capturedBytes: 0,
    wireBytes: 0,
    minUs: Number.POSITIVE_INFINITY,
    minNanos: 0,
    maxUs: Number.NEGATIVE_INFINITY,
    maxNanos: 0,
  };
  for (let more = reader.read(batch); typeof more === 'boolean' ? more : await more; more = reader.read(batch)) {
    add(batch, totals);
    progress(totals.packets);
  }
  reader.close();
  return describe(reader, totals);
}

/** The hot loop. Packets without a time compare false with every other. */
function add(batch: PacketBatch, totals: Totals): void {
  const { length, timeUs, nanos, capturedLength, wireLength } = batch;
  let { minUs, minNanos, maxUs, maxNanos, capturedBytes, wireBytes } = totals;
  for (let i = 0; i < length; i++) {
    capturedBytes += capturedLength[i];
    wireBytes += wireLength[i];
    const time = timeUs[i];
    if (time < minUs || (time === minUs && nanos[i] < minNanos)) {
      minUs = time;
      minNanos = nanos[i];
    }
    if (time > maxUs || (time === maxUs && nanos[i] > maxNanos)) {
      maxUs = time;
      maxNanos = nanos[i];
    }
  }
  Object.assign(totals, { minUs, minNanos, maxUs, maxNanos, capturedBytes, wireBytes });
  totals.packets += length;
}

function describe(reader: PacketReader, totals: Totals): CaptureSummary {
  const { info } = reader;
  const timed = totals.minUs <= totals.maxUs;
  return {
    file: reader.name,
    format: info.format,
    byteOrder: info.byteOrder,
    linkTypes: info.linkTypes,
    interfaces: info.interfaces,
    packets: totals.packets,
    capturedBytes: totals.capturedBytes,
    wireBytes: totals.wireBytes,
    firstTime: timed ? formatTime(totals.minUs, totals.minNanos, info.timeDigits) : null,
    lastTime: timed ? formatTime(totals.maxUs, totals.maxNanos, info.timeDigits) : null,
    drops: info.drops,
    error: reader.error,
  };
}
