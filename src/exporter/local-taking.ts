import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import { StateReader, StateWriter } from '../core/state.ts';
import { parseBytes } from '../core/units.ts';
import type { FlowBatch } from '../model/flow-batch.ts';
import type { Names } from '../model/names.ts';
import { type CollectorOptions, parseListen } from './collector-options.ts';
import { Decoding } from './decoding.ts';
import type { ExporterStatus } from './exporter-status.ts';
import type { FrameDecoder } from './frames.ts';
import type { Receiver } from './message-receiver.ts';
import { StreamListener } from './stream-listener.ts';
import type { Taking, TakingPorts } from './taking.ts';
import { restoreTaking, saveTaking } from './taking-state.ts';
import { type Listener, UdpListener } from './udp-listener.ts';

/** Datagrams that are taken from the system ahead of the engine: some tenths of a second. */
const MOST_AHEAD = 16_384;
/** Messages of a stream that wait before its exporters have to. */
const MOST_OF_STREAMS = 1024;
const MOST_PULLS = 16;

export interface LocalDeps {
  names: Names;
  metrics: Metrics;
  logger: Logger;
  clock: Clock;
  frames: FrameDecoder;
}

/** Datagrams taken and decoded on the engine's own thread: streams, and systems without the calls of Linux. */
export class LocalTaking implements Taking {
  readonly error = null;
  readonly #decoding: Decoding;
  readonly #listener: Listener;
  readonly #clock: Clock;
  readonly #ports: TakingPorts;
  /** Of a run before this one. */
  #rows: FlowBatch[] = [];
  #wake: () => void = () => {};

  constructor(options: CollectorOptions, ports: TakingPorts, deps: LocalDeps) {
    this.#clock = deps.clock;
    this.#ports = ports;
    this.#decoding = new Decoding(options, { ...deps, ...ports });
    this.#listener = this.#listen(options, deps);
  }

  #listen(options: CollectorOptions, { logger, metrics }: LocalDeps): Listener {
    const endpoint = parseListen(options.listen)!;
    const { name, reusePort } = options;
    if (options.type !== 'ipfix' || options.transport === 'udp') {
      const socket = { name, reusePort, receiveBuffer: parseBytes(options.receiveBuffer) };
      return new UdpListener(endpoint, socket, { logger, metrics });
    }
    const { cert = '', key = '', ca } = options;
    const tls = options.transport === 'tls' ? { cert, key, ca } : null;
    return new StreamListener(endpoint, { name, tls, isFull: () => this.waiting > MOST_OF_STREAMS }, logger);
  }

  get port(): number {
    return this.#listener.port;
  }

  get drops(): number {
    return this.#listener.drops;
  }

  get waiting(): number {
    return this.#decoding.queue.length;
  }

  exporters(): ExporterStatus[] {
    return this.#decoding.decoder.status();
  }

  async start(wake: () => void): Promise<void> {
    this.#wake = wake;
    await this.#listener.start(this.#receive, () => this.waiting < MOST_AHEAD);
  }

  readonly #receive: Receiver = (data, from, to, address, port) => {
    const wasEmpty = this.waiting === 0;
    this.#decoding.push(data, from, to, address, port, this.#clock.nowUs());
    if (wasEmpty) this.#wake();
  };

  poll(budget: number): boolean {
    for (const batch of this.#rows.splice(0)) this.#ports.onFlows(batch);
    this.#decoding.run(budget);
    // What came meanwhile is taken now: the socket's own buffer is the smallest of all.
    for (let turns = 0; turns < MOST_PULLS && this.waiting < MOST_AHEAD && this.#listener.pull?.(); turns++);
    this.#decoding.decoder.flush();
    if (this.waiting === 0 && this.#listener instanceof StreamListener) this.#listener.resume();
    return this.waiting > 0;
  }

  save(out: StateWriter): void {
    const part = new StateWriter();
    this.#decoding.save(part);
    saveTaking(out, { parts: [part.concat()], rows: this.#rows });
  }

  restore(state: StateReader): void {
    const { parts, rows } = restoreTaking(state);
    for (const part of parts) this.#decoding.restore(new StateReader(part));
    this.#rows = rows;
  }

  async stop(): Promise<void> {
    await this.#listener.stop();
  }
}
