import type { InputError } from '../core/errors.ts';
import { PacketBatch } from '../model/packet-batch.ts';
import type { CaptureInfo } from '../model/packet-reader.ts';
import type { PlacedReader } from './capture-reader.ts';

/** What one pass over an input learns of its times. */
export interface Scan {
  packets: number;
  wireBytes: number;
  /** Time of the first packet that has one, microseconds; NaN when none has. */
  firstUs: number;
  /** Earliest and latest; NaN when no packet has a time. */
  minUs: number;
  maxUs: number;
  /** The furthest that a packet lies behind an earlier one. */
  disorderUs: number;
  info: CaptureInfo;
  error: InputError | null;
}

/** Reads the input to its end. `enough` ends the pass early (then the counts are of what was read). */
export async function scan(reader: PlacedReader, batch: PacketBatch, enough: (scan: Scan) => boolean): Promise<Scan> {
  const found: Scan = {
    packets: 0,
    wireBytes: 0,
    firstUs: Number.NaN,
    minUs: Number.POSITIVE_INFINITY,
    maxUs: Number.NEGATIVE_INFINITY,
    disorderUs: 0,
    info: reader.info,
    error: null,
  };
  for (let more = reader.read(batch); typeof more === 'boolean' ? more : await more; more = reader.read(batch)) {
    look(batch, found);
    if (enough(found)) break;
  }
  found.info = reader.info;
  found.error = reader.error;
  if (Number.isNaN(found.firstUs)) found.minUs = found.maxUs = Number.NaN;
  return found;
}

/** The hot loop of the first pass. A packet without a time compares false with everything, and so is left out. */
function look(batch: PacketBatch, found: Scan): void {
  const { length, timeUs, wireLength } = batch;
  let { minUs, maxUs, disorderUs } = found;
  let bytes = 0;
  for (let i = 0; i < length; i++) {
    const time = timeUs[i];
    bytes += wireLength[i];
    if (time >= maxUs) maxUs = time;
    else if (maxUs - time > disorderUs) disorderUs = maxUs - time;
    if (time < minUs) minUs = time;
  }
  if (Number.isNaN(found.firstUs))
    found.firstUs = timeUs.subarray(0, length).find((time) => time >= minUs) ?? Number.NaN;
  found.packets += length;
  found.wireBytes += bytes;
  found.minUs = minUs;
  found.maxUs = maxUs;
  found.disorderUs = disorderUs;
}

/** True when no packet lies further than `boundUs` behind an earlier one. Stops at the first that does. */
export async function isInOrder(reader: PlacedReader, boundUs: number): Promise<boolean> {
  const { disorderUs } = await scan(reader, new PacketBatch(), (found) => found.disorderUs > boundUs);
  return disorderUs <= boundUs;
}
