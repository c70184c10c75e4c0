import { createSocket, type Socket } from 'node:dgram';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Counter, Metrics } from '../core/metrics.ts';
import type { Endpoint } from './collector-options.ts';
import { kernelDrops, socketInode } from './kernel-drops.ts';
import { hasNativeSocket, NativeSocket, type Receiver } from './native-socket.ts';

export type { Receiver } from './native-socket.ts';

export interface Listener {
  /** Resolves when the port is open. */
  start(receive: Receiver, hasRoom: () => boolean): Promise<void>;
  /** What the system lost so far. */
  readonly drops: number;
  /** The port that is open. */
  readonly port: number;
  /** Takes what waits in the system, without waiting. @returns whether there may be more */
  pull?(): boolean;
  stop(): Promise<void>;
}

const SECOND_MS = 1000;
/** Calls of 128 datagrams after which the engine has its turn. */
const MOST_TURNS = 16;
const MAPPED = '::ffff:';

/** A UDP socket with a large buffer, which the kernel may not give: then it says so. */
export class UdpListener implements Listener {
  readonly #endpoint: Endpoint;
  readonly #options: { name: string; receiveBuffer: number; reusePort: boolean };
  readonly #logger: Logger;
  readonly #drops: Counter;
  readonly #bufferBytes: Counter;
  #socket: Socket | null = null;
  #native: NativeSocket | null = null;
  #following: Promise<void> = Promise.resolve();
  #receive: Receiver = () => {};
  #hasRoom: () => boolean = () => true;
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
    return this.#native?.port ?? this.#socket?.address().port ?? 0;
  }

  async start(receive: Receiver, hasRoom: () => boolean): Promise<void> {
    this.#receive = receive;
    this.#hasRoom = hasRoom;
    if (hasNativeSocket) this.#openNative();
    else await this.#openNode();
    this.#watchDrops();
  }

  #openNative(): void {
    const native = new NativeSocket();
    native.open(this.#endpoint, this.#options);
    this.#native = native;
    this.#checkBuffer(native.receiveBuffer);
    this.#following = this.#follow(native);
  }

  /** Whenever something is there it goes to the queue, which the engine's own pulling may have emptied already. */
  async #follow(native: NativeSocket): Promise<void> {
    while (this.#native === native) {
      await native.wait();
      // Where the queue has no room the kernel drops, which costs nothing.
      for (let turns = 0; turns < MOST_TURNS && this.#hasRoom() && this.pull(); turns++);
      await new Promise(setImmediate);
    }
    native.close();
  }

  pull(): boolean {
    return this.#native !== null && this.#native.read(this.#receive) > 0;
  }

  #openNode(): Promise<void> {
    const { address, port } = this.#endpoint;
    const type = address.includes(':') ? 'udp6' : 'udp4';
    const socket = createSocket({ type, reusePort: this.#options.reusePort });
    this.#socket = socket;
    socket.on('message', (bytes, from) => {
      const sender = from.address;
      this.#receive(bytes, sender.startsWith(MAPPED) ? sender.slice(MAPPED.length) : sender, from.port);
    });
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, address, () => {
        socket.off('error', reject);
        socket.on('error', (error) => this.#warn(error.message));
        this.#tryBuffer(socket);
        resolve();
      });
    });
  }

  #tryBuffer(socket: Socket): void {
    try {
      socket.setRecvBufferSize(this.#options.receiveBuffer);
    } catch (error) {
      this.#warn(messageOf(error));
    }
    this.#checkBuffer(socket.getRecvBufferSize() / 2);
  }

  #warn(message: string): void {
    this.#logger.warn({ code: 'exporter.socket', source: this.#options.name }, message);
  }

  #checkBuffer(given: number): void {
    const wanted = this.#options.receiveBuffer;
    this.#bufferBytes.value = given;
    if (given >= wanted) return;
    this.#logger.warn(
      { code: 'exporter.buffer', source: this.#options.name, wanted, given },
      `the receive buffer is smaller than asked for; raise it: sysctl -w net.core.rmem_max=${wanted}`,
    );
  }

  #watchDrops(): void {
    const { port } = this;
    this.#inode = socketInode(port);
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
    this.readDrops();
    const socket = this.#socket;
    this.#socket = null;
    this.#native = null;
    // Whoever waits for datagrams closes the socket: then the port is free again.
    if (socket === null) return this.#following;
    return new Promise((resolve) => socket.close(() => resolve()));
  }
}
