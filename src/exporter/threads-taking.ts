import type { InputError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { StateReader, StateWriter } from '../core/state.ts';
import { parseBytes } from '../core/units.ts';
import type { FlowBatch } from '../model/flow-batch.ts';
import { type CollectorOptions, parseListen } from './collector-options.ts';
import { CollectorThread, type ThreadDeps } from './collector-thread.ts';
import type { ExporterStatus } from './exporter-status.ts';
import { SocketWatch } from './socket-watch.ts';
import type { Taking, TakingPorts } from './taking.ts';
import { restoreTaking, saveTaking, type TakingState } from './taking-state.ts';
import { openPorts, type UdpPort } from './udp-port.ts';

/** How often threads are looked at for rows. */
const LOOK_MS = 5;

export interface ThreadsDeps extends Omit<ThreadDeps, 'failed'> {
  metrics: Metrics;
  logger: Logger;
}

/**
 * A port that threads share: each has a socket of its own, takes what comes and decodes it, whatever the engine's thread
 * does meanwhile. An exporter's datagrams all come to the same thread.
 */
export class ThreadsTaking implements Taking {
  error: InputError | null = null;
  readonly #options: CollectorOptions;
  readonly #ports: TakingPorts;
  readonly #deps: ThreadsDeps;
  readonly #watch: SocketWatch;
  #sockets: UdpPort[] = [];
  #threads: CollectorThread[] = [];
  #restored: TakingState = { parts: [], rows: [] };
  #timer: NodeJS.Timeout | undefined;

  constructor(options: CollectorOptions, ports: TakingPorts, deps: ThreadsDeps) {
    this.#options = options;
    this.#ports = ports;
    this.#deps = deps;
    this.#watch = new SocketWatch(options.name, deps);
  }

  get port(): number {
    return this.#sockets[0]?.port ?? 0;
  }

  get drops(): number {
    return this.#watch.drops;
  }

  get waiting(): number {
    return this.#threads.reduce((sum, thread) => sum + thread.waiting, 0);
  }

  exporters(): ExporterStatus[] {
    return this.#threads.flatMap((thread) => thread.exporters);
  }

  async start(wake: () => void): Promise<void> {
    const { listen, workers: threads, reusePort, receiveBuffer } = this.#options;
    const socket = { reusePort, receiveBuffer: parseBytes(receiveBuffer) };
    this.#sockets = openPorts(this.#deps.library, parseListen(listen)!, socket, threads);
    this.#watch.begin(
      socket.receiveBuffer,
      this.#sockets[0].receiveBuffer,
      this.#sockets.map((each) => each.inode),
    );
    const share = 2 ** Math.ceil(Math.log2(threads));
    const common = { options: this.#options, threads, share, saved: this.#restored.parts };
    const deps = { ...this.#deps, failed: (message: string) => this.#failed(message) };
    this.#threads = this.#sockets.map(
      ({ fd }, index) => new CollectorThread({ ...common, fd, index }, this.#ports, deps),
    );
    await Promise.all(this.#threads.map((thread) => thread.begin()));
    this.#timer = setInterval(() => {
      if (this.#threads.some((thread) => thread.ready)) wake();
    }, LOOK_MS);
    if (this.#restored.rows.length > 0) wake();
  }

  #failed(message: string): void {
    this.error = { code: 'exporter.thread', offset: 0, message };
    this.#deps.logger.error({ code: 'exporter.thread', source: this.#options.name }, message);
  }

  poll(budget: number): boolean {
    for (const batch of this.#restored.rows.splice(0)) this.#ports.onFlows(batch);
    let more = false;
    for (const thread of this.#threads) more = thread.poll(budget / this.#threads.length) || more;
    return more;
  }

  save(out: StateWriter): void {
    const rows: FlowBatch[] = this.#restored.rows;
    const parts = this.#threads.length === 0 ? this.#restored.parts : this.#threads.map((thread) => thread.state(rows));
    saveTaking(out, { parts, rows });
    this.#restored = { parts: [], rows };
  }

  restore(state: StateReader): void {
    this.#restored = restoreTaking(state);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const [threads, sockets] = [this.#threads, this.#sockets];
    this.#threads = [];
    this.#sockets = [];
    await Promise.all(threads.map((thread) => thread.stop()));
    this.#watch.end();
    for (const socket of sockets) socket.close();
  }
}
