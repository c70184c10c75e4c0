import type { InputError } from '../core/errors.ts';
import type { PacketBatch } from '../model/packet-batch.ts';
import type { CaptureInfo, PacketReader } from '../model/packet-reader.ts';
import { BLOCK_BYTES } from './block.ts';
import type { RandomInput } from './byte-input.ts';
import type { TimeIndex } from './time-index.ts';

/** Bytes between two packets that are read along rather than stepped over. */
const MAX_GAP = 2 << 10;

/** Packets of an input in the order of its time index: groups of neighbours in time are read in the order of the file. */
export class SortedReader implements PacketReader {
  readonly name: string;
  readonly info: CaptureInfo;
  error: InputError | null;
  bytesRead = 0;
  readonly bytesTotal: number | null;
  readonly #input: RandomInput;
  readonly #index: TimeIndex;
  readonly #group: number[] = [];
  #next = 0;
  #data = new Uint8Array(BLOCK_BYTES);

  constructor(
    name: string,
    input: RandomInput,
    index: TimeIndex,
    told: { info: CaptureInfo; error: InputError | null; bytesTotal: number | null },
  ) {
    this.name = name;
    this.#input = input;
    this.#index = index;
    this.info = told.info;
    this.error = told.error;
    this.bytesTotal = told.bytesTotal;
  }

  read(batch: PacketBatch): boolean {
    batch.length = 0;
    if (this.#next >= this.#index.length) return false;
    const from = this.#next;
    this.#chooseGroup(batch.capacity);
    if (!this.#load(batch, from)) return false;
    this.#describe(batch, from);
    this.bytesRead = Math.floor(((this.bytesTotal ?? 0) * this.#next) / this.#index.length);
    return true;
  }

  /** The next packets in time that fit into a block, sorted by place. */
  #chooseGroup(capacity: number): void {
    const { order, offset, capturedLength, length } = this.#index;
    const group = this.#group;
    group.length = 0;
    let bytes = 0;
    while (this.#next < length && group.length < capacity) {
      const packet = order[this.#next];
      bytes += capturedLength[packet];
      if (bytes > BLOCK_BYTES && group.length > 0) break;
      group.push(this.#next++);
    }
    group.sort((a, b) => offset[order[a]] - offset[order[b]]);
  }

  /** Reads the group's bytes, neighbours in the file in one piece, and notes in the batch where each packet came to lie. */
  #load(batch: PacketBatch, from: number): boolean {
    const { order, offset, capturedLength } = this.#index;
    const group = this.#group;
    let used = 0;
    for (let i = 0; i < group.length; ) {
      const start = offset[order[group[i]]];
      let end = start + capturedLength[order[group[i]]];
      let j = i + 1;
      while (j < group.length && offset[order[group[j]]] - end <= MAX_GAP) {
        end = Math.max(end, offset[order[group[j]]] + capturedLength[order[group[j]]]);
        j++;
      }
      if (!this.#readPiece(used, start, end - start)) return false;
      for (; i < j; i++) batch.offset[group[i] - from] = used + offset[order[group[i]]] - start;
      used += end - start;
    }
    batch.setData(this.#data);
    return true;
  }

  #readPiece(at: number, position: number, length: number): boolean {
    if (at + length > this.#data.length) {
      const larger = new Uint8Array(Math.max(at + length, 2 * this.#data.length));
      larger.set(this.#data.subarray(0, at));
      this.#data = larger;
    }
    for (let done = 0; done < length; ) {
      const got = this.#input.readAt(this.#data, at + done, length - done, position + done);
      if (got === 0) return this.#changed(position + done);
      done += got;
    }
    return true;
  }

  #changed(offset: number): false {
    this.error ??= { code: 'capture.changed', offset, message: 'the file became shorter while it was read' };
    this.#next = this.#index.length;
    return false;
  }

  #describe(batch: PacketBatch, from: number): void {
    const { order, timeUs, capturedLength, wireLength, nanos, ingressInterface, linkTypes } = this.#index;
    batch.length = this.#next - from;
    for (let i = 0; i < batch.length; i++) {
      const packet = order[from + i];
      batch.timeUs[i] = timeUs[packet];
      batch.nanos[i] = nanos[packet];
      batch.capturedLength[i] = capturedLength[packet];
      batch.wireLength[i] = wireLength[packet];
      batch.ingressInterface[i] = ingressInterface[packet];
      batch.linkType[i] = linkTypes[ingressInterface[packet]];
    }
  }

  close(): void {
    this.#next = this.#index.length;
    this.#input.close();
  }
}
