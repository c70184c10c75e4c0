import { createSocket, type Socket } from 'node:dgram';
import type { Logger } from '../core/logger.ts';
import type { Counter, Metrics } from '../core/metrics.ts';
import type { Endpoint } from './collector-options.ts';
import { kernelDrops, socketInode } from './kernel-drops.ts';

/** Takes a datagram; `bytes` are the listener's again when the call returns. */
export type Receiver = (bytes: Uint8Array, address: string, port: number) => void;

export interface Listener {
  /** Resolves when the port is open. */
  start(receive: Receiver): Promise<void>;
  /** What the system lost so far. */
  readonly drops: number;
  /** The port that is open. */
  readonly port: number;
  stop(): Promise<void>;
}

const SECOND_MS = 1000;
const MAPPED = '::ffff:';

/** A UDP socket with a large buffer, which the kernel may not give: then it says so. */
export class UdpListener implements Listener {
  readonly #endpoint: Endpoint;
  readonly #options: { name: string; receiveBuffer: number; reusePort: boolean };
  readonly #logger: Logger;
  readonly #drops: Counter;
  readonly #bufferBytes: Counter;
  #socket: Socket | null = null;
  #timer: NodeJS.Timeout | undefined;
  #inode = -1;
  drops = 0;

  constructor(
    endpoint: Endpoint,
    options: { name: string; receiveBuffer: number; reusePort: boolean },
    { logger, metrics }: { logger: Logger; metrics: Metrics },
  ) {
    this.#endpoint = endpoint;
    this.#options = options;
    this.#logger = logger;
    const name = `source="${options.name}"`;
    this.#drops = metrics.counter(
      `weir_exporter_kernel_drops_total{${name}}`,
      'Datagrams that the kernel dropped because the receive buffer was full.',
    );
    this.#bufferBytes = metrics.counter(`weir_exporter_receive_buffer_bytes{${name}}`, 'Receive buffer of the socket.');
  }

  get port(): number {
    return this.#socket?.address().port ?? 0;
  }

  start(receive: Receiver): Promise<void> {
    const { address, port } = this.#endpoint;
    const type = address.includes(':') ? 'udp6' : 'udp4';
    const socket = createSocket({ type, reusePort: this.#options.reusePort });
    this.#socket = socket;
    socket.on('message', (bytes, from) => {
      const sender = from.address;
      receive(bytes, sender.startsWith(MAPPED) ? sender.slice(MAPPED.length) : sender, from.port);
    });
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, address, () => {
        socket.off('error', reject);
        socket.on('error', (error) =>
          this.#logger.warn({ code: 'exporter.socket', source: this.#options.name }, error.message),
        );
        this.#checkBuffer(socket);
        this.#watchDrops();
        resolve();
      });
    });
  }

  #checkBuffer(socket: Socket): void {
    const wanted = this.#options.receiveBuffer;
    try {
      socket.setRecvBufferSize(wanted);
    } catch (error) {
      this.#logger.warn({ code: 'exporter.buffer', source: this.#options.name }, String(error));
    }
    // Linux answers twice of what it gave, to count its own bookkeeping.
    const given = socket.getRecvBufferSize() / 2;
    this.#bufferBytes.value = given;
    if (given >= wanted) return;
    this.#logger.warn(
      { code: 'exporter.buffer', source: this.#options.name, wanted, given },
      `the receive buffer is smaller than asked for; raise it: sysctl -w net.core.rmem_max=${wanted}`,
    );
  }

  #watchDrops(): void {
    this.#inode = socketInode(this.port);
    this.#timer = setInterval(() => this.readDrops(), SECOND_MS);
    this.#timer.unref();
  }

  readDrops(): void {
    const drops = this.#inode < 0 ? null : kernelDrops(this.#inode);
    if (drops === null) return;
    this.#drops.value += drops - this.drops;
    this.drops = drops;
  }

  stop(): Promise<void> {
    clearInterval(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return Promise.resolve();
    this.readDrops();
    return new Promise((resolve) => socket.close(() => resolve()));
  }
}
