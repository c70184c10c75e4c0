import { DST, SRC } from '../model/packet-rows.ts';
import { FROM_HIGH, type KeyBatch, OCCUPIED } from './key-batch.ts';

/**
 * The flows that are open. A flow is a hot row of 32 words (two cache lines, touched by each packet) and a cold row
 * of 32 words (touched when it opens, turns a slice or leaves). Rows keep their number while the table grows; an
 * open-addressed index of (hash, row + 1) finds them. All memory is typed arrays and bounded by `maxFlows`.
 */
export const FLOW_SHIFT = 5;
export const FLOW = 1 << FLOW_SHIFT;

// Hot row. Words of the key; "low" and "high" are the key's two ends, in an order that both directions share.
export const LOW = 0;
export const HIGH = 4;
/** The low end's port in the high half. */
export const KEY_PORTS = 8;
/** Zero in a free row. */
export const KIND = 9;
export const PLACE = 10;
export const STATE = 11;
/** Float64 of the row (index `row offset / 2 + ...`): the record's first packet, microseconds. */
export const START_F64 = 6;
/** The second of event time that the open slice belongs to, and the second of the flow's last packet. */
export const SECOND = 14;
/** TCP flags of the open slice: low end's in bits 0..11, high end's in bits 16..27. */
export const SLICE_FLAGS = 15;
/** Packets of the open slice from the low and the high end; then octets and layer 2 octets as doubles. */
export const SLICE_PACKETS = 16;
export const SLICE_OCTETS_F64 = 9;
export const SLICE_LAYER2_F64 = 11;
/** First and last packet of the open slice. */
export const SLICE_START_F64 = 13;
export const SLICE_END_F64 = 14;
/** The next row in the same list of the expiry wheel. */
export const NEXT = 30;
export const SLICE_DNS = 31;

// Cold row, first line: read and written only by flows of more than one slice (`FOLDED`).
/** Totals of the record so far without the open slice, from the low and the high end. */
export const PACKETS_F64 = 0;
export const OCTETS_F64 = 2;
export const LAYER2_F64 = 4;
/** The latest packet, where a late one opened the slice (`LATE`). */
export const LAST_F64 = 6;
export const TOTAL_FLAGS = 14;

// Cold row, second line: what a flow's first packet brings.
export const HASH = 16;
export const FLOW_LAYERS = 17;
export const FLOW_SNI = 18;
/** The record's first DNS name and its type (low half); the slice's type (high half). */
export const FLOW_DNS = 19;
export const FLOW_DNS_TYPES = 20;
/** ICMP type and code in the low half, ipClassOfService in the high half: of the first packet. */
export const FLOW_ICMP_TOS = 21;
export const FLOW_INTERFACE = 22;
export const FLOW_VLAN = 23;
/** Only with `WITH_MAC`: high halves of both MAC addresses in one word (low end's above), then the low words. */
export const MAC_HIGH_HALVES = 24;
export const MAC_LOW_WORDS = 25;

/** Bits of `STATE`. The initiator is the key's high end. */
export const INITIATOR_HIGH = 1;
/** The low and the high end went on: carried data or TCP's ACK. */
export const WENT_ON = 2;
export const BOTH_WENT_ON = 6;
export const FIN_SEEN = 8;
export const BOTH_FIN_SEEN = 24;
/** TCP is over: a reset, or FIN from both ends. */
export const CLOSED = 32;
export const BEGAN_WITH_ANSWER = 64;
/** The flow's first slice has not left. */
export const FIRST_SLICE = 128;
/** No slice is open. */
export const NO_SLICE = 256;
export const FIRST_RECORD = 512;
/** A SYN-ACK came first: the other end opened the connection. */
export const OPENED_BY_OTHER = 1024;
export const SLICE_DNS_RESPONSE = 2048;
export const RECORD_DNS_RESPONSE = 4096;
export const WITH_OUTER = 8192;
export const WITH_MAC = 1 << 14;
export const LATE = 1 << 15;
/** The record's totals hold earlier slices; without it they hold nothing, whatever is written there. */
export const FOLDED = 1 << 19;
/** The row's number stands in the list of open slices, in the queue of closed connections, in the expiry wheel. */
export const IN_OPEN_SLICES = 1 << 16;
export const IN_CLOSING = 1 << 17;
export const IN_WHEEL = 1 << 18;
/** What survives when a row is freed and taken again: a row number leaves each list only when the list is walked. */
export const MEMBERSHIPS = IN_OPEN_SLICES | IN_CLOSING | IN_WHEEL;
/** A packet of a flow in one of these states leaves the fast path. */
export const ATTENTION = NO_SLICE | BEGAN_WITH_ANSWER;

