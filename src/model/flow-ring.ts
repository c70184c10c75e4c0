import { setTimeout } from 'node:timers/promises';
import { byteSize, type FlowBatch, viewFlowBatch } from './flow-batch.ts';
import { PacketRows, ROW } from './packet-rows.ts';

/** Shared memory of a ring: plain buffers, so that it can be handed to another thread. */
export interface FlowRingMemory {
  rows: number;
  /** Five words of state, then two an entry: its kind, and the length of what it carries. */
  control: SharedArrayBuffer;
  values: SharedArrayBuffer;
  /** One piece of memory, of which pages are used only when they are written to: many small ones are filled with zeros first. */
  slots: SharedArrayBuffer;
}

/** Entries and slots that were written or read so far, modulo 2^32. */
const WRITTEN = 0;
const READ = 1;
const SLOTS_READ = 2;
const CLOSED = 3;
/** How often the reader waits to be told of an entry. */
const READER_WAITS = 4;
const ENTRY = 5;
const ENTRIES = 1024;
const SLOTS = 16;
/**
 * To wake another thread costs this one tens of microseconds, and it would be woken for each batch. So a writer, and a reader
 * that need not answer at once, look again by themselves after this many milliseconds; only who has waited for long is told.
 */
const LOOK_MS = 1;
const LOOKS = 50;
/** Length of an entry that carries nothing; others carry their slot's rows or bytes. */
const BARE = -1;

/** Memory for batches of `rows` rows: `slots` batches or texts and 1,024 entries may be on their way. */
export function createFlowRing(rows = 1024, slots = SLOTS): FlowRingMemory {
  return {
    rows,
    control: new SharedArrayBuffer(4 * (ENTRY + 2 * ENTRIES)),
    values: new SharedArrayBuffer(8 * ENTRIES),
    slots: new SharedArrayBuffer(slots * slotBytes(rows)),
  };
}

/**
 * The writing end: entries of a kind, with a number, rows or a text, reach the other thread in the order in which they
 * were written. A full ring blocks the writing thread, which is the back-pressure.
 */
export class FlowRingWriter {
  readonly #control: Int32Array;
  readonly #values: Float64Array;
  readonly #slots: FlowBatch[];
  readonly #bytes: Uint8Array[];
  readonly #packets: PacketRows[];
  #slotsWritten = 0;

