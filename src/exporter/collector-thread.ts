import type { Worker } from 'node:worker_threads';
import { messageOf, WeirError } from '../core/errors.ts';
import type { Counter, Metrics } from '../core/metrics.ts';
import { createFlowBatch, type FlowBatch } from '../model/flow-batch.ts';
import { createFlowRing, FlowRingReader } from '../model/flow-ring.ts';
import { NameMap } from '../model/name-feed.ts';
import type { Names } from '../model/names.ts';
import {
  CONTROL_WORDS,
  type CollectorWorkerData,
  ENTRY,
  MOST_COUNTERS,
  REQUESTED,
  STOPPED,
  TAKEN,
} from './collector-memory.ts';
import type { CollectorOptions } from './collector-options.ts';
import type { ExporterStatus } from './exporter-status.ts';
import type { Library } from './native-library.ts';
import type { SeriesSink } from './sflow.ts';
import type { TakingPorts } from './taking.ts';

/** Rows of a batch between the threads: small enough for a processor's nearest caches. */
const ROWS = 1024;
const EFD_NONBLOCK = 0o4000;
const EFD_CLOEXEC = 0o2000000;
/** A thread that does not say in this time what it knows keeps a checkpoint from being written. */
const ANSWER_MS = 10_000;
const LOOK_MS = 20;

export interface ThreadDeps {
  library: Library;
  names: Names;
  metrics: Metrics;
  /** Starts a thread that runs a `CollectorLoop`. */
  startWorker(data: CollectorWorkerData): Worker;
  failed(message: string): void;
}

export interface ThreadPlace {
  options: CollectorOptions;
  fd: number;
  index: number;
  threads: number;
  share: number;
  saved: Uint8Array[];
}

/** This thread's end of one that takes and decodes datagrams. */
export class CollectorThread {
  exporters: ExporterStatus[] = [];
  readonly #deps: ThreadDeps;
  readonly #ports: TakingPorts;
  readonly #rows: FlowRingReader;
  readonly #texts: FlowRingReader;
  readonly #names: NameMap;
  readonly #control = new Int32Array(new SharedArrayBuffer(4 * CONTROL_WORDS));
  readonly #shared = new Float64Array(new SharedArrayBuffer(8 * (MOST_COUNTERS + 1)));
  readonly #worker: Worker;
  readonly #ended: Promise<unknown>;
  readonly #bell: number;
  /** This thread's counters of what the other one counts, and how far they followed. */
  #counters: Counter[] = [];
  readonly #followed = new Float64Array(MOST_COUNTERS);
  #state: Uint8Array | null = null;
  /** A checkpoint waits for the thread's state. */
  #asking = false;

  constructor(place: ThreadPlace, ports: TakingPorts, deps: ThreadDeps) {
    const [rows, texts] = [createFlowRing(ROWS), createFlowRing(ROWS)];
    this.#ports = ports;
    this.#deps = deps;
    this.#rows = new FlowRingReader(rows);
    this.#texts = new FlowRingReader(texts);
    this.#names = new NameMap(deps.names, place.share);
    this.#bell = deps.library.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    const [control, counters] = [this.#control.buffer, this.#shared.buffer] as SharedArrayBuffer[];
    this.#worker = deps.startWorker({ ...place, rows, texts, control, counters, bell: this.#bell });
    this.#ended = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#worker.on('error', (cause) => deps.failed(messageOf(cause)));
  }

