import type { Counter, Metrics } from '../core/metrics.ts';
import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import type { Names } from '../model/names.ts';
import type { PacketBatch } from '../model/packet-batch.ts';
import { keyRow, keyRows, OTHER_INTERFACE } from '../model/packet-key.ts';
import {
  DNS_NAME,
  DNS_TYPE,
  INTERFACE,
  IS_IPV6,
  META,
  PACKET,
  type PacketRows,
  ROW,
  type RowSource,
  SNI,
  TIME_F64,
  VLAN,
  WIRE_BYTES,
} from '../model/packet-rows.ts';
import { AddressNames } from './address-names.ts';
import { causeCode, causeCounters } from './causes.ts';
import { DNS_INSIDE, NOT_COMMON, parseCommon } from './common.ts';
import { CommonStacks } from './common-stacks.ts';
import { EarlyFragments } from './early-fragments.ts';
import { FragmentTable } from './fragments.ts';
import { Inside } from './inside.ts';
import { LayerTrie } from './layer-trie.ts';
import { completeLean, markNamed, parseLean, udpPayload } from './lean.ts';
import { linkStep } from './link-types.ts';
import { END } from './step-codes.ts';
import { walkHeaders } from './steps.ts';
import { Walk } from './walk.ts';

export interface DecoderOptions {
  /** Takes the header stacks and the names that packets carry. */
  names: Names;
  /** Open tunnels and key on the innermost IP header (default), or stay at the outermost. */
  tunnels?: boolean;
  /** IP headers inside the outermost one. Default 8. */
  maxTunnels?: number;
  /** Fragmented datagrams whose ports are remembered, a power of two. Default 8192. */
  maxFragments?: number;
  /**
   * Fragments that may wait for their datagram's first one, which gives them its ports. Default 0: none waits, and every
   * packet gives its row at once. Otherwise `end` has to be called behind the last packet.
   */
  maxEarlyFragments?: number;
  /** Addresses whose DNS name is remembered, a power of two. Default 65,536. */
  maxAddressNames?: number;
}

/** A sensible `maxEarlyFragments` for captures: datagrams whose fragments arrive out of order are rare and short. */
export const EARLY_FRAGMENTS = 256;

const LINK_ETHERNET = 1;
const LINK_TYPE = causeCode('link_type');
const LAYER_TABLE_FULL = causeCode('layer_table_full');
const FIRST_MISSING = causeCode('fragment_first_missing');
const FRAGMENT_TABLE_FULL = causeCode('fragment_table_full');
const ADDRESS_TABLE_FULL = causeCode('address_table_full');

/** Packets to rows. Holds what must be remembered from packet to packet: fragments, names of addresses, stacks. */
export class Decoder implements Stateful, RowSource {
  readonly #walk: Walk;
  readonly #stacks: CommonStacks;
  readonly #layers: LayerTrie;
  readonly #fragments: FragmentTable;
  readonly #early: EarlyFragments;
  readonly #addresses: AddressNames;
  readonly #inside: Inside;
  readonly #names: Names;
  readonly #causes: Counter[];
  /** Of the last lean rows. */
  #batch: PacketBatch | null = null;