  constructor(memory: FlowRingMemory) {
    this.#control = new Int32Array(memory.control);
    this.#values = new Float64Array(memory.values);
    ({ batches: this.#slots, bytes: this.#bytes, packets: this.#packets } = viewsOf(memory));
  }

  /** The reader has gone: nothing that is written will be read. */
  get closed(): boolean {
    return Atomics.load(this.#control, CLOSED) !== 0;
  }

  mark(kind: number, value: number): void {
    this.#publish(kind, value, BARE);
  }

  /** A batch in the ring itself, to be filled and published; nothing else with a slot may be written before that. */
  claim(): FlowBatch {
    const batch = this.#slots[this.#freeSlot()];
    batch.length = 0;
    return batch;
  }

  /** Publishes the batch that was claimed. */
  publish(kind: number, { length }: FlowBatch): void {
    this.#slotsWritten++;
    this.#publish(kind, 0, length);
  }

  /** Copies the rows of a batch of the ring's capacity. */
  rows(kind: number, batch: FlowBatch): void {
    this.#slots[this.#freeSlot()].copyAll(batch);
    this.#slotsWritten++;
    this.#publish(kind, 0, batch.length);
  }

  /** Copies decoded packets, at most `packetRoom` of them. */
  packets(kind: number, rows: PacketRows): void {
    const slot = this.#packets[this.#freeSlot()];
    slot.words.set(rows.words.subarray(0, rows.length * ROW));
    this.#slotsWritten++;
    this.#publish(kind, 0, rows.length);
  }

  /** Batches or texts that can be written without waiting. */
  get free(): number {
    return SLOTS - ((this.#slotsWritten - Atomics.load(this.#control, SLOTS_READ)) | 0);
  }

  /** Packets that one entry has room for. */
  get packetRoom(): number {
    return this.#packets[0].capacity;
  }

  /** Sleeps for at most so long; at once when the reader has gone. */
  sleep(ms: number): void {
    if (!this.closed) Atomics.wait(this.#control, CLOSED, 0, ms);
  }

  /** A text of any length, in as many entries as it takes; the value of each says how many bytes come after it. */
  text(kind: number, text: string): void {
    this.bytes(kind, new TextEncoder().encode(text));
  }

  /** Bytes in the same way. */
  bytes(kind: number, bytes: Uint8Array): void {
    let at = 0;
    do {
      const room = this.#bytes[this.#freeSlot()];
      const part = bytes.subarray(at, at + room.length);
      room.set(part);
      at += part.length;
      this.#slotsWritten++;
      this.#publish(kind, bytes.length - at, part.length);
    } while (at < bytes.length);
  }

  #freeSlot(): number {
    this.#waitFor(SLOTS_READ, this.#slotsWritten, this.#slots.length);
    return this.#slotsWritten % this.#slots.length;
  }

  #publish(kind: number, value: number, length: number): void {
    const control = this.#control;
    const written = control[WRITTEN];
    this.#waitFor(READ, written, ENTRIES);
    const entry = written & (ENTRIES - 1);
    control[ENTRY + 2 * entry] = kind;
    control[ENTRY + 2 * entry + 1] = length;
    this.#values[entry] = value;
    Atomics.add(control, WRITTEN, 1);
    if (Atomics.load(control, READER_WAITS) !== 0) Atomics.notify(control, WRITTEN);
  }

  #waitFor(word: number, written: number, room: number): void {
    const control = this.#control;
    for (let read = Atomics.load(control, word); ((written - read) | 0) >= room && !this.closed; ) {
      Atomics.wait(control, word, read, LOOK_MS);
      read = Atomics.load(control, word);
    }
  }
}

/** The reading end. `next`, use the entry, then `next` again: the entry's room is the writer's from then on. */
export class FlowRingReader {
  /** Of the entry that `next` found. */
  kind = 0;
  value = 0;
  readonly #control: Int32Array;
  readonly #values: Float64Array;
  readonly #slots: FlowBatch[];
  readonly #bytes: Uint8Array[];
  readonly #packets: PacketRows[];
  readonly #pieces: Uint8Array[] = [];
  #length = BARE;
  #held = false;

  constructor(memory: FlowRingMemory) {
    this.#control = new Int32Array(memory.control);
    this.#values = new Float64Array(memory.values);
    ({ batches: this.#slots, bytes: this.#bytes, packets: this.#packets } = viewsOf(memory));
  }

  /** Whether `next` has something to find. */
  get waiting(): boolean {
    const past = this.#held ? 1 : 0;
    return Atomics.load(this.#control, WRITTEN) !== ((this.#control[READ] + past) | 0);
  }

  /** Goes to the next entry; false when there is none yet. */
  next(): boolean {
    this.#release();
    const control = this.#control;
    const read = control[READ];
    if (Atomics.load(control, WRITTEN) === read) return false;
    const entry = read & (ENTRIES - 1);
    this.kind = control[ENTRY + 2 * entry];
    this.value = this.#values[entry];
    this.#length = control[ENTRY + 2 * entry + 1];
    this.#held = true;
    return true;
  }

  /** The entry's rows: a view that the writer fills anew after the next `next`. */
  get batch(): FlowBatch {
    const batch = this.#slots[this.#slot];
    batch.length = this.#length;
    return batch;
  }

  /** The entry's packets: a view, too. */
  get packets(): PacketRows {
    const rows = this.#packets[this.#slot];
    rows.length = this.#length;
    return rows;
  }

  /** The entry's piece of a text. */
  get bytes(): Uint8Array {
    return this.#bytes[this.#slot].slice(0, this.#length);
  }

  /** The text of which this entry brings the last piece; null while more of it comes. To be called once an entry. */
  text(): Buffer | null {
    this.#pieces.push(this.bytes);
    return this.value > 0 ? null : Buffer.concat(this.#pieces.splice(0));
  }

  /** Resolves when there may be an entry. */
  async ready(): Promise<void> {
    this.#release();
    for (let look = 0; look < LOOKS; look++) {
      await setTimeout(LOOK_MS);
      if (this.waiting) return;
    }
    Atomics.add(this.#control, READER_WAITS, 1);
    const waiting = Atomics.waitAsync(this.#control, WRITTEN, this.#control[READ]);
    await waiting.value;
    Atomics.sub(this.#control, READER_WAITS, 1);
  }

  /** Blocks this thread until there may be an entry, or for so long. */
  wait(ms: number): void {
    this.#release();
    Atomics.add(this.#control, READER_WAITS, 1);
    Atomics.wait(this.#control, WRITTEN, this.#control[READ], ms);
    Atomics.sub(this.#control, READER_WAITS, 1);
  }

  /** Lets the writer go on without a reader. */
  close(): void {
    Atomics.store(this.#control, CLOSED, 1);
    Atomics.notify(this.#control, CLOSED);
  }

  get #slot(): number {
    return (this.#control[SLOTS_READ] >>> 0) % this.#slots.length;
  }

  #release(): void {
    if (!this.#held) return;
    this.#held = false;
    if (this.#length !== BARE) Atomics.add(this.#control, SLOTS_READ, 1);
    Atomics.add(this.#control, READ, 1);
  }
}

/** Bytes of a slot: a batch, up to the end of a cache line. */
const slotBytes = (rows: number): number => 64 * Math.ceil(byteSize(rows) / 64);

/** Each slot as what may be in it: rows, bytes, packets. */
function viewsOf({ rows, slots }: FlowRingMemory): {
  batches: FlowBatch[];
  bytes: Uint8Array[];
  packets: PacketRows[];
} {
  const bytes = slotBytes(rows);
  const starts = Array.from({ length: slots.byteLength / bytes }, (_, slot) => slot * bytes);
  return {
    batches: starts.map((start) => viewFlowBatch(slots, rows, start)),
    bytes: starts.map((start) => new Uint8Array(slots, start, bytes)),
    packets: starts.map((start) => new PacketRows(Math.floor(bytes / (4 * ROW)), slots, start)),
  };
}
