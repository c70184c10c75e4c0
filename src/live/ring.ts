import { PacketBatch } from '../model/packet-batch.ts';
import { TAG_BYTES } from './constants.ts';
import type { RingShape } from './socket.ts';

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
const CARD_STAMP = 1 << 31;
const OUTGOING = 4;
const ADDRESS_BYTES = 12;
const ETHERTYPE_VLAN = 0x8100;

/** Reads the packets of a ring where the kernel put them. */
export class Ring {
  readonly batch: PacketBatch;
  /** VLAN tags that the card had taken out and that were put back. */
  restoredTags = 0;
  /** Blocks whose numbers lead out of the block: the kernel never writes them. */
  badBlocks = 0;
  /** Packets without the card's time, where it was asked for. */
  unstamped = 0;
  readonly #shape: RingShape;
  readonly #status: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #block = 0;
  /** Where reading goes on within the block, and the packets left in it. */
  #next = 0;
  #left = 0;

  /** @param memory the ring's own bytes, not a copy */
  constructor(memory: ArrayBuffer, shape: RingShape) {
    this.#shape = shape;
    this.#status = new Int32Array(memory);
    this.#bytes = new Uint8Array(memory);
    this.#view = new DataView(memory);
    this.batch = new PacketBatch(4096);
    this.batch.setData(this.#bytes);
    this.batch.linkType.fill(shape.linkType);
  }

  /**
   * Puts the next packets of the block into `batch`, at most as many as it has room for. They lie in the ring until
   * `release` gives a finished block back to the kernel. @returns false when no block is ready
   */
  fill(): boolean {
    const { batch } = this;
    batch.length = 0;
    if (this.#left === 0 && !this.#openBlock()) return false;
    const blockEnd = (this.#block + 1) * this.#shape.blockBytes;
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
    const at = this.#block * this.#shape.blockBytes;
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
    if (this.#shape.loopback && this.#bytes[at + PACKET_TYPE] === OUTGOING) return;
    if (
      (view.getUint32(at + STATUS, true) & VLAN_VALID) !== 0 &&
      captured >= ADDRESS_BYTES &&
      this.#shape.linkType === 1
    ) {
      this.#restoreTag(at, offset);
      offset -= TAG_BYTES;
      captured += TAG_BYTES;
      wire += TAG_BYTES;
    }
    if (this.#shape.cardTime && (view.getInt32(at + STATUS, true) & CARD_STAMP) === 0) this.unstamped++;
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
    const at = this.#block * this.#shape.blockBytes;
    Atomics.store(this.#status, (at + BLOCK_STATUS) >> 2, 0);
    this.#block = (this.#block + 1) % this.#shape.blocks;
  }
}
