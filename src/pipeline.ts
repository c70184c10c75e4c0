import { setImmediate } from 'node:timers/promises';
import { Alerts } from './alert/alert.ts';
import type { Clock } from './core/clock.ts';
import type { InputError } from './core/errors.ts';
import type { Metrics } from './core/metrics.ts';
import { Decoder } from './decode/decode.ts';
import { Detect } from './detect/detect.ts';
import { baselines, forecasters, LoadBook, loadPlans, type SeriesSink } from './forecast/forecast.ts';
import { HomeLearner, Meter } from './meter/meter.ts';
import type { Prefix } from './model/address.ts';
import type { Evaluation, Transition } from './model/alert.ts';
import type { FlowBatch, FlowSink } from './model/flow-batch.ts';
import type { Names } from './model/names.ts';
import { PacketRows, TIME_F64 } from './model/packet-rows.ts';
import type { RuleSet } from './model/plan.ts';
import type { Key, WindowResults } from './model/window-result.ts';
import { isLoadCsv, LoadCsvReader, openOrdered, type PacketRun, type PacketStream } from './source/source.ts';
import { WindowStage } from './window/window.ts';

/** The watermark stays this far behind the newest event: it covers the hold of first slices and small disorder. */
export const WATERMARK_BOUND_US = 3e6;
/** Packets that are looked at before the home nets are learned. */
const LEARN_PACKETS = 20_000;
const ROWS = 256;
/** A paced replay lets this much event time through at once; it is shorter than any window. */
const PIECE_US = 100_000;
const BREATHE_MS = 25;

/** Where results go. Batches are the giver's again when the call returns. */
export interface Sinks {
  transition(transition: Transition): void;
  evaluation?(evaluation: Evaluation): void;
  records?: FlowSink;
  series?: SeriesSink;
}

export interface EngineOptions {
  rules: RuleSet;
  /** What `if_speed` is for a key, bits per second; NaN where unknown. */
  interfaceSpeed?: (key: Key) => number;
}

interface Deps {
  names: Names;
  metrics: Metrics;
}

/**
 * The whole data flow behind the decoder, top to bottom: packets are metered into slices; slices and exporters' records go
 * through windows; window results are judged, judgements move alerts. Everything follows event time.
 */
export class Engine {
  readonly alerts: Alerts;
  readonly loads: LoadBook;
  readonly #meter: Meter;
  readonly #windows: WindowStage;
  packets = 0;
  /** Event time of the first row, microseconds; NaN before. */
  firstEventUs = Number.NaN;
  #maxEventUs = Number.NEGATIVE_INFINITY;

  constructor(options: EngineOptions, sinks: Sinks, { names, metrics }: Deps) {
    const { rules, home } = options.rules;
    const recording = loadPlans(home);
    this.alerts = new Alerts(
      {},
      {
        metrics,
        evidence: (e) => this.#windows.evidence(e),
        onTransition: (transition) => sinks.transition(transition),
      },
    );
    const detect = new Detect(options.rules, {
      baseline: baselines,
      forecast: forecasters,
      metrics,
      interfaceSpeed: options.interfaceSpeed ?? (() => Number.NaN),
      onEvaluation: (evaluation) => {
        sinks.evaluation?.(evaluation);
        this.alerts.evaluate(evaluation);
      },
    });
    this.loads = new LoadBook({}, { forecasters, metrics, onPoint: sinks.series ?? (() => {}) });
    const route = (results: WindowResults): boolean =>
      results.ruleIndex < rules.length ? detect.results(results) : this.loads.results(results);
    this.#windows = new WindowStage({ rules: [...rules, ...recording], home }, { names, metrics, onResults: route });
    this.#meter = new Meter(
      {},
      { names, metrics, onSlices: (batch) => this.#windows.add(batch), onRecords: sinks.records ?? (() => {}) },
    );
  }

  /** Decoded packets, in order of time. */
  rows(rows: PacketRows): void {
    this.packets += rows.length;
    if (Number.isNaN(this.firstEventUs)) this.firstEventUs = rows.doubles[TIME_F64];
    this.#meter.add(rows);
    this.#advance(this.#meter.maxEventUs);
  }

  /** Records of an exporter, in order of their ends. */
  flows(batch: FlowBatch): void {
    this.#windows.add(batch);
    for (let row = 0; row < batch.length; row++) this.#advance(batch.endUs[row]);
  }

  /** End of input: the watermark is at the end of time; every window closes, every detector judges what it has. */
  end(): void {
    this.#meter.end();
    this.#windows.advance(Number.POSITIVE_INFINITY);
    this.alerts.end();
  }

  get maxEventUs(): number {
    return this.#maxEventUs;
  }

  #advance(eventUs: number): void {
    if (eventUs <= this.#maxEventUs) return;
    this.#maxEventUs = eventUs;
    this.#windows.advance(eventUs - WATERMARK_BOUND_US);
    this.alerts.advance(eventUs - WATERMARK_BOUND_US);
  }
}

export interface ReplayInput {
  /** Captures and load tables, by content; `-` is standard input. */
  paths: string[];
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
  deps: Deps & { clock: Clock },
): Promise<ReplayOutcome> {
  const tables = input.paths.filter((path) => path !== '-' && isLoadCsv(path));
  const captures = input.paths.filter((path) => !tables.includes(path));
  const stream = openOrdered(captures, { boundUs: WATERMARK_BOUND_US, reader: input.reader, notice: hooks.notice });
  const decoder = new Decoder({ names: deps.names, tunnels: input.tunnels }, deps);
  const pieceUs = input.speed === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : PIECE_US;
  const batches = decoded(stream, decoder, pieceUs);

  const head: PacketRows[] = [];
  const learned = input.home === null ? await learnHome(batches, head) : { home: input.home, learned: false };
  const rules = input.rules(learned.home);
  hooks.home(rules.home, learned.learned, rules.rules.length);
  const engine = new Engine({ rules, interfaceSpeed: input.interfaceSpeed }, hooks, deps);
  const errors: ReplayOutcome['errors'] = [];

  for (const path of tables) {
    const reader = new LoadCsvReader(path, { names: deps.names });
    for (const batch of reader.batches()) engine.flows(batch);
    if (reader.error) errors.push({ file: path, error: reader.error });
  }
  const pace = pacer(input.speed, deps.clock);
  for (const rows of head) {
    if (pace) await pace(rows.doubles[TIME_F64]);
    engine.rows(rows);
  }
  let breathedMs = performance.now();
  for await (const rows of batches) {
    if (pace) await pace(rows.doubles[TIME_F64]);
    engine.rows(rows);
    hooks.progress(stream.bytesTotal ? stream.bytesRead / stream.bytesTotal : null, engine.packets);
    if (hooks.settle) await hooks.settle();
    breathedMs = await breathe(breathedMs);
  }
  engine.end();
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
      yield rows;
    }
  }
}

function pieceEnd(run: PacketRun, from: number, pieceUs: number): number {
  if (pieceUs === Number.POSITIVE_INFINITY) return run.to;
  const { timeUs } = run.batch;
  let to = from + 1;
  while (to < run.to && timeUs[to] < timeUs[from] + pieceUs) to++;
  return to;
}

/** Reads ahead until enough is known; what was read is kept in `head` and goes through the engine first. */
async function learnHome(
  batches: AsyncGenerator<PacketRows>,
  head: PacketRows[],
): Promise<{ home: Prefix[]; learned: boolean }> {
  const learner = new HomeLearner();
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
