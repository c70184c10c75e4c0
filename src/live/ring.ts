import { WeirError } from '../core/errors.ts';
import { PacketBatch } from '../model/packet-batch.ts';
import {
  AF_PACKET,
  EACCES,
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
  SO_ERROR,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SOL_PACKET,
  SOL_SOCKET,
  TPACKET_V3,
  words,
} from './constants.ts';
import type { NetworkInterface } from './interface.ts';
import type { BpfProgram, Libc } from './native.ts';

/**
 * A ring of TPACKET_V3 (Documentation/networking/packet_mmap.rst, linux/if_packet.h). All numbers are of the machine's own
 * byte order, which is little-endian where koffi has builds; only protocols are big-endian.
 *
 *   block   u32 version, u32 offset to private, u32 status, u32 packets, u32 offset to the first, ...
 *   packet  u32 next, u32 sec, u32 nsec, u32 snaplen, u32 len, u32 status, u16 mac, u16 net,
 *           u32 rxhash, u32 vlan_tci, u16 vlan_tpid, u16 -, 8 bytes -; then a sockaddr_ll at 48
 */
const BLOCK_STATUS = 8;
const BLOCK_PACKETS = 12;
const BLOCK_FIRST = 16;
const NEXT = 0;
const SECONDS = 4;
const NANOSECONDS = 8;
const CAPTURED = 12;
const WIRE = 16;
const STATUS = 20;
const MAC = 24;
const VLAN_TCI = 32;
const VLAN_TPID = 36;
const PACKET_TYPE = 58;
const HEADER_BYTES = 68;

const TO_USER = 1;
const VLAN_VALID = 1 << 4;
const VLAN_TPID_VALID = 1 << 6;
const OUTGOING = 4;
const TAG_BYTES = 4;
const ADDRESS_BYTES = 12;
const ETHERTYPE_VLAN = 0x8100;

export interface RingOptions {
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

export interface RingCounts {
  packets: number;
  drops: number;
}

/** One packet socket with its ring. Frames are read where the kernel put them. */
export class Ring {
  readonly batch: PacketBatch;
  /** VLAN tags that the card had taken out and that were put back. */
  restoredTags = 0;
  /** Blocks whose numbers lead out of the block: the kernel never writes them. */
  badBlocks = 0;
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #ring: { buffer: ArrayBuffer; unmap(): void };
  readonly #status: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #options: RingOptions;
  readonly #interface: NetworkInterface;
  #block = 0;
  /** Where reading goes on within the block, and the packets left in it. */
  #next = 0;
  #left = 0;

  /**
   * Opens and binds. The socket takes part in nothing before it is bound, so the filter is in force from the first packet on.
   * Throws `live.permission` when that is not allowed.
   */
  constructor(libc: Libc, device: NetworkInterface, options: RingOptions) {
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
    this.#status = new Int32Array(this.#ring.buffer);
    this.#bytes = new Uint8Array(this.#ring.buffer);
    this.#view = new DataView(this.#ring.buffer);
    this.batch = new PacketBatch(4096);
    this.batch.setData(this.#bytes);
    this.batch.linkType.fill(device.linkType);
    this.#join();
  }

  #prepare(): { buffer: ArrayBuffer; unmap(): void } {
    const { blockBytes, blocks, retireMs, filter, cardTime } = this.#options;
    this.#set(PACKET_VERSION, words(TPACKET_V3));
    this.#set(PACKET_RESERVE, words(TAG_BYTES));
    if (cardTime) this.#set(PACKET_TIMESTAMP, words(RAW_HARDWARE));
    if (filter !== null) this.#attach(filter);
    const frames = (blockBytes / FRAME_BYTES) * blocks;
    this.#set(PACKET_RX_RING, words(blockBytes, blocks, FRAME_BYTES, frames, retireMs, 0, 0));
    return this.#libc.map(this.#fd, blockBytes * blocks);
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
    return new WeirError(
      denied ? 'live.permission' : 'live.open',
      `the ring cannot be opened: ${what}, errno ${errno}`,
      {
        facts: { errno },
        hint: denied ? 'it needs CAP_NET_RAW: setcap cap_net_raw+ep, or AmbientCapabilities= of systemd' : undefined,
      },
    );
  }

