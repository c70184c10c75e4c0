import { PacketBatch } from '../model/packet-batch.ts';
import type { OrderedSource } from './ordered-source.ts';
import type { PacketRun } from './packet-stream.ts';

/** An open source with its present batch. */
class Lane {
  readonly source: OrderedSource;
  /** Position among the sources: it decides between packets of one time. */
  readonly rank: number;
  readonly batch: PacketBatch;
  at = 0;

  constructor(source: OrderedSource, rank: number, capacity: number) {
    this.source = source;
    this.rank = rank;
    this.batch = new PacketBatch(capacity);
  }

  get headUs(): number {
    return this.batch.timeUs[this.at];
  }

  isBefore(other: Lane): boolean {
    const mine = this.batch.timeUs[this.at];
    const theirs = other.batch.timeUs[other.at];
    if (mine !== theirs) return mine < theirs;
    const nanos = this.batch.nanos[this.at] - other.batch.nanos[other.at];
    return nanos === 0 ? this.rank < other.rank : nanos < 0;
  }
}

/**
 * Merges sources by time, each in its own order; equal times go by rank. A source is opened when the stream comes to
 * its start, so that files one after the other take one handle.
 */
export class MergedStream {
  /** Sources in the order of their start; more may be added behind while it is read. */
  readonly #sources: readonly OrderedSource[];
  readonly #capacity: number;
  /** Open lanes as a binary heap, the one with the earliest head first. */
  readonly #heap: Lane[] = [];
  #opened = 0;
  /** The lane whose packets were given last: its head has moved. */
  #current: Lane | null = null;

  constructor(sources: readonly OrderedSource[], capacity: number) {
    this.#sources = sources;
    this.#capacity = capacity;
  }

  /** Sources whose start has not come yet. */
  get unopened(): number {
    return this.#sources.length - this.#opened;
  }

  next(): PacketRun | null | Promise<PacketRun | null> {
    const settled = this.#settle();
    if (settled !== undefined) return settled.then(() => this.next());
    while (this.#mustOpen()) {
      const opening = this.#open();
      if (opening !== undefined) return opening.then(() => this.next());
    }
    if (this.#heap.length === 0) return null;
    return this.#run(this.#heap[0]);
  }

  /** Brings the lane that was read from back into order, refilled when it was empty. */
  #settle(): undefined | Promise<void> {
    const lane = this.#current;
    if (lane === null) return;
    this.#current = null;
    if (lane.at < lane.batch.length) {
      this.#sink();
      return;
    }
    const more = lane.source.read(lane.batch);
    if (typeof more !== 'boolean') return more.then((some) => this.#refilled(lane, some));
    this.#refilled(lane, more);
  }

  #refilled(lane: Lane, more: boolean): void {
    lane.at = 0;
    if (more) {
      this.#sink();
      return;
    }
    const last = this.#heap.pop()!;
    if (last === lane) return;
    this.#heap[0] = last;
    this.#sink();
  }

  #mustOpen(): boolean {
    if (this.#opened === this.#sources.length) return false;
    return this.#heap.length === 0 || this.#sources[this.#opened].startUs <= this.#heap[0].headUs;
  }

  #open(): undefined | Promise<void> {
    const lane = new Lane(this.#sources[this.#opened], this.#opened, this.#capacity);
    this.#opened++;
    const more = lane.source.read(lane.batch);
    if (typeof more !== 'boolean') return more.then((some) => this.#add(lane, some));
    this.#add(lane, more);
  }

  #add(lane: Lane, some: boolean): void {
    if (!some) return;
    const heap = this.#heap;
    let at = heap.push(lane) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!lane.isBefore(heap[parent])) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = lane;
  }

  /** Moves the first lane down to its place. */
  #sink(): void {
    const heap = this.#heap;
    const lane = heap[0];
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1].isBefore(heap[child])) child++;
      if (lane.isBefore(heap[child])) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = lane;
  }

  /** Packets of the first lane up to the head of the next one, or to the start of a source not yet open. */
  #run(lane: Lane): PacketRun {
    const { batch, at: from } = lane;
    const rival = this.#rival();
    const startUs =
      this.#opened < this.#sources.length ? this.#sources[this.#opened].startUs : Number.POSITIVE_INFINITY;
    if (rival === null && startUs === Number.POSITIVE_INFINITY) lane.at = batch.length;
    else {
      lane.at++;
      while (lane.at < batch.length && lane.headUs < startUs && (rival === null || lane.isBefore(rival))) lane.at++;
    }
    this.#current = lane;
    return { batch, from, to: lane.at, source: lane.rank };
  }

  #rival(): Lane | null {
    const heap = this.#heap;
    if (heap.length < 3) return heap[1] ?? null;
    return heap[2].isBefore(heap[1]) ? heap[2] : heap[1];
  }
}
