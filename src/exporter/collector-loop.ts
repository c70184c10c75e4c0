import type { Counter, Metrics } from '../core/metrics.ts';
import { StateReader, StateWriter } from '../core/state.ts';
import type { FlowBatch } from '../model/flow-batch.ts';
import { FlowRingWriter } from '../model/flow-ring.ts';
import { NameFeed } from '../model/name-feed.ts';
import type { Names } from '../model/names.ts';
import { type CollectorWorkerData, ENTRY, MOST_COUNTERS, REQUESTED, STOPPED, TAKEN } from './collector-memory.ts';
import { Decoding } from './decoding.ts';
import type { FrameDecoder } from './frames.ts';
import { MessageReceiver, type Receiver, SLOTS } from './message-receiver.ts';
import { loadLibrary } from './native-library.ts';
import type { SeriesSink } from './sflow.ts';
import { spreadOf } from './spread.ts';

/** Slots of the ring that one datagram may fill, or nearly; with fewer it waits in the queue. */
const ROOM = 4;
/** Records that are decoded before the socket has its turn. */
const BUDGET = 4096;
/** The socket is emptied once for all that comes in this time: waking up costs more than a datagram. */
const PAUSE_MS = 1;
const IDLE_MS = 250;
const FULL_MS = 1;
const TELL_MS = 1000;
/** Rows wait for others this long. */
const FLUSH_MS = 100;

/** What the thread has beside its data. */
export interface LoopDeps {
  names: Names;
  metrics: Metrics;
  frames: FrameDecoder;
}

/**
 * A collector on a thread of its own: datagrams are taken as soon as they come and decoded as far as the ring to the
 * engine has room; what it has no room for waits in the queue, and what that has none for is dropped and counted.
 */
export class CollectorLoop {
  readonly #data: CollectorWorkerData;
  readonly #control: Int32Array;
  readonly #shared: Float64Array;
  readonly #ring: FlowRingWriter;
  readonly #texts: FlowRingWriter;
  readonly #feed: NameFeed;
  readonly #counters: readonly Counter[];
  readonly #series: Parameters<SeriesSink>[] = [];
  readonly #decoding: Decoding;
  readonly #receiver: MessageReceiver;
  readonly #library = loadLibrary();
  readonly #ringing = Buffer.alloc(8);
  #answered = 0;
  #timeUs = 0;
  #told = 0;
  #toldMs = 0;
  #flushedMs = 0;

  constructor(data: CollectorWorkerData, { names, metrics, frames }: LoopDeps) {
    this.#data = data;
    this.#control = new Int32Array(data.control);
    this.#shared = new Float64Array(data.counters);
    this.#ring = new FlowRingWriter(data.rows);
    this.#texts = new FlowRingWriter(data.texts);
    this.#feed = new NameFeed(names);
    this.#receiver = new MessageReceiver(this.#library, data.fd, data.bell);
    this.#decoding = new Decoding(data.options, {
      names,
      metrics,
      frames,
      batches: () => this.#ring.claim(),
      onFlows: (batch) => this.#rows(batch),
      onSeries: (...reading) => void this.#series.push(reading),
    });
    this.#counters = metrics.all();
    for (const part of data.saved) this.#decoding.restore(new StateReader(part), this.#isMine);
    this.#texts.text(ENTRY.counters, JSON.stringify(this.#counters));
    this.#tell();
  }

  readonly #isMine = (sender: string): boolean => spreadOf(sender, this.#data.threads) === this.#data.index;

  /** Until it is told to stop. */
  run(): void {
    const control = this.#control;
    while (Atomics.load(control, STOPPED) === 0 && !this.#ring.closed) {
      if (Atomics.load(control, REQUESTED) !== this.#answered) this.#answer();
      this.#turn();
    }
  }

  #turn(): void {
    const { queue } = this.#decoding;
    const nowMs = Date.now();
    this.#timeUs = nowMs * 1000;
    const taken = this.#receiver.read(this.#take);
    if (queue.length > 0 && this.#ring.free > ROOM) this.#decoding.run(BUDGET);
    if (taken === 0 || nowMs - this.#flushedMs >= FLUSH_MS) this.#flush(nowMs);
    this.#publish();
    if (nowMs - this.#toldMs >= TELL_MS) this.#tell();
    if (taken === SLOTS || (queue.length > 0 && this.#ring.free > ROOM)) return;
    if (queue.length > 0) this.#sleep(FULL_MS);
    else if (taken > 0) this.#sleep(PAUSE_MS);
    else this.#wait();
  }

  readonly #take: Receiver = (data, from, to, address, port) => {
    const { decoder, queue } = this.#decoding;
    if (queue.length === 0 && this.#ring.free > ROOM) decoder.decode(data, from, to, address, port, this.#timeUs);
    else this.#decoding.push(data, from, to, address, port, this.#timeUs);
  };

  #flush(nowMs: number): void {
    this.#flushedMs = nowMs;
    // Without room all stays where it is: the socket has to be emptied.
    if (this.#ring.free > ROOM) this.#give();
  }

  #give(): void {
    this.#decoding.decoder.flush();
    if (this.#series.length > 0 && this.#texts.free > ROOM)
      this.#texts.text(ENTRY.series, JSON.stringify(this.#series.splice(0)));
  }

  #rows(batch: FlowBatch): void {
    const fresh = this.#feed.fresh();
    if (fresh !== null) this.#texts.text(ENTRY.names, fresh);
    this.#ring.publish(ENTRY.rows, batch);
  }

  #sleep(ms: number): void {
    Atomics.wait(this.#control, REQUESTED, this.#answered, ms);
  }

  #wait(): void {
    this.#receiver.wait(IDLE_MS);
    this.#library.read(this.#data.bell, this.#ringing, this.#ringing.length);
  }

  /** Counts, as the other thread sees them. */
  #publish(): void {
    const counters = this.#counters;
    for (let i = 0; i < counters.length && i < MOST_COUNTERS; i++) this.#shared[i] = counters[i].value;
    this.#shared[MOST_COUNTERS] = this.#decoding.queue.length;
  }

  /** What is known of the exporters, when anything came since. */
  #tell(): void {
    const { decoder } = this.#decoding;
    this.#toldMs = Date.now();
    if (decoder.datagrams === this.#told || this.#texts.free <= ROOM) return;
    this.#told = decoder.datagrams;
    this.#texts.text(ENTRY.status, JSON.stringify(decoder.status()));
  }

  /** Everything that a checkpoint needs, behind the rows before it; nothing goes on until it was taken. */
  #answer(): void {
    const control = this.#control;
    this.#answered = Atomics.load(control, REQUESTED);
    this.#give();
    this.#publish();
    this.#texts.text(ENTRY.status, JSON.stringify(this.#decoding.decoder.status()));
    const out = new StateWriter();
    this.#decoding.save(out);
    this.#texts.bytes(ENTRY.state, out.concat());
    for (let taken = Atomics.load(control, TAKEN); taken !== this.#answered && !this.#texts.closed; ) {
      Atomics.wait(control, TAKEN, taken, IDLE_MS);
      taken = Atomics.load(control, TAKEN);
    }
  }
}
