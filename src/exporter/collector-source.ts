import type { Worker } from 'node:worker_threads';
import type { Clock } from '../core/clock.ts';
import type { InputError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Counter, Gauge, Metrics } from '../core/metrics.ts';
import { type Stateful, StateReader, StateWriter } from '../core/state.ts';
import { parseDurationUs } from '../core/units.ts';
import type { FlowBatch } from '../model/flow-batch.ts';
import type { Intake, Source } from '../model/intake.ts';
import type { Names } from '../model/names.ts';
import type { CollectorWorkerData } from './collector-memory.ts';
import type { CollectorOptions } from './collector-options.ts';
import type { ExporterStatus } from './exporter-status.ts';
import type { FrameDecoder } from './frames.ts';
import { LocalTaking } from './local-taking.ts';
import { hasNativeSocket, loadLibrary } from './native-library.ts';
import { Observation } from './observation.ts';
import { Pairing } from './pairing.ts';
import { type QuarantineOptions, quarantine } from './quarantine.ts';
import type { Taking, TakingPorts } from './taking.ts';
import { ThreadsTaking } from './threads-taking.ts';

export interface CollectorDeps {
  names: Names;
  metrics: Metrics;
  logger: Logger;
  clock: Clock;
  /** Looks into packets that records carry, on this thread. */
  frames: FrameDecoder;
  /** Starts a thread that runs a `CollectorLoop`; without it everything happens on this one. */
  startWorker?: (data: CollectorWorkerData) => Worker;
}

const SECOND_US = 1e6;
/** Exporters that the log names a second. */
const MOST_TOLD = 10;

/** Makes the collector of an entry of `sources:`; inert until `start`. */
export function createCollector(options: CollectorOptions, deps: CollectorDeps): CollectorSource {
  return new CollectorSource(options, deps);
}

/** Exporters' datagrams as a source: decoded beside the engine, and given when it polls. */
export class CollectorSource implements Source {
  readonly name: string;
  readonly done = false;
  /** Rows begin at most this far behind the latest end: by the exporters' timeouts, and while they wait for their pair. */
  readonly boundUs: number;
  readonly #taking: Taking;
  readonly #clock: Clock;
  readonly #badTime: Counter;
  readonly #silent: Gauge;
  readonly #unknown: Gauge;
  readonly #observation: Observation | null;
  readonly #pairing: Pairing | null;
  readonly #metrics: Metrics;
  #ending: Pairing | null = null;
  readonly #silenceUs: number;
  readonly #limits: QuarantineOptions;
  readonly #logger: Logger;
  #intake: Intake | null = null;
  #toldUs = 0;
  /** Exporters of which the log says that they are silent. */
  #quiet: ReadonlySet<string> = new Set();

