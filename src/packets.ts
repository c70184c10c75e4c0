import { setImmediate } from 'node:timers/promises';
import type { Clock } from './core/clock.ts';
import type { InputError } from './core/errors.ts';
import type { Metrics } from './core/metrics.ts';
import { Decoder, EARLY_FRAGMENTS } from './decode/decode.ts';
import { HomeLearner, type MeterOptions } from './meter/meter.ts';
import type { Prefix } from './model/address.ts';
import type { Names } from './model/names.ts';
import { PacketRows, TIME_F64 } from './model/packet-rows.ts';
import { openOrdered, type PacketRun, type PacketStream } from './source/source.ts';

/** Packets, or rows of logs, that are looked at before the home nets are learned. */
export const LEARN_PACKETS = 20_000;
const ROWS = 256;
/** A paced replay lets this much event time through at once; it is shorter than any window. */
const PIECE_US = 100_000;
const BREATHE_MS = 25;

/** Finite captures, as decoded packets. Plain data: it can be handed to a worker. */
export interface PacketInput {
  /** Captures, by content; `-` is standard input. */
  paths: string[];
  /** Null: learned from the first packets. */
  home: Prefix[] | null;
  /** Disorder up to this is left to the meter; what is further out of order is sorted before. */
  boundUs: number;
  reader?: 'pcap-parser';
  tunnels?: boolean;
  /** Times as fast as it was; Infinity: as fast as possible. */
  speed: number;
  /** For the meter beside the reader, on a thread of their own. */
  meter?: MeterOptions;
}

/** What the packets go to, in the order of the calls. */
export interface PacketPort {
  notice(message: string): void;
  /** Once, before any rows: which nets are home, and whether they were learned. */
  home(home: Prefix[], learned: boolean): void;
  /** Decoded packets in order of time; the rows are the reader's again when the call returns. */
  rows(rows: PacketRows): void;
  progress(share: number | null): void;
  /** Awaited before rows that begin at this time: what else comes before them, and back-pressure. */
  before?(eventUs: number): Promise<void>;
}

interface Deps {
  names: Names;
  metrics: Metrics;
  clock: Clock;
}

/** Reads captures to their end, in order of event time. @returns the damage that was met */
export async function readPackets(
  input: PacketInput,
  port: PacketPort,
  deps: Deps,
  {
    learner = new HomeLearner(),
    pace = pacer(input.speed, deps.clock),
  }: { learner?: HomeLearner; pace?: Pace | null } = {},
): Promise<{ file: string; error: InputError }[]> {
  const stream = openOrdered(input.paths, { boundUs: input.boundUs, reader: input.reader, notice: port.notice });
  const decoding = { names: deps.names, tunnels: input.tunnels, maxEarlyFragments: EARLY_FRAGMENTS };
  const decoder = new Decoder(decoding, deps);
  const pieceUs = input.speed === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : PIECE_US;
  const batches = decoded(stream, decoder, pieceUs);
  const head: PacketRows[] = [];
  const { home, learned } =
    input.home === null ? await learnHome(batches, head, learner) : { home: input.home, learned: false };
  port.home(home, learned);
  const give = async (rows: PacketRows): Promise<void> => {
    const eventUs = rows.doubles[TIME_F64];
    if (port.before) await port.before(eventUs);
    if (pace) await pace(eventUs);
    port.rows(rows);
  };
  for (const rows of head) await give(rows);
  let breathedMs = performance.now();
  for await (const rows of batches) {
    await give(rows);
    port.progress(stream.bytesTotal ? stream.bytesRead / stream.bytesTotal : null);
    breathedMs = await breathe(breathedMs);
  }
  stream.close();
  return stream.readers.flatMap(({ name, error }) => (error ? [{ file: name, error }] : []));
}

/** Lets deliveries, timers and signals have their turn: reading a file alone never leaves the microtask queue. */
export async function breathe(lastMs: number): Promise<number> {
  if (performance.now() - lastMs < BREATHE_MS) return lastMs;
  await setImmediate();
  return performance.now();
}

/** Packets as rows, a small batch at a time, each within `pieceUs` of event time. The rows are overwritten by the next. */
async function* decoded(stream: PacketStream, decoder: Decoder, pieceUs: number): AsyncGenerator<PacketRows> {
  const rows = new PacketRows(ROWS);
  rows.lean = true;
  for (let run = await stream.next(); run !== null; run = await stream.next()) {
    for (let at = run.from; at < run.to; ) {
      at += decoder.decode(run.batch, at, pieceEnd(run, at, pieceUs), rows);
      if (rows.length > 0) yield rows;
    }
  }
  while (decoder.end(rows) > 0) yield rows;
}

function pieceEnd(run: PacketRun, from: number, pieceUs: number): number {
  if (pieceUs === Number.POSITIVE_INFINITY) return run.to;
  const { timeUs } = run.batch;
  let to = from + 1;
  while (to < run.to && timeUs[to] < timeUs[from] + pieceUs) to++;
  return to;
}

/** Reads ahead until enough is known; what was read is kept in `head` and comes first. */
async function learnHome(
  batches: AsyncGenerator<PacketRows>,
  head: PacketRows[],
  learner: HomeLearner,
): Promise<{ home: Prefix[]; learned: boolean }> {
  for (let packets = 0; packets < LEARN_PACKETS; ) {
    const next = await batches.next();
    if (next.done) break;
    const copy = new PacketRows(next.value.length);
    copy.words.set(next.value.words.subarray(0, copy.words.length));
    copy.length = next.value.length;
    learner.add(copy);
    head.push(copy);
    packets += copy.length;
  }
  return learner.answer();
}

/** Waits until an event's time has come. */
export type Pace = (eventUs: number) => Promise<void>;

/** The pace of a replay `speed` times as fast as it was; null when nothing waits. */
export function pacer(speed: number, clock: Clock): Pace | null {
  if (speed === Number.POSITIVE_INFINITY) return null;
  let firstEventUs = Number.NaN;
  let startUs = 0;
  return async (eventUs) => {
    if (Number.isNaN(firstEventUs)) {
      firstEventUs = eventUs;
      startUs = clock.nowUs();
    }
    const aheadMs = (startUs + (eventUs - firstEventUs) / speed - clock.nowUs()) / 1000;
    if (aheadMs >= 1) await clock.sleep(aheadMs);
  };
}
