import type { PacketBatch } from '../model/packet-batch.ts';
import * as packet from '../model/packet-rows.ts';

const UDP = 17;
const UDP_HEADER = 8;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const FRAGMENT_HEADER = 8;
const IPV6_FRAGMENT = 44;
/** Hop-by-hop options, routing, destination options: headers that may stand before the fragment's. */
const BEFORE_FRAGMENT = new Set([0, 43, 60]);
/** Headers before IP's are never longer: links and tunnels. */
const DEEPEST = 512;
const MOST_BYTES = 65_535 - UDP_HEADER;
const MOST_WAITING = 256;
const LIFETIME_US = 30e6;

/** A UDP datagram out of its fragments: `data` from its payload on. */
export interface Datagram {
  data: Uint8Array;
  port: number;
}

interface Fragment {
  key: string;
  /** Bytes of the IP payload before this one's. */
  offset: number;
  isLast: boolean;
  from: number;
  to: number;
}

interface Waiting {
  timeUs: number;
  pieces: Map<number, Uint8Array>;
  bytes: number;
  /** Bytes of the whole, -1 until the last fragment is there. */
  total: number;
}

/**
 * UDP datagrams that a capture has in fragments (RFC 791, section 3.2; RFC 8200, section 4.5): bounded in number, bytes and
 * time, the oldest leave first. Pieces that overlap are not believed: such a datagram never becomes whole.
 */
export class Reassembly {
  readonly #waiting = new Map<string, Waiting>();

  /** Takes packet `at`, whose row is `row`. @returns the datagram that it completes, null else */
  add(batch: PacketBatch, at: number, rows: packet.PacketRows, row: number): Datagram | null {
    const fragment = fragmentOf(batch, at, rows, row);
    if (fragment === null) return null;
    const timeUs = batch.timeUs[at];
    const waiting = this.#open(fragment.key, timeUs);
    const { offset, from, to, isLast } = fragment;
    if (!waiting.pieces.has(offset)) waiting.bytes += to - from;
    waiting.pieces.set(offset, batch.data.slice(from, to));
    if (isLast) waiting.total = offset + to - from;
    if (waiting.bytes > MOST_BYTES + UDP_HEADER) this.#waiting.delete(fragment.key);
    return waiting.bytes === waiting.total ? this.#join(fragment.key, waiting) : null;
  }

  #open(key: string, timeUs: number): Waiting {
    const known = this.#waiting.get(key);
    if (known !== undefined && timeUs - known.timeUs <= LIFETIME_US) return known;
    this.#waiting.delete(key);
    if (this.#waiting.size === MOST_WAITING) this.#waiting.delete(this.#waiting.keys().next().value!);
    const made = { timeUs, pieces: new Map(), bytes: 0, total: -1 };
    this.#waiting.set(key, made);
    return made;
  }

  #join(key: string, { pieces, total }: Waiting): Datagram | null {
    this.#waiting.delete(key);
    const data = new Uint8Array(total);
    let next = 0;
    for (const [offset, piece] of [...pieces].sort(([a], [b]) => a - b)) {
      if (offset !== next) return null;
      data.set(piece, offset);
      next += piece.length;
    }
    if (total < UDP_HEADER) return null;
    return { data: data.subarray(UDP_HEADER), port: (data[0] << 8) | data[1] };
  }
}

/** The fragment in a packet: its innermost IP header is the last one with the row's addresses and length. */
function fragmentOf(batch: PacketBatch, at: number, rows: packet.PacketRows, row: number): Fragment | null {
  const { words } = rows;
  const o = row * packet.ROW;
  const meta = words[o + packet.META];
  if ((meta & packet.HAS_IP) === 0 || (meta & 0xff) !== UDP) return null;
  const isIpv6 = (meta & packet.IS_IPV6) !== 0;
  const start = batch.offset[at];
  const end = start + batch.capturedLength[at];
  const header = isIpv6 ? IPV6_HEADER : IPV4_HEADER;
  for (let p = Math.min(end - header, start + DEEPEST); p >= start; p--) {
    if (!isHeader(batch.view, p, words, o, isIpv6)) continue;
    return isIpv6 ? fragment6(batch.view, p, end, words, o) : fragment4(batch.view, p, end, words, o);
  }
  return null;
}

function isHeader(view: DataView, p: number, words: Int32Array, o: number, isIpv6: boolean): boolean {
  const bytes = words[o + packet.IP_BYTES] >>> 0;
  if (!isIpv6)
    return (
      view.getUint8(p) >>> 4 === 4 &&
      view.getUint16(p + 2) === bytes &&
      view.getInt32(p + 12) === words[o + packet.SRC + 3] &&
      view.getInt32(p + 16) === words[o + packet.DST + 3]
    );
  if (view.getUint8(p) >>> 4 !== 6 || view.getUint16(p + 4) + IPV6_HEADER !== bytes) return false;
  for (let k = 0; k < 4; k++) {
    if (view.getInt32(p + 8 + 4 * k) !== words[o + packet.SRC + k]) return false;
    if (view.getInt32(p + 24 + 4 * k) !== words[o + packet.DST + k]) return false;
  }
  return true;
}

function keyOf(words: Int32Array, o: number, id: number): string {
  return `${words.subarray(o + packet.SRC, o + packet.DST + 4).join()} ${id}`;
}

/** IPv4: total length at 2, identification at 4, flags and offset in units of 8 at 6. */
function fragment4(view: DataView, p: number, end: number, words: Int32Array, o: number): Fragment | null {
  const place = view.getUint16(p + 6);
  const isLast = (place & 0x2000) === 0;
  const offset = 8 * (place & 0x1fff);
  const from = p + 4 * (view.getUint8(p) & 15);
  const to = p + view.getUint16(p + 2);
  if ((isLast && offset === 0) || to > end || from >= to) return null;
  return { key: keyOf(words, o, view.getUint16(p + 4)), offset, isLast, from, to };
}

/** IPv6: the fragment header has next header, reserved, offset in units of 8 with the flag M below it, identification. */
function fragment6(view: DataView, p: number, end: number, words: Int32Array, o: number): Fragment | null {
  const to = p + IPV6_HEADER + view.getUint16(p + 4);
  let next = view.getUint8(p + 6);
  let at = p + IPV6_HEADER;
  while (BEFORE_FRAGMENT.has(next) && at + 2 <= Math.min(to, end)) {
    next = view.getUint8(at);
    at += 8 * (view.getUint8(at + 1) + 1);
  }
  if (next !== IPV6_FRAGMENT || at + FRAGMENT_HEADER >= to || to > end || view.getUint8(at) !== UDP) return null;
  const place = view.getUint16(at + 2);
  const isLast = (place & 1) === 0;
  const offset = place & 0xfff8;
  if (isLast && offset === 0) return null;
  return { key: keyOf(words, o, view.getUint32(at + 4)), offset, isLast, from: at + FRAGMENT_HEADER, to };
}