  constructor(options: CollectorOptions, deps: CollectorDeps) {
    const { names, metrics, clock, logger } = deps;
    this.name = options.name;
    const pairUs = options.pair === undefined || options.pair === 'never' ? 0 : parseDurationUs(options.pair);
    this.boundUs = parseDurationUs(options.delay) + pairUs;
    this.#metrics = metrics;
    this.#clock = clock;
    this.#logger = logger;
    this.#limits = { maxAheadUs: parseDurationUs(options.ahead), maxAgeUs: parseDurationUs(options.age) };
    this.#silenceUs = parseDurationUs(options.silence);
    this.#badTime = metrics.counter(
      'weir_exporter_dropped_total{cause="impossible_time"}',
      'Records whose times cannot be (quarantined).',
    );
    const states = (name: string, help: string, is: (exporter: ExporterStatus) => boolean): Gauge =>
      metrics
        .gauge(`weir_exporter_${name}{source="${this.name}"}`, help)
        .from(() => this.exporters().filter(is).length);
    this.#silent = states('silent_exporters', 'Exporters that are silent.', (exporter) => this.#isSilent(exporter));
    this.#unknown = states(
      'unknown_sampling_exporters',
      'Exporters that sample nobody knows how much.',
      (exporter) => exporter.samplingUnknown,
    );
    this.#observation = Observation.of(options, names);
    this.#pairing = pairUs > 0 ? new Pairing(pairUs, metrics, (b) => this.#give(b)) : null;
    this.#taking = this.#takingOf(options, deps);
  }

  #takingOf(options: CollectorOptions, deps: CollectorDeps): Taking {
    const ports: TakingPorts = {
      onFlows: (batch) => this.#flows(batch),
      onSeries: (name, timeUs, value, facts) => this.#intake?.series(name, timeUs, value, facts),
    };
    const { startWorker } = deps;
    const isUdp = options.type !== 'ipfix' || options.transport === 'udp';
    if (startWorker === undefined || options.workers === 0 || !isUdp || !hasNativeSocket)
      return new LocalTaking(options, ports, deps);
    return new ThreadsTaking(options, ports, { ...deps, startWorker, library: loadLibrary() });
  }

  get error(): InputError | null {
    return this.#taking.error;
  }

  /** The port that is open. */
  get port(): number {
    return this.#taking.port;
  }

  /** What is known of every exporter. */
  exporters(): ExporterStatus[] {
    return this.#taking.exporters();
  }

  #isSilent({ lastSeenUs }: ExporterStatus): boolean {
    return this.#clock.nowUs() - lastSeenUs > this.#silenceUs;
  }

  async start(wake: () => void): Promise<void> {
    await this.#taking.start(wake);
  }

  poll(intake: Intake, budget: number): boolean {
    this.#intake = intake;
    this.#ending?.end();
    this.#ending = null;
    const more = this.#taking.poll(budget);
    this.#pairing?.flush();
    this.#tellSilent();
    return more;
  }

  /** Once a second: who fell silent, and who is back. */
  #tellSilent(): void {
    const nowUs = this.#clock.nowUs();
    if (nowUs - this.#toldUs < SECOND_US) return;
    this.#toldUs = nowUs;
    const all = this.exporters();
    const silent = new Set(all.flatMap((each) => (this.#isSilent(each) ? [each.exporter] : [])));
    const changed = all.filter(({ exporter }) => silent.has(exporter) !== this.#quiet.has(exporter));
    this.#quiet = silent;
    for (const { exporter } of changed.slice(0, MOST_TOLD)) {
      const message = silent.has(exporter) ? 'an exporter sends nothing any more' : 'an exporter sends again';
      this.#logger.warn({ code: 'exporter.silent', source: this.name, exporter }, message);
    }
  }

  #flows(batch: FlowBatch): void {
    this.#badTime.value += quarantine(batch, this.#clock.nowUs(), this.#limits);
    this.#observation?.select(batch);
    if (this.#pairing !== null) this.#pairing.add(batch);
    else this.#give(batch);
  }

  #give(batch: FlowBatch): void {
    if (batch.length > 0) this.#intake?.flows(batch);
  }

  status(): Record<string, string | number | null> {
    const all = this.exporters();
    const sum = (of: (exporter: ExporterStatus) => number): number =>
      all.reduce((total, exporter) => total + of(exporter), 0);
    return {
      exporters: all.length,
      records: sum((exporter) => exporter.records),
      lost: sum((exporter) => exporter.lost),
      templates: sum((exporter) => exporter.templates),
      silent: this.#silent.value,
      samplingUnknown: this.#unknown.value,
      waiting: this.#taking.waiting,
      kernelDrops: this.#taking.drops,
    };
  }

  /** What exporters announced, what waits for its template, its decoder, its other direction or the engine. */
  save(out: StateWriter): void {
    this.#taking.save(out);
    out.bytes(bytesOf(this.#pairing));
    out.bytes(bytesOf(this.#observation));
  }

  restore(state: StateReader): void {
    this.#taking.restore(state);
    const [waiting, seen] = [state.bytes(), state.bytes()];
    if (waiting.length > 0) (this.#pairing ?? this.#leftOver()).restore(new StateReader(waiting));
    if (seen.length > 0) this.#observation?.restore(new StateReader(seen));
  }

  /** Records that waited for their pair when the last run did so still, which go on alone. */
  #leftOver(): Pairing {
    this.#ending = new Pairing(0, this.#metrics, (batch) => this.#give(batch));
    return this.#ending;
  }

  /** Datagrams have no place to go on from. */
  place(): void {}

  async stop(): Promise<void> {
    await this.#taking.stop();
    for (const gauge of [this.#silent, this.#unknown]) gauge.from(() => Number.NaN);
  }
}

/** Nothing for what the configuration has switched off, so that the next run may have it otherwise. */
function bytesOf(part: Stateful | null): Uint8Array {
  const out = new StateWriter();
  part?.save(out);
  return out.concat();
}
