import { WeirError } from '../core/errors.ts';
import {
  AF_PACKET,
  EACCES,
  ENOMEM,
  EPERM,
  ETH_P_ALL,
  FANOUT_DEFRAG,
  FANOUT_HASH,
  FRAME_BYTES,
  MEMBERSHIP_PROMISCUOUS,
  PACKET_ADD_MEMBERSHIP,
  PACKET_FANOUT,
  PACKET_RESERVE,
  PACKET_RX_RING,
  PACKET_STATISTICS,
  PACKET_TIMESTAMP,
  PACKET_VERSION,
  RAW_HARDWARE,
  SO_ATTACH_FILTER,
  SO_DETACH_FILTER,
  SO_ERROR,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SOL_PACKET,
  SOL_SOCKET,
  TAG_BYTES,
  TPACKET_V3,
  words,
} from './constants.ts';
import type { NetworkInterface } from './interface.ts';
import type { BpfProgram, Libc } from './native.ts';

/** The filter that lets nothing through: `ret #0`. */
const NOTHING: BpfProgram = Uint8Array.of(6, 0, 0, 0, 0, 0, 0, 0);

export interface SocketOptions {
  blockBytes: number;
  blocks: number;
  /** The kernel gives a block that is not full after this. */
  retireMs: number;
  filter: BpfProgram | null;
  promiscuous: boolean;
  cardTime: boolean;
  /** Rings of one group share the traffic by flow. */
  fanout: number | null;
}

/** Where a ring lies in this process, and what comes in it: plain data for the thread that reads it. */
export interface RingShape {
  address: bigint;
  blockBytes: number;
  blocks: number;
  linkType: number;
  /** Each packet comes twice, and is taken where it comes in. */
  loopback: boolean;
  /** The card's own stamps were asked for. */
  cardTime: boolean;
}

export interface SocketCounts {
  packets: number;
  drops: number;
}

/** One packet socket with its ring, which another thread may read. */
export class PacketSocket {
  readonly shape: RingShape;
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #ring: { address: bigint; unmap(): void };
  readonly #options: SocketOptions;
  readonly #interface: NetworkInterface;

  /**
   * Opens and binds. The socket takes part in nothing before it is bound, so the filter is in force from the first packet on; of a
   * group, `begin` lets the packets in.
   * Throws `live.permission` when that is not allowed, `live.memory` when there is no room for the ring.
   */
  constructor(libc: Libc, device: NetworkInterface, options: SocketOptions) {
    this.#libc = libc;
    this.#options = options;
    this.#interface = device;
    this.#fd = libc.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (this.#fd < 0) throw this.#failure('socket');
    try {
      this.#ring = this.#prepare();
    } catch (cause) {
      libc.close(this.#fd);
      throw cause;
    }
    const { blockBytes, blocks, cardTime } = options;
    const { linkType, loopback } = device;
    this.shape = { address: this.#ring.address, blockBytes, blocks, linkType, loopback, cardTime };
    this.#join();
  }

  #prepare(): { address: bigint; unmap(): void } {
    const { blockBytes, blocks, retireMs, filter, cardTime, fanout } = this.#options;
    this.#set(PACKET_VERSION, words(TPACKET_V3));
    this.#set(PACKET_RESERVE, words(TAG_BYTES));
    if (cardTime) this.#set(PACKET_TIMESTAMP, words(RAW_HARDWARE));
    const first = fanout === null ? filter : NOTHING;
    if (first !== null) this.#attach(first);
    const frames = (blockBytes / FRAME_BYTES) * blocks;
    this.#set(PACKET_RX_RING, words(blockBytes, blocks, FRAME_BYTES, frames, retireMs, 0, 0));
    return this.#libc.map(this.#fd, blockBytes * blocks);
  }

  /** One of many rings takes nothing until this is called: before all are in the group, some packets would come twice. */
  begin(): void {
    const { filter, fanout } = this.#options;
    if (fanout === null) return;
    if (filter !== null) this.#attach(filter);
    else this.#libc.setsockopt(this.#fd, SOL_SOCKET, SO_DETACH_FILTER, words(0), 4);
  }

  /** `struct sock_fprog`: a count and a pointer, which is an address within this process. */
  #attach(filter: BpfProgram): void {
    const program = new Uint8Array(16);
    const view = new DataView(program.buffer);
    view.setUint16(0, filter.length / 8, true);
    view.setBigUint64(8, this.#libc.addressOf(filter), true);
    if (this.#libc.setsockopt(this.#fd, SOL_SOCKET, SO_ATTACH_FILTER, program, 16) !== 0) throw this.#failure('filter');
  }

  /** `struct sockaddr_ll`; then promiscuous mode and the group. */
  #join(): void {
    const address = new Uint8Array(20);
    const view = new DataView(address.buffer);
    view.setUint16(0, AF_PACKET, true);
    view.setUint16(2, ETH_P_ALL, false);
    view.setInt32(4, this.#interface.index, true);
    if (this.#libc.bind(this.#fd, address, address.length) !== 0) {
      const failure = this.#failure('bind');
      this.close();
      throw failure;
    }
    if (this.#options.promiscuous) {
      const membership = new Uint8Array(16);
      new DataView(membership.buffer).setInt32(0, this.#interface.index, true);
      membership[4] = MEMBERSHIP_PROMISCUOUS;
      this.#set(PACKET_ADD_MEMBERSHIP, membership);
    }
    const { fanout } = this.#options;
    if (fanout !== null) this.#set(PACKET_FANOUT, words(((FANOUT_HASH | FANOUT_DEFRAG) << 16) | (fanout & 0xffff)));
  }

  #set(name: number, value: Uint8Array): void {
    if (this.#libc.setsockopt(this.#fd, SOL_PACKET, name, value, value.length) !== 0)
      throw this.#failure(`option ${name}`);
  }

  #failure(what: string): WeirError {
    const errno = this.#libc.errno();
    const denied = errno === EPERM || errno === EACCES;
    const code = errno === ENOMEM ? 'live.memory' : 'live.open';
    return new WeirError(denied ? 'live.permission' : code, `the ring cannot be opened: ${what}, errno ${errno}`, {
      facts: { errno },
      hint: denied ? 'it needs CAP_NET_RAW: setcap cap_net_raw+ep, or AmbientCapabilities= of systemd' : undefined,
    });
  }

  /** What came and what the kernel had no room for since the last call (reading resets it). */
  counts(): SocketCounts {
    const value = new Uint8Array(12);
    const failed = this.#libc.getsockopt(this.#fd, SOL_PACKET, PACKET_STATISTICS, value, Uint32Array.of(12)) !== 0;
    const view = new DataView(value.buffer);
    return failed ? { packets: 0, drops: 0 } : { packets: view.getUint32(0, true), drops: view.getUint32(4, true) };
  }

  /** A pending error of the socket (ENETDOWN while the interface is down), which is cleared by asking; 0 without. */
  pendingError(): number {
    const value = new Uint8Array(4);
    this.#libc.getsockopt(this.#fd, SOL_SOCKET, SO_ERROR, value, Uint32Array.of(4));
    return new DataView(value.buffer).getInt32(0, true);
  }

  /** Nobody may read the ring any more. */
  close(): void {
    this.#ring.unmap();
    this.#libc.close(this.#fd);
  }
}