  constructor(options: DecoderOptions, { metrics }: { metrics: Metrics }) {
    this.#names = options.names;
    this.#layers = new LayerTrie(options.names.layers);
    this.#fragments = new FragmentTable(options.maxFragments ?? 8192);
    this.#early = new EarlyFragments(options.maxEarlyFragments ?? 0);
    this.#addresses = new AddressNames(options.maxAddressNames ?? 65_536);
    this.#causes = causeCounters(metrics);
    this.#inside = new Inside(options.names, this.#addresses, this.#causes);
    this.#stacks = new CommonStacks(this.#layers);
    this.#walk = new Walk(
      {
        layers: this.#layers,
        fragments: this.#fragments,
        early: this.#early,
        inside: this.#inside,
        causes: this.#causes,
      },
      { tunnels: options.tunnels ?? true, maxTunnels: options.maxTunnels ?? 8 },
    );
  }

  /**
   * Decodes packets `from` up to (not including) `to` into `rows`, from its first row on, and sets `rows.length`. Answers
   * how many packets were taken: all, or as many as `rows` has room for. Every packet gives one row, here or (a fragment
   * that waits) later; what cannot be decoded is a row without `HAS_IP`, and the cause is counted. Never throws.
   */
  decode(batch: PacketBatch, from: number, to: number, rows: PacketRows): number {
    if (rows.lean && !Number.isNaN(rows.wantedSeed)) return this.#decodeLean(batch, from, to, rows);
    rows.keySeed = Number.NaN;
    const { data, view, offset, capturedLength, wireLength, timeUs, linkType, ingressInterface } = batch;
    const { words, doubles, capacity } = rows;
    const stacks = this.#stacks;
    const early = this.#early;
    let packet = from;
    let n = early.leaving > 0 ? early.drain(rows, 0) : 0;
    while (packet < to && n < capacity) {
      const time = timeUs[packet];
      if (time >= early.dueUs) {
        early.expire(time);
        n = early.drain(rows, n);
        if (n === capacity) break;
      }
      const row = n * ROW;
      const wire = wireLength[packet];
      const at = offset[packet];
      const captured = capturedLength[packet];
      const answer =
        linkType[packet] === LINK_ETHERNET
          ? parseCommon(data, view, at, captured, wire, words, row, stacks)
          : NOT_COMMON;
      if (answer === NOT_COMMON) this.#slow(batch, packet, words, row);
      else if (answer === DNS_INSIDE) this.#dns(data, view, at, captured, words, row);
      words[row + WIRE_BYTES] = wire;
      words[row + INTERFACE] = ingressInterface[packet];
      doubles[(row >>> 1) + TIME_F64] = time;
      packet++;
      if (answer === NOT_COMMON) n = this.#orWait(rows, n);
      else n++;
    }
    rows.length = n;
    this.#countEvictions();
    return packet - from;
  }

  /** The same with keys, and rows of the straight path lean: the batch has to stay valid as long as the rows. */
  #decodeLean(batch: PacketBatch, from: number, to: number, rows: PacketRows): number {
    const { data, view, offset, capturedLength, wireLength, timeUs, linkType, ingressInterface } = batch;
    const { words, doubles, capacity, wantedSeed: seed } = rows;
    const early = this.#early;
    this.#batch = batch;
    rows.source = this;
    rows.keySeed = seed;
    let packet = from;
    let n = early.leaving > 0 ? this.#drain(rows, 0) : 0;
    while (packet < to && n < capacity) {
      const time = timeUs[packet];
      if (time >= early.dueUs) {
        early.expire(time);
        n = this.#drain(rows, n);
        if (n === capacity) break;
      }
      const row = n * ROW;
      const wire = wireLength[packet];
      const one = ingressInterface[packet];
      words[row + WIRE_BYTES] = wire;
      doubles[(row >>> 1) + TIME_F64] = time;
      words[row + PACKET] = packet;
      const at = offset[packet];
      const answer =
        linkType[packet] === LINK_ETHERNET && one >>> 0 < OTHER_INTERFACE
          ? parseLean(data, view, at, capturedLength[packet], wire, one, words, row, seed)
          : NOT_COMMON;
      if (answer === NOT_COMMON) n = this.#whole(batch, packet, rows, n);
      else {
        if (answer === DNS_INSIDE) this.#leanDns(data, view, at, capturedLength[packet], words, row);
        n++;
      }
      packet++;
    }
    rows.length = n;
    this.#countEvictions();
    return packet - from;
  }

  /** A packet whose row is not lean. @returns the number of rows then */
  #whole(batch: PacketBatch, packet: number, rows: PacketRows, n: number): number {
    const { words, wantedSeed } = rows;
    const row = n * ROW;
    const common = this.#common(batch, packet, words, row);
    if (!common) this.#slow(batch, packet, words, row);
    words[row + WIRE_BYTES] = batch.wireLength[packet];
    words[row + INTERFACE] = batch.ingressInterface[packet];
    rows.doubles[(row >>> 1) + TIME_F64] = batch.timeUs[packet];
    keyRow(words, row, wantedSeed);
    if (common) return n + 1;
    const end = this.#orWait(rows, n);
    keyRows(words, row + ROW, end * ROW, wantedSeed);
    return end;
  }

  /** Tries the straight path. */
  #common(batch: PacketBatch, packet: number, words: Int32Array, row: number): boolean {
    if (batch.linkType[packet] !== LINK_ETHERNET) return false;
    const { data, view } = batch;
    const at = batch.offset[packet];
    const captured = batch.capturedLength[packet];
    const answer = parseCommon(data, view, at, captured, batch.wireLength[packet], words, row, this.#stacks);
    if (answer === DNS_INSIDE) this.#dns(data, view, at, captured, words, row);
    return answer !== NOT_COMMON;
  }

  #leanDns(data: Uint8Array, view: DataView, start: number, captured: number, words: Int32Array, row: number): void {
    const at = udpPayload(words, row, start);
    words[row + DNS_NAME] = 0;
    words[row + DNS_TYPE] = 0;
    words[row + SNI] = 0;
    this.#inside.dns(data, at, Math.min(at - 8 + view.getUint16(at - 4), start + captured), words, row);
    markNamed(words, row);
  }

  complete(words: Int32Array, r: number): void {
    const { view, offset } = this.#batch!;
    completeLean(view, offset[words[r + PACKET]], words, r, this.#stacks);
  }

  #drain(rows: PacketRows, n: number): number {
    const end = this.#early.drain(rows, n);
    keyRows(rows.words, n * ROW, end * ROW, rows.keySeed);
    return end;
  }

  /** Behind the last packet: gives the rows that still wait, until there are none (then `rows.length` is 0). */
  end(rows: PacketRows): number {
    this.#early.expire(Number.POSITIVE_INFINITY);
    rows.length = this.#early.drain(rows, 0);
    rows.keySeed = Number.NaN;
    this.#countEvictions();
    return rows.length;
  }

  /** Row `n` is whole: it stays, or waits elsewhere; behind a first fragment come those that waited for it. */
  #orWait(rows: PacketRows, n: number): number {
    const { missesFirst, timeUs, fragmentId, fragmentProtocol } = this.#walk;
    const early = this.#early;
    if (missesFirst && early.keep(rows.words, n * ROW, timeUs, fragmentId, fragmentProtocol)) return n;
    return early.leaving > 0 ? early.drain(rows, n + 1) : n + 1;
  }

  /** Ids in it hold only with the same `Names`. */
  save(out: StateWriter): void {
    this.#layers.save(out);
    this.#fragments.save(out);
    this.#early.save(out);
    this.#inside.save(out);
  }

  restore(state: StateReader): void {
    this.#layers.restore(state);
    this.#fragments.restore(state);
    this.#early.restore(state);
    this.#inside.restore(state);
    this.#stacks.refresh();
  }

  /** The last name that DNS gave for the address at `at` (4 words), '' when none is known. */
  nameOf(words: Int32Array, at: number): string {
    return this.#names.names.text(this.#addresses.get(words, at));
  }

  /** The DNS message of a packet that went the straight path: its lengths agree, so headers and ends are where they seem. */
  #dns(data: Uint8Array, view: DataView, start: number, captured: number, words: Int32Array, row: number): void {
    const link = words[row + VLAN] < 0 ? 14 : 18;
    const udp = start + link + ((words[row + META] & IS_IPV6) === 0 ? 20 : 40);
    const end = udp + view.getUint16(udp + 4);
    this.#inside.dns(data, udp + 8, Math.min(end, start + captured), words, row);
  }

  #slow(batch: PacketBatch, packet: number, words: Int32Array, row: number): void {
    const walk = this.#walk;
    // A loop is faster than `fill` for so few words.
    for (let i = row; i < row + ROW; i++) words[i] = 0;
    words[row + VLAN] = -1;
    walk.data = batch.data;
    walk.view = batch.view;
    walk.words = words;
    walk.row = row;
    walk.timeUs = batch.timeUs[packet];
    walk.begin(batch.offset[packet], batch.capturedLength[packet], batch.wireLength[packet]);
    const first = linkStep(batch.linkType[packet]);
    if (first === END) walk.count(LINK_TYPE);
    else walkHeaders(walk, first);
    walk.finish();
  }

  #countEvictions(): void {
    const causes = this.#causes;
    causes[LAYER_TABLE_FULL].value += this.#layers.takeOverflows();
    causes[FIRST_MISSING].value += this.#early.takeMissing();
    causes[FRAGMENT_TABLE_FULL].value += this.#fragments.takeEvicted();
    causes[ADDRESS_TABLE_FULL].value += this.#addresses.takeEvicted();
  }
}
