import type { Logger } from '../core/logger.ts';
import type { Counter, Metrics } from '../core/metrics.ts';
import { kernelDrops } from './kernel-drops.ts';

const SECOND_MS = 1000;

/** What the kernel gives a collector's sockets, and what it drops there. */
export class SocketWatch {
  /** Datagrams that the kernel dropped so far. */
  drops = 0;
  readonly #name: string;
  readonly #logger: Logger;
  readonly #total: Counter;
  readonly #bufferBytes: Counter;
  #inodes: readonly number[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(name: string, { logger, metrics }: { logger: Logger; metrics: Metrics }) {
    this.#name = name;
    this.#logger = logger;
    const labels = `source="${name}"`;
    this.#total = metrics.counter(
      `weir_exporter_kernel_drops_total{${labels}}`,
      'Datagrams that the kernel dropped because the receive buffer was full.',
    );
    this.#bufferBytes = metrics.counter(
      `weir_exporter_receive_buffer_bytes{${labels}}`,
      'Receive buffer of the socket.',
    );
  }

  /** @param inodes of the sockets, for /proc/net/udp */
  begin(wanted: number, given: number, inodes: readonly number[]): void {
    this.#bufferBytes.value = given;
    this.#inodes = inodes;
    this.#timer = setInterval(() => this.read(), SECOND_MS);
    this.#timer.unref();
    if (given >= wanted) return;
    this.#logger.warn(
      { code: 'exporter.buffer', source: this.#name, wanted, given },
      `the receive buffer is smaller than asked for; raise it: sysctl -w net.core.rmem_max=${wanted}`,
    );
  }

  read(): void {
    const drops = kernelDrops(this.#inodes);
    if (drops === null) return;
    this.#total.value += drops - this.drops;
    this.drops = drops;
  }

  end(): void {
    clearInterval(this.#timer);
    this.read();
  }
}
