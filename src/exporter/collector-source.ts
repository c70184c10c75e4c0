import type { Clock } from '../core/clock.ts';
import type { InputError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Counter, Metrics } from '../core/metrics.ts';
import type { StateReader, StateWriter } from '../core/state.ts';
import { parseBytes, parseDurationUs } from '../core/units.ts';
import type { FlowBatch } from '../model/flow-batch.ts';
import type { Intake, Source } from '../model/intake.ts';
import type { Names } from '../model/names.ts';
import { type CollectorOptions, parseListen } from './collector-options.ts';
import { DatagramQueue } from './datagram-queue.ts';
import { ExporterDecoder } from './exporter-decoder.ts';
import type { ExporterStatus } from './exporter-status.ts';
import type { FrameDecoder } from './frames.ts';
import { Observation } from './observation.ts';
import { Pairing } from './pairing.ts';
import { type QuarantineOptions, quarantine } from './quarantine.ts';
import { samplingTable } from './sampling-table.ts';
import { StreamListener } from './stream-listener.ts';
import { type Listener, UdpListener } from './udp-listener.ts';

export interface CollectorDeps {
  names: Names;
  metrics: Metrics;
  logger: Logger;
  clock: Clock;
  frames: FrameDecoder;
}

const SECOND_US = 1e6;
/** Datagrams that are taken from the system ahead of the engine: some tenths of a second. */
const MOST_AHEAD = 16_384;

/** Makes the collector of an entry of `sources:`; inert until `start`. */
export function createCollector(options: CollectorOptions, deps: CollectorDeps): CollectorSource {
  return new CollectorSource(options, deps);
}

/** Exporters' datagrams as a source: they wait in a bounded queue until the engine polls. */
export class CollectorSource implements Source {
  readonly name: string;
  readonly done = false;
  error: InputError | null = null;
  /** Rows begin at most this far behind the latest end. */
  readonly boundUs: number;
  readonly decoder: ExporterDecoder;
  readonly #listener: Listener;
  readonly #queue: DatagramQueue;
  readonly #clock: Clock;
  readonly #queueFull: Counter;
  readonly #badTime: Counter;
  readonly #silent: Counter;
  readonly #unknown: Counter;
  readonly #observation: Observation | null;
  readonly #pairing: Pairing | null;
  readonly #silenceUs: number;
  readonly #limits: QuarantineOptions;
  #wake: () => void = () => {};
  #intake: Intake | null = null;
  #lastStatusUs = 0;

  constructor(options: CollectorOptions, deps: CollectorDeps) {
    const { names, metrics, logger, clock } = deps;
    this.name = options.name;
    this.boundUs = parseDurationUs(options.delay);
    this.#clock = clock;
    this.#limits = { maxAheadUs: parseDurationUs(options.ahead), maxAgeUs: parseDurationUs(options.age) };
    this.#silenceUs = parseDurationUs(options.silence);
    this.#queue = new DatagramQueue(parseBytes(options.queue));
    const drop = (cause: string, help: string): Counter =>
      metrics.counter(`weir_exporter_dropped_total{cause="${cause}"}`, help);
    this.#queueFull = drop('queue_full', 'Datagrams dropped because the engine did not follow.');
    this.#badTime = drop('impossible_time', 'Records whose times cannot be (quarantined).');
    this.#silent = metrics.counter(
      `weir_exporter_silent_exporters{source="${this.name}"}`,
      'Exporters that are silent.',
    );
    this.#unknown = metrics.counter(
      `weir_exporter_unknown_sampling_exporters{source="${this.name}"}`,
      'Exporters that sample nobody knows how much.',
    );
    this.#observation = Observation.of(options, names);
    this.#pairing =
      options.pair === undefined ? null : new Pairing(parseDurationUs(options.pair), metrics, (b) => this.#give(b));
    this.decoder = new ExporterDecoder(
      {
        names,
        frames: deps.frames,
        templateLifetimeUs: parseDurationUs(options.templateLifetime),
        samplingOf: samplingTable(options.sampling),
        withdrawals: options.type === 'ipfix' && options.transport !== 'udp',
      },
      {
        metrics,
        onFlows: (batch) => this.#flows(batch),
        onSeries: (name, timeUs, value, facts) => this.#intake?.series(name, timeUs, value, facts),
      },
    );
    this.#listener = this.#listen(options, logger, metrics);
  }

  #listen(options: CollectorOptions, logger: Logger, metrics: Metrics): Listener {
    const endpoint = parseListen(options.listen)!;
    const { name, reusePort } = options;
    if (options.type !== 'ipfix' || options.transport === 'udp') {
      return new UdpListener(
        endpoint,
        { name, reusePort, receiveBuffer: parseBytes(options.receiveBuffer) },
        { logger, metrics },
      );
    }
    const { cert = '', key = '', ca } = options;
    const tls = options.transport === 'tls' ? { cert, key, ca } : null;
    return new StreamListener(endpoint, { name, tls, isFull: () => this.#queue.length > 1024 }, logger);
  }

  /** The port that is open. */
  get port(): number {
    return this.#listener.port;
  }

  /** What is known of every exporter. */
  exporters(): ExporterStatus[] {
    return this.decoder.status(this.#clock.nowUs(), this.#silenceUs);
  }

  async start(wake: () => void): Promise<void> {
    this.#wake = wake;
    const receive = (bytes: Uint8Array, address: string, port: number): void => this.#receive(bytes, address, port);
    await this.#listener.start(receive, () => this.#queue.length < MOST_AHEAD);
  }

  #receive(bytes: Uint8Array, address: string, port: number): void {
    const wasEmpty = this.#queue.length === 0;
    if (!this.#queue.push(bytes, address, port, this.#clock.nowUs())) this.#queueFull.value++;
    else if (wasEmpty) this.#wake();
  }

  poll(intake: Intake, budget: number): boolean {
    this.#intake = intake;
    const { decoder } = this;
    const queue = this.#queue;
    const before = decoder.records;
    while (queue.length > 0 && decoder.records - before < budget) {
      queue.shift((from, to, address, port, timeUs) => decoder.decode(queue.data, from, to, address, port, timeUs));
    }
    // What came meanwhile is taken now: the socket's own buffer is the smallest of all.
    for (let turns = 0; turns < 16 && queue.length < MOST_AHEAD && this.#listener.pull?.(); turns++);
    decoder.flush();
    this.#pairing?.flush();
    this.#states();
    if (queue.length === 0 && this.#listener instanceof StreamListener) this.#listener.resume();
    return queue.length > 0;
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

  /** Once a second: how many exporters are silent and how many sample nobody knows how much, as series rules can watch. */
  #states(): void {
    const nowUs = this.#clock.nowUs();
    if (nowUs - this.#lastStatusUs < SECOND_US) return;
    this.#lastStatusUs = nowUs;
    const all = this.exporters();
    this.#silent.value = all.filter((exporter) => exporter.silent).length;
    this.#unknown.value = all.filter((exporter) => exporter.samplingUnknown).length;
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
      silent: all.filter((exporter) => exporter.silent).length,
      samplingUnknown: all.filter((exporter) => exporter.samplingUnknown).length,
      waiting: this.#queue.length,
      kernelDrops: this.#listener.drops,
    };
  }

  save(out: StateWriter): void {
    this.decoder.save(out);
  }

  restore(state: StateReader): void {
    this.decoder.restore(state);
  }

  async stop(): Promise<void> {
    await this.#listener.stop();
  }
}
