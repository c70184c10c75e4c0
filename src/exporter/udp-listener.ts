import { createSocket, type Socket } from 'node:dgram';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Endpoint } from './collector-options.ts';
import { socketInode } from './kernel-drops.ts';
import { MessageReceiver, type Receiver } from './message-receiver.ts';
import { hasNativeSocket, loadLibrary } from './native-library.ts';
import { SocketWatch } from './socket-watch.ts';
import { UdpPort } from './udp-port.ts';

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

/** Calls of 128 datagrams after which the engine has its turn. */
const MOST_TURNS = 16;
const IDLE_MS = 250;
const MAPPED = '::ffff:';

/** A UDP socket with a large buffer, which the kernel may not give: then it says so. */
export class UdpListener implements Listener {
  readonly #endpoint: Endpoint;
  readonly #options: { name: string; receiveBuffer: number; reusePort: boolean };
  readonly #logger: Logger;
  readonly #watch: SocketWatch;
  #socket: Socket | null = null;
  #native: UdpPort | null = null;
  #receiver: MessageReceiver | null = null;
  #following: Promise<void> = Promise.resolve();
  #receive: Receiver = () => {};
  #hasRoom: () => boolean = () => true;

  constructor(
    endpoint: Endpoint,
    options: { name: string; receiveBuffer: number; reusePort: boolean },
    deps: { logger: Logger; metrics: Metrics },
  ) {
    this.#endpoint = endpoint;
    this.#options = options;
    this.#logger = deps.logger;
    this.#watch = new SocketWatch(options.name, deps);
  }

  get port(): number {
    return this.#native?.port ?? this.#socket?.address().port ?? 0;
  }

  get drops(): number {
    return this.#watch.drops;
  }

  async start(receive: Receiver, hasRoom: () => boolean): Promise<void> {
    this.#receive = receive;
    this.#hasRoom = hasRoom;
    if (hasNativeSocket) this.#openNative();
    else await this.#openNode();
  }

  #openNative(): void {
    const library = loadLibrary();
    const native = new UdpPort(library, this.#endpoint, this.#options);
    this.#native = native;
    this.#receiver = new MessageReceiver(library, native.fd);
    this.#watch.begin(this.#options.receiveBuffer, native.receiveBuffer, [native.inode]);
    this.#following = this.#follow(native, this.#receiver);
  }

  /** Whenever something is there it goes to the queue, which the engine's own pulling may have emptied already. */
  async #follow(native: UdpPort, receiver: MessageReceiver): Promise<void> {
    while (this.#native === native) {
      await receiver.waitAsync(IDLE_MS);
      // Where the queue has no room the kernel drops, which costs nothing.
      for (let turns = 0; turns < MOST_TURNS && this.#hasRoom() && this.pull(); turns++);
      await new Promise(setImmediate);
    }
    native.close();
  }

  pull(): boolean {
    return this.#native !== null && this.#receiver!.read(this.#receive) > 0;
  }

  #openNode(): Promise<void> {
    const { address, port } = this.#endpoint;
    const type = address.includes(':') ? 'udp6' : 'udp4';
    const socket = createSocket({ type, reusePort: this.#options.reusePort });
    this.#socket = socket;
    socket.on('message', (bytes, from) => {
      const sender = from.address.startsWith(MAPPED) ? from.address.slice(MAPPED.length) : from.address;
      this.#receive(bytes, 0, bytes.length, sender, from.port);
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
    this.#watch.begin(this.#options.receiveBuffer, socket.getRecvBufferSize() / 2, [socketInode(this.port)]);
  }

  #warn(message: string): void {
    this.#logger.warn({ code: 'exporter.socket', source: this.#options.name }, message);
  }

  stop(): Promise<void> {
    this.#watch.end();
    const socket = this.#socket;
    this.#socket = null;
    this.#native = null;
    // Whoever waits for datagrams closes the socket: then the port is free again.
    if (socket === null) return this.#following;
    return new Promise((resolve) => socket.close(() => resolve()));
  }
}
