import type { Worker } from 'node:worker_threads';
import { messageOf } from '../core/errors.ts';
import type { Counter, Metrics } from '../core/metrics.ts';
import { createFlowRing, type FlowRingMemory, FlowRingReader } from '../model/flow-ring.ts';
import { NameMap } from '../model/name-feed.ts';
import type { Names } from '../model/names.ts';
import { type PacketRows, TIME_F64 } from '../model/packet-rows.ts';
import type { RingShape } from './socket.ts';

/** Slots have room for this many flow rows, which is some thousand packets: 16 of them are on their way at most. */
const SLOT_ROWS = 2048;

/** Kinds of entries between a reading thread and the source. */
export const LIVE_ENTRY = { packets: 1, names: 2, counts: 3 } as const;

export interface LiveWorkerData {
  memory: FlowRingMemory;
  ring: RingShape;
  /** Reading threads: what `Names` of each is made with. */
  share: number;
}

/** What a thread tells each second: growth since it told before. */
export interface LiveCounts {
  restoredTags: number;
  unstamped: number;
  badBlocks: number;
  counters: Counter[];
}

export interface ReaderThreadDeps {
  names: Names;
  metrics: Metrics;
  /** Starts the thread that reads and decodes. */
  start(data: LiveWorkerData): Worker;
  counts(counts: LiveCounts): void;
  failed(message: string): void;
}

/**
 * A thread that empties one ring into decoded packets, whatever this thread does meanwhile. When this thread is behind, it
 * waits, and packets wait in the kernel's ring.
 */
export class ReaderThread {
  readonly #ring: FlowRingReader;
  readonly #names: NameMap;
  readonly #worker: Worker;
  readonly #deps: ReaderThreadDeps;
  #headUs = Number.POSITIVE_INFINITY;

  constructor(ring: RingShape, share: number, deps: ReaderThreadDeps) {
    const memory = createFlowRing(SLOT_ROWS);
    this.#deps = deps;
    this.#ring = new FlowRingReader(memory);
    this.#names = new NameMap(deps.names, share);
    this.#worker = deps.start({ memory, ring, share });
    this.#worker.on('error', (cause) => deps.failed(messageOf(cause)));
  }

  /** Event time of the packets that `take` gives; Infinity when there are none. */
  look(): number {
    while (this.#headUs === Number.POSITIVE_INFINITY && this.#ring.next()) {
      if (this.#ring.kind === LIVE_ENTRY.packets) this.#headUs = this.#ring.packets.doubles[TIME_F64];
      else this.#text(this.#ring.kind);
    }
    return this.#headUs;
  }

  /** The packets that `look` found; the thread's again at the next `look`. */
  take(): PacketRows {
    this.#headUs = Number.POSITIVE_INFINITY;
    const rows = this.#ring.packets;
    this.#names.translateRows(rows);
    return rows;
  }

  #text(kind: number): void {
    const text = this.#ring.text()?.toString();
    if (text === undefined) return;
    if (kind === LIVE_ENTRY.names) this.#names.learn(text);
    else this.#counts(JSON.parse(text) as LiveCounts);
  }

  #counts(counts: LiveCounts): void {
    for (const { name, help, value } of counts.counters) this.#deps.metrics.counter(name, help).value += value;
    this.#deps.counts(counts);
  }

  /** Resolves when the thread has ended, so that nobody reads the ring any more. */
  async stop(): Promise<void> {
    this.#ring.close();
    await this.#worker.terminate();
  }
}