const SMALLEST = 1 << 12;

export class FlowTable {
  readonly maxFlows: number;
  capacity: number;
  live = 0;
  hot: Int32Array;
  hotF64: Float64Array;
  cold: Int32Array;
  coldF64: Float64Array;
  /** Outermost addresses of the low and the high end, 8 words a row; grown only when a tunnel was seen. */
  outer: Int32Array = new Int32Array(0);
  /** Pairs (hash, row + 1), at most half full; its size follows the flows that are live. */
  index: Int32Array;
  /** Mask of an index position in entries (pairs). */
  mask: number;
  #free: Int32Array;
  #freeCount = 0;
  /** Rows that were ever taken. */
  used = 0;

  constructor(maxFlows: number) {
    this.maxFlows = Math.max(1, maxFlows);
    this.capacity = Math.min(SMALLEST, this.maxFlows);
    this.hot = new Int32Array(this.capacity * FLOW);
    this.hotF64 = new Float64Array(this.hot.buffer);
    this.cold = new Int32Array(this.capacity * FLOW);
    this.coldF64 = new Float64Array(this.cold.buffer);
    this.#free = new Int32Array(this.capacity);
    this.mask = 2 * SMALLEST - 1;
    this.index = new Int32Array(2 * (this.mask + 1));
  }

  /** Makes room for `count` more flows, as far as `maxFlows` allows; row numbers stay, the arrays do not. */
  reserve(count: number): void {
    const wanted = Math.min(this.live + count, this.maxFlows);
    let size = this.mask + 1;
    while (2 * wanted > size) size *= 2;
    if (size > this.mask + 1) this.#resizeIndex(size);
    if (wanted <= this.capacity) return;
    let { capacity } = this;
    while (capacity < wanted) capacity *= 2;
    this.#growRows(Math.min(capacity, this.maxFlows));
  }

  /** After a flood the index shrinks again, so that the few flows that stay share few cache lines. */
  settle(): void {
    if (16 * this.live < this.mask + 1 && this.mask + 1 > 2 * SMALLEST) this.#resizeIndex((this.mask + 1) / 4);
  }

