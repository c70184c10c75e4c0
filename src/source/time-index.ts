import type { PacketBatch } from '../model/packet-batch.ts';
import type { PlacedReader } from './capture-reader.ts';

/** All packets of an input by time: where they lie and what their records say, 32 bytes a packet. */
export class TimeIndex {
  length: number;
  readonly timeUs: Float64Array;
  /** Offset of the packet's bytes in the input's content. */
  readonly offset: Float64Array;
  readonly capturedLength: Uint32Array;
  readonly wireLength: Uint32Array;
  readonly nanos: Uint16Array;
  readonly ingressInterface: Uint16Array;
  /** Packets in the order of time; those of one time in the order of the file. */
  readonly order: Uint32Array;
  /** Link type of each interface. */
  readonly linkTypes = new Uint16Array(1 << 16);

  constructor(packets: number) {
    this.length = packets;
    this.timeUs = new Float64Array(packets);
    this.offset = new Float64Array(packets);
    this.capturedLength = new Uint32Array(packets);
    this.wireLength = new Uint32Array(packets);
    this.nanos = new Uint16Array(packets);
    this.ingressInterface = new Uint16Array(packets);
    this.order = new Uint32Array(packets);
  }
}

/** Reads the whole input into an index of at most `packets` packets. Packets without a time take the one before. */
export async function buildIndex(
  reader: PlacedReader,
  batch: PacketBatch,
  packets: number,
  firstUs: number,
): Promise<TimeIndex> {
  const index = new TimeIndex(packets);
  let at = 0;
  let lastUs = firstUs;
  while (at < packets && (await reader.read(batch))) {
    const count = Math.min(batch.length, packets - at);
    for (let i = 0; i < count; i++, at++) {
      if (batch.timeUs[i] >= Number.NEGATIVE_INFINITY) lastUs = batch.timeUs[i];
      index.timeUs[at] = lastUs;
      index.offset[at] = reader.base + batch.offset[i];
      index.linkTypes[batch.ingressInterface[i]] = batch.linkType[i];
    }
    index.capturedLength.set(batch.capturedLength.subarray(0, count), at - count);
    index.wireLength.set(batch.wireLength.subarray(0, count), at - count);
    index.nanos.set(batch.nanos.subarray(0, count), at - count);
    index.ingressInterface.set(batch.ingressInterface.subarray(0, count), at - count);
  }
  index.length = at;
  sortByTime(index, at);
  return index;
}

/** Merges the runs that are in order already, two by two, until one is left: stable, and quick for a few runs. */
function sortByTime(index: TimeIndex, length: number): void {
  let from = index.order.subarray(0, length);
  for (let i = 0; i < length; i++) from[i] = i;
  let runs = findRuns(index, length);
  let to = runs.length > 2 ? new Uint32Array(length) : from;
  while (runs.length > 2) {
    const merged = [0];
    for (let r = 0; r + 1 < runs.length; r += 2) {
      const end = runs[Math.min(r + 2, runs.length - 1)];
      mergeRuns(index, from, to, runs[r], runs[r + 1], end);
      merged.push(end);
    }
    runs = merged;
    [from, to] = [to, from];
  }
  if (from.buffer !== index.order.buffer) index.order.set(from);
}

/** Where runs in order begin, and the end of the last one. */
function findRuns(index: TimeIndex, length: number): number[] {
  const runs = [0];
  for (let i = 1; i < length; i++) if (isBefore(index, i, i - 1)) runs.push(i);
  runs.push(length);
  return runs;
}

function isBefore(index: TimeIndex, a: number, b: number): boolean {
  const { timeUs, nanos } = index;
  return timeUs[a] < timeUs[b] || (timeUs[a] === timeUs[b] && nanos[a] < nanos[b]);
}

function mergeRuns(
  index: TimeIndex,
  from: Uint32Array,
  to: Uint32Array,
  left: number,
  right: number,
  end: number,
): void {
  let a = left;
  let b = right;
  for (let k = left; k < end; k++) {
    const takeRight = b < end && (a >= right || isBefore(index, from[b], from[a]));
    to[k] = takeRight ? from[b++] : from[a++];
  }
}
