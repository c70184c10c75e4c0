import { statSync } from 'node:fs';
import { breathe } from './core/breathe.ts';
import type { InputError } from './core/errors.ts';
import type { Counter, Metrics } from './core/metrics.ts';
import { packetThread, worthReading } from './early-thread.ts';
import type { Prefix } from './model/address.ts';
import type { FlowSink } from './model/flow-batch.ts';
import { createFlowRing, type FlowRingMemory, FlowRingReader } from './model/flow-ring.ts';
import { NameMap } from './model/name-feed.ts';
import type { Names } from './model/names.ts';
import type { PacketInput } from './packets.ts';
import { isOrdered } from './source/source.ts';

const QUIETLY = { throwIfNoEntry: false } as const;
/** Flows leave in bursts: batches on their way that let the meter go on meanwhile. 240 kB each, used only when they are needed. */
const RING_ROWS = 1024;
const RING_SLOTS = 64;
/** After a flood half a million records leave at once, which takes longer to print than to meter. */
const RING_SLOTS_RECORDS = 256;

/** Kinds of entries of the ring between the reading thread and the engine. */
export const ENTRY = {
  notice: 1,
  home: 2,
  names: 3,
  slices: 4,
  records: 5,
  advance: 6,
  first: 7,
  packets: 8,
  progress: 9,
  end: 10,
} as const;

export interface PacketWork {
  memory: FlowRingMemory;
  input: PacketInput;
}

/** What a reading thread gives, in the order of the calls. Batches are the thread's again when the call returns. */
export interface MeteredPort {
  notice(message: string): void;
  home(home: Prefix[], learned: boolean): void;
  slices: FlowSink;
  records: FlowSink;
  /** Event time has come to this packet's. */
  advance(eventUs: number): void;
  /** The first packet's event time. */
  first(eventUs: number): void;
  progress(share: number, packets: number): void;
  settle?(): Promise<void>;
}

interface Deps {
  names: Names;
  metrics: Metrics;
}

interface End {
  packets: number;
  errors: { file: string; error: InputError }[];
  counters: Counter[];
}

export function worthThread({ paths, speed }: PacketInput): boolean {
  return speed === Number.POSITIVE_INFINITY && worthReading(paths);
}

/**
 * Reads, decodes and meters captures on a thread of its own, beside windows and detection on this one. A single file is
 * looked through by this thread, which would have to wait, while the other one begins as if the packets were in order;
 * nothing is handed on before that is known, and where it is not so, the other thread begins anew.
 */
export async function meterOnThread(input: PacketInput, port: MeteredPort, deps: Deps): Promise<End> {
  if (!isOneFile(input)) return runThread(input, port, deps);
  const [path] = input.paths;
  const end = await runThread({ ...input, boundUs: Number.POSITIVE_INFINITY }, port, deps, () =>
    isOrdered(path, input.boundUs, input.reader),
  );
  return end ?? (await runThread(input, port, deps));
}

function isOneFile({ paths }: PacketInput): boolean {
  return paths.length === 1 && paths[0] !== '-' && (statSync(paths[0], QUIETLY)?.isFile() ?? false);
}

function runThread(input: PacketInput, port: MeteredPort, deps: Deps): Promise<End>;
function runThread(
  input: PacketInput,
  port: MeteredPort,
  deps: Deps,
  goOn: () => Promise<boolean>,
): Promise<End | null>;
async function runThread(
  input: PacketInput,
  port: MeteredPort,
  deps: Deps,
  goOn?: () => Promise<boolean>,
): Promise<End | null> {
  const memory = createFlowRing(RING_ROWS, input.meter?.slices === false ? RING_SLOTS_RECORDS : RING_SLOTS);
  const ring = new FlowRingReader(memory);
  const worker = packetThread();
  const failed = new Promise<never>((_, reject) => worker.once('error', reject));
  const work: PacketWork = { memory, input };
  worker.postMessage(work);
  const run = async () => (goOn === undefined || (await goOn()) ? new ThreadReader(ring, port, deps).run() : null);
  try {
    return await Promise.race([run(), failed]);
  } finally {
    ring.close();
    await worker.terminate();
  }
}

/** Hands the ring's entries to the port until the end has come. */
class ThreadReader {
  readonly #ring: FlowRingReader;
  readonly #port: MeteredPort;
  readonly #names: NameMap;
  readonly #metrics: Metrics;
  #packets = 0;

  constructor(ring: FlowRingReader, port: MeteredPort, deps: Deps) {
    this.#ring = ring;
    this.#port = port;
    this.#names = new NameMap(deps.names);
    this.#metrics = deps.metrics;
  }

  async run(): Promise<End> {
    const ring = this.#ring;
    let breathedMs = performance.now();
    for (;;) {
      while (!ring.next()) await ring.ready();
      const end = this.#take();
      if (end) return end;
      const isRun = ring.kind === ENTRY.advance || ring.kind === ENTRY.progress;
      // Half a million records may leave before event time moves on.
      if (this.#port.settle && (isRun || ring.kind === ENTRY.records)) await this.#port.settle();
      if (isRun) breathedMs = await breathe(breathedMs);
    }
  }

  #take(): End | null {
    const { kind, value } = this.#ring;
    if (kind === ENTRY.advance) this.#port.advance(value);
    else if (kind === ENTRY.slices || kind === ENTRY.records) this.#rows(kind);
    else if (kind === ENTRY.first) this.#port.first(value);
    else if (kind === ENTRY.packets) this.#packets = value;
    else if (kind === ENTRY.progress) this.#port.progress(value, this.#packets);
    else return this.#text(kind);
    return null;
  }

  #rows(kind: number): void {
    const { batch } = this.#ring;
    this.#names.translate(batch);
    if (kind === ENTRY.slices) this.#port.slices(batch);
    else this.#port.records(batch);
  }

  #text(kind: number): End | null {
    const text = this.#ring.text()?.toString();
    if (text === undefined) return null;
    if (kind === ENTRY.notice) this.#port.notice(text);
    else if (kind === ENTRY.names) this.#names.learn(text);
    else if (kind === ENTRY.home) this.#home(JSON.parse(text));
    else return this.#end(JSON.parse(text));
    return null;
  }

  #home({ home, learned }: { home: Prefix[]; learned: boolean }): void {
    this.#port.home(home, learned);
  }

  #end(end: End): End {
    for (const { name, help, value } of end.counters) this.#metrics.counter(name, help).value += value;
    return end;
  }
}