  #growRows(capacity: number): void {
    this.capacity = capacity;
    this.hot = grown(this.hot, capacity * FLOW);
    this.hotF64 = new Float64Array(this.hot.buffer);
    this.cold = grown(this.cold, capacity * FLOW);
    this.coldF64 = new Float64Array(this.cold.buffer);
    this.#free = grown(this.#free, capacity);
    if (this.outer.length > 0) this.outer = grown(this.outer, 8 * capacity);
  }

  /** Entries hold all that is needed to enter them again. */
  #resizeIndex(size: number): void {
    const { index } = this;
    this.mask = size - 1;
    this.index = new Int32Array(2 * size);
    for (let at = 0; at < index.length; at += 2) if (index[at + 1] !== 0) this.#enter(index[at], index[at + 1] - 1);
  }

  #enter(hash: number, row: number): void {
    const { index, mask } = this;
    let at = hash & mask;
    while (index[2 * at + 1] !== 0) at = (at + 1) & mask;
    index[2 * at] = hash;
    index[2 * at + 1] = row + 1;
  }

  /** The row of key `i` of the batch, whose packet is at word `r`; -1 when no flow has it. */
  find(keys: KeyBatch, i: number, words: Int32Array, r: number): number {
    const { index, mask } = this;
    const hash = keys.hash[i];
    let at = hash & mask;
    while (index[2 * at + 1] !== 0) {
      const row = index[2 * at + 1] - 1;
      if (index[2 * at] === hash && this.hasKey(row, keys, i, words, r)) return row;
      at = (at + 1) & mask;
    }
    return -1;
  }

  hasKey(row: number, keys: KeyBatch, i: number, words: Int32Array, r: number): boolean {
    const { hot } = this;
    const o = row << FLOW_SHIFT;
    if (hot[o + KIND] !== keys.kind[i] || hot[o + KEY_PORTS] !== keys.ports[i] || hot[o + PLACE] !== keys.place[i]) {
      return false;
    }
    const swap = keys.info[i] & FROM_HIGH;
    const low = r + (swap ? DST : SRC);
    const high = r + (swap ? SRC : DST);
    for (let k = 3; k >= 0; k--) {
      if (hot[o + LOW + k] !== words[low + k] || hot[o + HIGH + k] !== words[high + k]) return false;
    }
    return true;
  }

  /** True when a flow must leave before another can be taken. */
  get full(): boolean {
    return this.live >= this.maxFlows;
  }

  /** Takes a row for key `i` and writes the key; the caller has made room and fills the rest. */
  take(keys: KeyBatch, i: number, words: Int32Array, r: number): number {
    const row = this.#freeCount > 0 ? this.#free[--this.#freeCount] : this.used++;
    const { hot } = this;
    const o = row << FLOW_SHIFT;
    const swap = keys.info[i] & FROM_HIGH;
    const low = r + (swap ? DST : SRC);
    const high = r + (swap ? SRC : DST);
    for (let k = 0; k < 4; k++) {
      hot[o + LOW + k] = words[low + k];
      hot[o + HIGH + k] = words[high + k];
    }
    hot[o + KEY_PORTS] = keys.ports[i];
    hot[o + KIND] = keys.kind[i];
    hot[o + PLACE] = keys.place[i];
    this.cold[o + HASH] = keys.hash[i];
    this.#enter(keys.hash[i], row);
    this.live++;
    return row;
  }

  /** Gives a row back; its key is found no more. */
  free(row: number): void {
    const o = row << FLOW_SHIFT;
    this.#leave(this.cold[o + HASH], row);
    this.hot[o + KIND] = 0;
    this.#free[this.#freeCount++] = row;
    this.live--;
  }

  /** Deletes by shifting back, so that no probe ever walks over graves (Knuth, TAOCP 3, 6.4, algorithm R). */
  #leave(hash: number, row: number): void {
    const { index, mask } = this;
    let hole = hash & mask;
    while (index[2 * hole + 1] !== row + 1) hole = (hole + 1) & mask;
    for (let at = (hole + 1) & mask; index[2 * at + 1] !== 0; at = (at + 1) & mask) {
      const home = index[2 * at] & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      index[2 * hole] = index[2 * at];
      index[2 * hole + 1] = index[2 * at + 1];
      hole = at;
    }
    index[2 * hole + 1] = 0;
  }

  /** The row's place in `outer`, which is made when the first tunnel comes. */
  outerAt(row: number): number {
    if (this.outer.length === 0) this.outer = new Int32Array(8 * this.capacity);
    return 8 * row;
  }

  /** Makes rows be taken from the first one again, without memberships; all flows have left. */
  clear(): void {
    for (let row = 0; row < this.used; row++) this.hot[(row << FLOW_SHIFT) + STATE] = 0;
    this.used = 0;
    this.#freeCount = 0;
  }

  isLive(row: number): boolean {
    return (this.hot[(row << FLOW_SHIFT) + KIND] & OCCUPIED) !== 0;
  }
}

function grown(old: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const fresh = new Int32Array(length);
  fresh.set(old);
  return fresh;
}
