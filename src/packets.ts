import { BREATHE_MS, breathe } from './core/breathe.ts';
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
/** Batches between two looks at the clock and at how far the files are read, which cost as much as metering ten packets. */
const BATCHES = 16;
/** A paced replay lets this much event time through at once; it is shorter than any window. */
const PIECE_US = 100_000;

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
  const batches = new DecodedRows(stream, decoder, pieceUs);
  const head: PacketRows[] = [];
  const { home, learned } =
    input.home === null ? await learnHome(batches, head, learner) : { home: input.home, learned: false };
  port.home(home, learned);
  const wait = async (eventUs: number): Promise<void> => {
    if (port.before) await port.before(eventUs);
    if (pace) await pace(eventUs);
  };
  // Awaiting what is there already costs as much as metering a dozen packets.
  const waits = port.before !== undefined || pace !== null;
  for (const rows of head) {
    if (waits) await wait(rows.doubles[TIME_F64]);
    port.rows(rows);
  }
  let breathedMs = performance.now();
  let batch = 0;
  for (;;) {
    const next = batches.next();
    const rows = next instanceof Promise ? await next : next;
    if (rows === null) break;
    if (waits) await wait(rows.doubles[TIME_F64]);
    port.rows(rows);
    if (!waits && ++batch % BATCHES !== 0) continue;
    port.progress(stream.bytesTotal ? stream.bytesRead / stream.bytesTotal : null);
    if (performance.now() - breathedMs >= BREATHE_MS) breathedMs = await breathe(breathedMs);
  }
  stream.close();
  return stream.readers.flatMap(({ name, error }) => (error ? [{ file: name, error }] : []));
}

/** Packets as rows, a small batch at a time, each within `pieceUs` of event time. The rows are overwritten by the next. */
class DecodedRows {
  readonly #stream: PacketStream;
  readonly #decoder: Decoder;
  readonly #pieceUs: number;
  readonly #rows = new PacketRows(ROWS);
  #run: PacketRun | null = null;
  #at = 0;
  #ended = false;

  constructor(stream: PacketStream, decoder: Decoder, pieceUs: number) {
    this.#stream = stream;
    this.#decoder = decoder;
    this.#pieceUs = pieceUs;
    this.#rows.lean = true;
  }

  /** The next rows; null at the end. A promise only where the input makes wait. */
  next(): PacketRows | null | Promise<PacketRows | null> {
    const rows = this.#rows;
    while (!this.#ended) {
      const run = this.#run;
      if (run !== null && this.#at < run.to) {
        this.#at += this.#decoder.decode(run.batch, this.#at, pieceEnd(run, this.#at, this.#pieceUs), rows);
        if (rows.length > 0) return rows;
      } else {
        const next = this.#stream.next();
        if (next instanceof Promise) return next.then((come) => this.#begin(come));
        this.#take(next);
      }
    }
    return this.#decoder.end(rows) > 0 ? rows : null;
  }

  #begin(run: PacketRun | null): PacketRows | null | Promise<PacketRows | null> {
    this.#take(run);
    return this.next();
  }

  #take(run: PacketRun | null): void {
    this.#run = run;
    this.#at = run?.from ?? 0;
    this.#ended = run === null;
  }
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
  batches: DecodedRows,
  head: PacketRows[],
  learner: HomeLearner,
): Promise<{ home: Prefix[]; learned: boolean }> {
  for (let packets = 0; packets < LEARN_PACKETS; ) {
    const rows = await batches.next();
    if (rows === null) break;
    const copy = new PacketRows(rows.length);
    copy.words.set(rows.words.subarray(0, copy.words.length));
    copy.length = rows.length;
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
