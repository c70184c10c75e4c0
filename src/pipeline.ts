import { breathe } from './core/breathe.ts';
import type { Clock } from './core/clock.ts';
import type { InputError } from './core/errors.ts';
import { Engine, type EngineDeps, type Sinks, WATERMARK_BOUND_US } from './engine.ts';
import type { CalendarOptions } from './forecast/forecast.ts';
import type { SortedLogs } from './log/log.ts';
import { HomeLearner } from './meter/meter.ts';
import type { Prefix } from './model/address.ts';
import { createFlowBatch, type FlowBatch, HAS_IP } from './model/flow-batch.ts';
import { DST, META, PacketRows, ROW, SRC } from './model/packet-rows.ts';
import type { RuleSet } from './model/plan.ts';
import type { Key } from './model/window-result.ts';
import { meterOnThread, worthThread } from './packet-thread.ts';
import { LEARN_PACKETS, type PacketInput, pacer, readPackets } from './packets.ts';
import { isLoadCsv, LoadCsvReader } from './source/source.ts';

const LOG_ROWS = 256;

export interface ReplayInput {
  /** Captures and load tables, by content; `-` is standard input. */
  paths: string[];
  /** Flow logs, merged with the captures by the starts of their rows. */
  logs?: SortedLogs;
  /** Null: learned from the first packets. */
  home: Prefix[] | null;
  rules: (home: Prefix[]) => RuleSet;
  interfaceSpeed?: (key: Key) => number;
  /** Calendar and steps of the load forecasts. */
  calendar?: CalendarOptions;
  loadStepUs?: number;
  reader?: 'pcap-parser';
  tunnels?: boolean;
  /** Times as fast as it was; Infinity: as fast as possible. */
  speed: number;
  /** Read and meter on a thread of their own; default: where two cores and much to read make it worth its start. */
  thread?: boolean;
  /** Threads that have part of the rules; default 0. */
  ruleThreads?: number;
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

/**
 * Finite inputs through the engine, in order of event time: load tables first, then logs and captures. Large captures are
 * read and metered on a thread of their own; the results are the same.
 */
export async function replay(
  input: ReplayInput,
  hooks: ReplayHooks,
  deps: EngineDeps & { clock: Clock },
): Promise<ReplayOutcome> {
  const tables = input.paths.filter((path) => path !== '-' && isLoadCsv(path));
  const captures = input.paths.filter((path) => !tables.includes(path));
  const errors: ReplayOutcome['errors'] = [];
  const learner = new HomeLearner();
  await prepareLogs(input.logs, learner, errors);
  let engine: Engine | null = null;
  const begin = (home: Prefix[], learned: boolean): Engine => {
    const rules = input.rules(home);
    hooks.home(rules.home, learned, rules.rules.length);
    const { interfaceSpeed, calendar, loadStepUs, ruleThreads } = input;
    engine = new Engine({ rules, interfaceSpeed, calendar, loadStepUs, ruleThreads }, hooks, deps);
    for (const path of tables) {
      const reader = new LoadCsvReader(path, { names: deps.names });
      for (const batch of reader.batches()) engine.flows(batch);
      if (reader.error) errors.push({ file: path, error: reader.error });
    }
    return engine;
  };
  const { home, speed, reader, tunnels } = input;
  const packets: PacketInput = { paths: captures, home, speed, reader, tunnels, boundUs: WATERMARK_BOUND_US };
  const thread = input.thread ?? worthThread(packets);
  const read = thread && !input.logs ? replayThreaded : replayHere;
  errors.push(...(await read({ packets, logs: input.logs, learner, begin }, hooks, deps)));
  engine!.end();
  await engine!.stop();
  input.logs?.close();
  return { engine: engine!, errors };
}

interface Parts {
  packets: PacketInput;
  logs: SortedLogs | undefined;
  learner: HomeLearner;
  /** The engine, once it is known which nets are home. */
  begin(home: Prefix[], learned: boolean): Engine;
}

async function replayHere(
  parts: Parts,
  hooks: ReplayHooks,
  deps: EngineDeps & { clock: Clock },
): Promise<ReplayOutcome['errors']> {
  let engine!: Engine;
  const pace = pacer(parts.packets.speed, deps.clock);
  const logged = createFlowBatch(LOG_ROWS);
  let breathedMs = performance.now();
  /** Rows of logs that start before the packets that come next. */
  const before = async (untilUs: number): Promise<void> => {
    while (parts.logs?.take(untilUs, logged)) {
      if (pace) await pace(logged.startUs[0]);
      engine.flowsByStart(logged);
      hooks.records?.(logged);
      if (hooks.settle) await hooks.settle();
      breathedMs = await breathe(breathedMs);
    }
    if (hooks.settle) await hooks.settle();
  };
  const errors = await readPackets(
    parts.packets,
    {
      notice: (message) => hooks.notice(message),
      home: (home, learned) => {
        engine = parts.begin(home, learned);
      },
      before,
      rows: (rows) => engine.rows(rows),
      progress: (share) => hooks.progress(share, engine.packets),
    },
    deps,
    { learner: parts.learner, pace },
  );
  await before(Number.POSITIVE_INFINITY);
  return errors;
}

async function replayThreaded(parts: Parts, hooks: ReplayHooks, deps: EngineDeps): Promise<ReplayOutcome['errors']> {
  let engine!: Engine;
  const { packets, errors } = await meterOnThread(
    parts.packets,
    {
      notice: (message) => hooks.notice(message),
      home: (home, learned) => {
        engine = parts.begin(home, learned);
      },
      slices: (batch) => engine.slices(batch),
      records: (batch) => hooks.records?.(batch),
      advance: (eventUs) => engine.advance(eventUs),
      first: (eventUs) => {
        engine.firstEventUs = eventUs;
      },
      progress: (share, count) => hooks.progress(share, count),
      settle: hooks.settle ? () => hooks.settle!() : undefined,
    },
    deps,
  );
  engine.packets = packets;
  return errors;
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
