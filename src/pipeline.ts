import { setImmediate } from 'node:timers/promises';
import type { Clock } from './core/clock.ts';
import type { InputError } from './core/errors.ts';
import { Decoder } from './decode/decode.ts';
import { Engine, type EngineDeps, type Sinks, WATERMARK_BOUND_US } from './engine.ts';
import type { SortedLogs } from './log/log.ts';
import { HomeLearner } from './meter/meter.ts';
import type { Prefix } from './model/address.ts';
import { createFlowBatch, type FlowBatch, HAS_IP } from './model/flow-batch.ts';
import { DST, META, PacketRows, ROW, SRC, TIME_F64 } from './model/packet-rows.ts';
import type { RuleSet } from './model/plan.ts';
import type { Key } from './model/window-result.ts';
import { isLoadCsv, LoadCsvReader, openOrdered, type PacketRun, type PacketStream } from './source/source.ts';

/** Packets that are looked at before the home nets are learned. */
const LEARN_PACKETS = 20_000;
const ROWS = 256;
/** Fragments that may wait for their datagram's first one. */
export const EARLY_FRAGMENTS = 256;
/** A paced replay lets this much event time through at once; it is shorter than any window. */
const PIECE_US = 100_000;
const BREATHE_MS = 25;

export interface ReplayInput {
  /** Captures and load tables, by content; `-` is standard input. */
  paths: string[];
  /** Flow logs, merged with the captures by the ends of their rows. */
  logs?: SortedLogs;
  /** Null: learned from the first packets. */
  home: Prefix[] | null;
  rules: (home: Prefix[]) => RuleSet;
  interfaceSpeed?: (key: Key) => number;
  reader?: 'pcap-parser';
  tunnels?: boolean;
  /** Times as fast as it was; Infinity: as fast as possible. */
  speed: number;
}

export interface ReplayHooks extends Sinks {
  notice(message: string): void;
  /** Which nets are home, whether they were learned, and how many rules run. */
  home(home: Prefix[], learned: boolean, rules: number): void;
  progress(share: number | null, packets: number): void;
  /** Back-pressure: awaited between runs. */
  settle?(): Promise<void>;
}

export interface ReplayOutcome {
  engine: Engine;
  errors: { file: string; error: InputError }[];
}

/** Finite inputs through the engine, in order of event time: load tables first, then captures. */
export async function replay(
  input: ReplayInput,
  hooks: ReplayHooks,
  deps: EngineDeps & { clock: Clock },
): Promise<ReplayOutcome> {
  const tables = input.paths.filter((path) => path !== '-' && isLoadCsv(path));
  const captures = input.paths.filter((path) => !tables.includes(path));
  const stream = openOrdered(captures, { boundUs: WATERMARK_BOUND_US, reader: input.reader, notice: hooks.notice });
  const decoder = new Decoder({ names: deps.names, tunnels: input.tunnels, maxEarlyFragments: EARLY_FRAGMENTS }, deps);
  const pieceUs = input.speed === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : PIECE_US;
  const batches = decoded(stream, decoder, pieceUs);

  const head: PacketRows[] = [];
  const learner = new HomeLearner();
  const errors: ReplayOutcome['errors'] = [];
  await prepareLogs(input.logs, learner, errors);
  const learned = input.home === null ? await learnHome(batches, head, learner) : { home: input.home, learned: false };
  const rules = input.rules(learned.home);
  hooks.home(rules.home, learned.learned, rules.rules.length);
  const engine = new Engine({ rules, interfaceSpeed: input.interfaceSpeed }, hooks, deps);

  for (const path of tables) {
    const reader = new LoadCsvReader(path, { names: deps.names });
    for (const batch of reader.batches()) engine.flows(batch);
    if (reader.error) errors.push({ file: path, error: reader.error });
  }
  const pace = pacer(input.speed, deps.clock);
  const logged = createFlowBatch(ROWS);
  /** Rows of logs that end before the packets that come next. */
  const logsUntil = async (untilUs: number): Promise<void> => {
    while (input.logs?.take(untilUs, logged)) {
      if (pace) await pace(logged.endUs[0]);
      engine.flows(logged);
      hooks.records?.(logged);
      if (hooks.settle) await hooks.settle();
    }
  };
  for (const rows of head) {
    await logsUntil(rows.doubles[TIME_F64]);
    if (pace) await pace(rows.doubles[TIME_F64]);
    engine.rows(rows);
  }
  let breathedMs = performance.now();
  for await (const rows of batches) {
    await logsUntil(rows.doubles[TIME_F64]);
    if (pace) await pace(rows.doubles[TIME_F64]);
    engine.rows(rows);
    hooks.progress(stream.bytesTotal ? stream.bytesRead / stream.bytesTotal : null, engine.packets);
    if (hooks.settle) await hooks.settle();
    breathedMs = await breathe(breathedMs);
  }
  await logsUntil(Number.POSITIVE_INFINITY);
  engine.end();
  input.logs?.close();
  stream.close();
  for (const { name, error } of stream.readers) if (error) errors.push({ file: name, error });
  return { engine, errors };
}

/** Lets deliveries, timers and signals have their turn: reading a file alone never leaves the microtask queue. */
async function breathe(lastMs: number): Promise<number> {
  if (performance.now() - lastMs < BREATHE_MS) return lastMs;
  await setImmediate();
  return performance.now();
}

/** Packets as rows, a small batch at a time, each within `pieceUs` of event time. The rows are overwritten by the next. */
async function* decoded(stream: PacketStream, decoder: Decoder, pieceUs: number): AsyncGenerator<PacketRows> {
  const rows = new PacketRows(ROWS);
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

/** Reads logs and puts them in order; their first rows have a say in what is home. */
async function prepareLogs(
  logs: SortedLogs | undefined,
  learner: HomeLearner,
  errors: ReplayOutcome['errors'],
): Promise<void> {
  let seen = 0;
  await logs?.prepare((batch) => {
    if (seen < LEARN_PACKETS) learner.add(endsOf(batch));
    seen += batch.length;
  });
  for (const { name, error } of logs?.readers ?? []) if (error) errors.push({ file: name, error });
}

/** Rows of a log as packets that have a sender and a receiver and nothing else. */
function endsOf(batch: FlowBatch): PacketRows {
  const rows = new PacketRows(batch.length);
  rows.length = batch.length;
  for (let n = 0; n < batch.length; n++) {
    rows.words[n * ROW + META] = batch.meta[n] & HAS_IP;
    rows.words.set(batch.sourceAddress.subarray(4 * n, 4 * n + 4), n * ROW + SRC);
    rows.words.set(batch.destinationAddress.subarray(4 * n, 4 * n + 4), n * ROW + DST);
  }
  return rows;
}

/** Reads ahead until enough is known; what was read is kept in `head` and goes through the engine first. */
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

/** Waits until a packet's time has come; null when nothing waits. */
function pacer(speed: number, clock: Clock): ((eventUs: number) => Promise<void>) | null {
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
