import { WeirError } from '../core/errors.ts';
import type { PacketRows } from '../model/packet-rows.ts';
import type { NetworkInterface } from './interface.ts';
import type { BpfProgram, Libc } from './native.ts';
import { ReaderThread, type ReaderThreadDeps } from './reader-thread.ts';
import { PacketSocket, type SocketCounts } from './socket.ts';

/**
 * A block is given when it is full, or after `RETIRE_MS`: at low rates it is their number that decides how long a reader
 * may be away. The largest frame (64 KiB) fits into one.
 */
const BLOCK_BYTES = 128 << 10;
const RETIRE_MS = 20;
/** A ring without a size holds this much of the line's speed, within these bounds, MiB. */
const LINE_SECONDS = 0.5;
const LEAST_MIB = 32;
const MOST_MIB = 256;
const UNKNOWN_SPEED_MIB = 128;
/** Where the memory is not to be had, half of it may be, down to this. */
const FEWEST_MIB = 8;

export interface RingsOptions {
  workers: number;
  filter: BpfProgram | null;
  promiscuous: boolean;
  cardTime: boolean;
  /** MiB of all rings together; without one, by the speed of the line. */
  ring: number | undefined;
}

/** What `ring` is when nobody says it. */
export function defaultRing({ speed }: NetworkInterface): number {
  if (speed <= 0) return UNKNOWN_SPEED_MIB;
  return Math.min(MOST_MIB, Math.max(LEAST_MIB, Math.round((speed * 1e6 * LINE_SECONDS) / 8 / 2 ** 20)));
}

/** The rings of one interface with the threads that empty them. */
export class Rings {
  /** MiB that they have together. */
  readonly size: number;
  readonly #sockets: PacketSocket[];
  readonly #threads: ReaderThread[];

  private constructor(sockets: PacketSocket[], size: number, deps: ReaderThreadDeps) {
    this.size = size;
    this.#sockets = sockets;
    this.#threads = sockets.map(({ shape }) => new ReaderThread(shape, sockets.length, deps));
  }

  /** Throws `live.permission` and what else keeps a socket from being opened. */
  static open(libc: Libc, device: NetworkInterface, options: RingsOptions, deps: ReaderThreadDeps): Rings {
    for (let size = options.ring ?? defaultRing(device); ; size >>= 1) {
      try {
        return new Rings(openSockets(libc, device, options, size), size, deps);
      } catch (cause) {
        const less = cause instanceof WeirError && cause.code === 'live.memory' && size > FEWEST_MIB;
        if (!less) throw cause;
      }
    }
  }

  get count(): number {
    return this.#sockets.length;
  }

  get ready(): boolean {
    return this.#threads.some((thread) => thread.look() !== Number.POSITIVE_INFINITY);
  }

  /** The packets that come first; null when there are none. They are the thread's again at the next call. */
  next(): PacketRows | null {
    let first: ReaderThread | null = null;
    let firstUs = Number.POSITIVE_INFINITY;
    for (const thread of this.#threads) {
      const us = thread.look();
      if (us >= firstUs) continue;
      first = thread;
      firstUs = us;
    }
    return first === null ? null : first.take();
  }

  /** What came and what was lost since the last call; clears pending errors. */
  counts(): SocketCounts {
    const sum = { packets: 0, drops: 0 };
    for (const socket of this.#sockets) {
      const { packets, drops } = socket.counts();
      sum.packets += packets;
      sum.drops += drops;
      socket.pendingError();
    }
    return sum;
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.stop()));
    for (const socket of this.#sockets) socket.close();
  }
}

function openSockets(libc: Libc, device: NetworkInterface, options: RingsOptions, size: number): PacketSocket[] {
  const { workers, filter, promiscuous, cardTime } = options;
  const fanout = workers === 1 ? null : (process.pid * 31 + device.index) & 0xffff;
  const blocks = Math.max(2, Math.floor((size << 20) / BLOCK_BYTES / workers));
  const common = { blockBytes: BLOCK_BYTES, blocks, retireMs: RETIRE_MS, filter, promiscuous, cardTime, fanout };
  const sockets: PacketSocket[] = [];
  try {
    for (let i = 0; i < workers; i++) sockets.push(new PacketSocket(libc, device, common));
    for (const socket of sockets) socket.begin();
  } catch (cause) {
    for (const opened of sockets) opened.close();
    throw cause;
  }
  return sockets;
}
