import { MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from 'node:worker_threads';
import { WeirError } from './core/errors.ts';
import { startThread } from './core/thread.ts';
import type { Evaluation } from './model/alert.ts';
import type { FlowBatch } from './model/flow-batch.ts';
import { createFlowRing, type FlowRingMemory, FlowRingWriter } from './model/flow-ring.ts';
import type { RuleSet } from './model/plan.ts';

const RING_ROWS = 1024;
const RING_SLOTS = 16;
/** How long one look for an answer takes before it is asked whether the thread is still there, milliseconds. */
const LOOK_MS = 1000;
/** No window takes that long to close: the thread is gone. */
const MOST_LOOKS = 120;

/** Kinds of entries of the ring to a thread. */
export const ENTRY = { rows: 1, advance: 2, close: 3, save: 4, restore: 5 } as const;

/** Words that the thread and its giver share: answers given so far. */
export const ANSWERED = 0;

export interface RuleWorkerData {
  memory: FlowRingMemory;
  answered: SharedArrayBuffer;
  port: MessagePort;
  rules: RuleSet;
  /** Seed of the hashes of all stages, so that they can take up each other's tables. */
  seed: number;
}

/** What a thread found at the ends of its windows. Evaluations know their rule by its position among the thread's. */
export interface Closed {
  evaluations: Omit<Evaluation, 'rule'>[];
  /** What was dropped or refused so far, by the counter's name. */
  counts: { name: string; help: string; value: number }[];
}

/** State of a thread's rules: sections of their windows and of their judges. */
export interface RuleState {
  windows: Uint8Array;
  detect: Uint8Array;
}

export type Answer = { closed: Closed } | { state: RuleState } | { restored: true } | { error: string };

/**
 * A thread that has the windows of some rules and judges them. Rows are handed on as they fill a batch; what it is asked it
 * answers in order, and the asking thread waits for it: so nothing depends on which of them was faster.
 */
export class RuleThread {
  readonly #worker: Worker;
  readonly #ring: FlowRingWriter;
  readonly #answered: Int32Array;
  readonly #port: MessagePort;
  #filling: FlowBatch | null = null;
  #asked = 0;
  #failed: Error | null = null;

  constructor(rules: RuleSet, seed: number) {
    const memory = createFlowRing(RING_ROWS, RING_SLOTS);
    const answered = new SharedArrayBuffer(4);
    const { port1, port2 } = new MessageChannel();
    this.#ring = new FlowRingWriter(memory);
    this.#answered = new Int32Array(answered);
    this.#port = port1;
    const workerData: RuleWorkerData = { memory, answered, port: port2, rules, seed };
    this.#worker = startThread(import.meta.url, 'rule-worker', { workerData, transferList: [port2] });
    this.#worker.once('error', (error: Error) => {
      this.#failed = error;
    });
    this.#worker.unref();
    port1.unref();
  }

  add(batch: FlowBatch): void {
    for (let from = 0; from < batch.length; ) {
      this.#filling ??= this.#ring.claim();
      const to = this.#filling;
      const count = Math.min(batch.length - from, to.capacity - to.length);
      to.copyRows(to.length, batch, from, count);
      to.length += count;
      from += count;
      if (to.length === to.capacity) this.#flush();
    }
  }

  /** Event time has come so far, and no window ends. */
  advance(watermarkUs: number): void {
    this.#flush();
    this.#ring.mark(ENTRY.advance, watermarkUs);
  }

  /** Asks for what ends at this watermark. */
  close(watermarkUs: number): void {
    this.#ask(ENTRY.close, watermarkUs);
  }

  closed(): Closed {
    const answer = this.#answer();
    return 'closed' in answer ? answer.closed : unexpected(answer);
  }

  state(): RuleState {
    this.#ask(ENTRY.save, 0);
    const answer = this.#answer();
    return 'state' in answer ? answer.state : unexpected(answer);
  }

  restore(state: RuleState): void {
    this.#port.postMessage(state);
    this.#ask(ENTRY.restore, 0);
    const answer = this.#answer();
    if (!('restored' in answer)) unexpected(answer);
  }

  async stop(): Promise<void> {
    this.#port.close();
    await this.#worker.terminate();
  }

  #flush(): void {
    if (this.#filling !== null) this.#ring.publish(ENTRY.rows, this.#filling);
    this.#filling = null;
  }

  #ask(kind: number, value: number): void {
    this.#flush();
    this.#asked++;
    this.#ring.mark(kind, value);
  }

  #answer(): Answer {
    for (let looks = 0; looks < MOST_LOOKS && this.#failed === null; looks++) {
      const answered = Atomics.load(this.#answered, ANSWERED);
      if (answered !== this.#asked) Atomics.wait(this.#answered, ANSWERED, answered, LOOK_MS);
      else return receiveMessageOnPort(this.#port)!.message as Answer;
    }
    const why = this.#failed?.message ?? 'it does not answer';
    throw new WeirError('engine.thread', `a thread that judges rules has failed: ${why}`);
  }
}

function unexpected(answer: Answer): never {
  const why = 'error' in answer ? answer.error : 'it answered something else';
  throw new WeirError('engine.thread', `a thread that judges rules has failed: ${why}`);
}