  /** Resolves when the thread runs. */
  async begin(): Promise<void> {
    const failed = new Promise<never>((_, reject) => this.#worker.once('error', reject));
    failed.catch(() => {});
    while (this.#counters.length === 0) {
      if (!this.#readTexts()) await Promise.race([this.#texts.ready(), failed]);
    }
  }

  /** Datagrams that wait for their decoder. */
  get waiting(): number {
    return this.#shared[MOST_COUNTERS];
  }

  /** Whether something is there for `poll`. */
  get ready(): boolean {
    return this.#rows.waiting || this.#texts.waiting;
  }

  /** Gives what the thread has ready, about `budget` rows. @returns whether there may be more */
  poll(budget: number): boolean {
    this.follow();
    this.#readTexts();
    for (let given = 0; given < budget; ) {
      const batch = this.#next();
      if (batch === null) return false;
      given += batch.length;
      this.#ports.onFlows(batch);
    }
    return true;
  }

  /** The rows that come next, with this thread's ids; null when there are none. */
  #next(): FlowBatch | null {
    if (!this.#rows.next()) return null;
    // Names were told before the rows that carry their ids.
    this.#readTexts();
    const { batch } = this.#rows;
    this.#names.translate(batch);
    return batch;
  }

  /** @returns whether there were any */
  #readTexts(): boolean {
    const texts = this.#texts;
    let any = false;
    while (this.#state === null && texts.next()) {
      any = true;
      const text = texts.text();
      if (text !== null) this.#told(texts.kind, text);
    }
    return any;
  }

  #told(kind: number, bytes: Buffer): void {
    if (kind === ENTRY.state) this.#takeState(bytes);
    else if (kind === ENTRY.names) this.#names.learn(bytes.toString());
    else if (kind === ENTRY.status) this.exporters = JSON.parse(bytes.toString());
    else if (kind === ENTRY.counters) this.#follows(JSON.parse(bytes.toString()));
    else
      for (const reading of JSON.parse(bytes.toString()) as Parameters<SeriesSink>[]) this.#ports.onSeries(...reading);
  }

  #follows(counters: Counter[]): void {
    this.#counters = counters.map(({ name, help }) => this.#deps.metrics.counter(name, help));
  }

  /** Counts here what was counted there. */
  follow(): void {
    for (const [i, counter] of this.#counters.entries()) {
      const value = this.#shared[i];
      counter.value += value - this.#followed[i];
      this.#followed[i] = value;
    }
  }

  /**
   * What the thread goes on from, and the rows that it gave before: this thread waits for it.
   * @throws WeirError `exporter.thread`
   */
  state(rows: FlowBatch[]): Uint8Array {
    this.#asking = true;
    Atomics.add(this.#control, REQUESTED, 1);
    this.#wake();
    const endMs = performance.now() + ANSWER_MS;
    while (this.#state === null) {
      const any = this.#readTexts();
      if (this.#takeRows(rows) || any) continue;
      if (performance.now() > endMs) {
        this.#asking = false;
        throw new WeirError('exporter.thread', 'a collecting thread does not answer');
      }
      this.#texts.wait(LOOK_MS);
    }
    this.#takeRows(rows);
    const state = this.#state;
    this.#state = null;
    this.#letGo();
    this.follow();
    return state;
  }

  /** A state that nobody waits for any more is of no use. */
  #takeState(state: Uint8Array): void {
    if (this.#asking) this.#state = state;
    else this.#letGo();
  }

  /** The thread goes on. */
  #letGo(): void {
    this.#asking = false;
    Atomics.store(this.#control, TAKEN, Atomics.load(this.#control, REQUESTED));
    Atomics.notify(this.#control, TAKEN);
  }

  /** Copies the rows that are there. @returns whether there were any */
  #takeRows(rows: FlowBatch[]): boolean {
    const before = rows.length;
    for (let batch = this.#next(); batch !== null; batch = this.#next()) rows.push(copyOf(batch));
    return rows.length > before;
  }

  #wake(): void {
    Atomics.notify(this.#control, REQUESTED);
    const one = Buffer.alloc(8);
    one.writeBigUInt64LE(1n);
    this.#deps.library.write(this.#bell, one, one.length);
  }

  async stop(): Promise<void> {
    Atomics.store(this.#control, STOPPED, 1);
    this.#rows.close();
    this.#texts.close();
    this.#wake();
    await this.#ended;
    this.follow();
    this.#deps.library.close(this.#bell);
  }
}

function copyOf(batch: FlowBatch): FlowBatch {
  const copy = createFlowBatch(batch.length);
  copy.copyRows(0, batch, 0, batch.length);
  copy.length = batch.length;
  return copy;
}