  /** Event time of the first packet of the block that is ready; Infinity when none is. */
  get readyUs(): number {
    const at = this.#block * this.#options.blockBytes;
    if (this.#left === 0 && (Atomics.load(this.#status, (at + BLOCK_STATUS) >> 2) & TO_USER) === 0)
      return Number.POSITIVE_INFINITY;
    const packet = this.#left > 0 ? this.#next : at + this.#view.getUint32(at + BLOCK_FIRST, true);
    return packet + HEADER_BYTES > this.#bytes.length ? 0 : this.#timeUs(packet);
  }

  #timeUs(packet: number): number {
    const view = this.#view;
    return view.getUint32(packet + SECONDS, true) * 1e6 + Math.floor(view.getUint32(packet + NANOSECONDS, true) / 1000);
  }

  /**
   * Puts the next packets of the block into `batch`, at most as many as it has room for. They lie in the ring until
   * `release` gives a finished block back to the kernel. @returns false when no block is ready
   */
  fill(): boolean {
    const { batch } = this;
    batch.length = 0;
    if (this.#left === 0 && !this.#openBlock()) return false;
    const blockEnd = (this.#block + 1) * this.#options.blockBytes;
    let at = this.#next;
    while (this.#left > 0 && batch.length < batch.capacity) {
      if (at + HEADER_BYTES > blockEnd) {
        this.badBlocks++;
        this.#left = 0;
        break;
      }
      this.#packet(at, blockEnd);
      at += this.#view.getUint32(at + NEXT, true);
      this.#left--;
    }
    this.#next = at;
    return true;
  }

  #openBlock(): boolean {
    const at = this.#block * this.#options.blockBytes;
    if ((Atomics.load(this.#status, (at + BLOCK_STATUS) >> 2) & TO_USER) === 0) return false;
    this.#left = this.#view.getUint32(at + BLOCK_PACKETS, true);
    this.#next = at + this.#view.getUint32(at + BLOCK_FIRST, true);
    return true;
  }

  #packet(at: number, blockEnd: number): void {
    const { batch } = this;
    const view = this.#view;
    let offset = at + view.getUint16(at + MAC, true);
    let captured = view.getUint32(at + CAPTURED, true);
    let wire = view.getUint32(at + WIRE, true);
    if (offset + captured > blockEnd) {
      this.badBlocks++;
      return;
    }
    if (this.#interface.loopback && this.#bytes[at + PACKET_TYPE] === OUTGOING) return;
    if (
      (view.getUint32(at + STATUS, true) & VLAN_VALID) !== 0 &&
      captured >= ADDRESS_BYTES &&
      this.#interface.linkType === 1
    ) {
      this.#restoreTag(at, offset);
      offset -= TAG_BYTES;
      captured += TAG_BYTES;
      wire += TAG_BYTES;
    }
    const row = batch.length++;
    const nanos = view.getUint32(at + NANOSECONDS, true);
    const micros = Math.floor(nanos / 1000);
    batch.offset[row] = offset;
    batch.capturedLength[row] = captured;
    batch.wireLength[row] = wire;
    batch.timeUs[row] = view.getUint32(at + SECONDS, true) * 1e6 + micros;
    batch.nanos[row] = nanos - 1000 * micros;
  }

  /** The card took the tag out; there is room before the frame (PACKET_RESERVE) to move both addresses and put it back. */
  #restoreTag(at: number, offset: number): void {
    const view = this.#view;
    const given = (view.getUint32(at + STATUS, true) & VLAN_TPID_VALID) !== 0;
    const protocol = given ? view.getUint16(at + VLAN_TPID, true) : ETHERTYPE_VLAN;
    this.#bytes.copyWithin(offset - TAG_BYTES, offset, offset + ADDRESS_BYTES);
    view.setUint16(offset + ADDRESS_BYTES - TAG_BYTES, protocol, false);
    view.setUint16(offset + ADDRESS_BYTES - TAG_BYTES + 2, view.getUint32(at + VLAN_TCI, true), false);
    this.restoredTags++;
  }

  /** Gives the block back once all of it was taken: `batch` must not be read any more. */
  release(): void {
    if (this.#left > 0) return;
    const at = this.#block * this.#options.blockBytes;
    Atomics.store(this.#status, (at + BLOCK_STATUS) >> 2, 0);
    this.#block = (this.#block + 1) % this.#options.blocks;
  }

  /** What came and what the kernel had no room for since the last call (reading resets it). */
  counts(): RingCounts {
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

  close(): void {
    this.#ring.unmap();
    this.#libc.close(this.#fd);
  }
}
