import * as flow from '../model/flow-batch.ts';
import { icmpCounterpart } from '../model/icmp-pairs.ts';
import { hashAddresses } from './address-hash.ts';
import type { NetMasks } from './net-masks.ts';

/** Slices looked at together: their columns stay in the second-level cache while all rules walk over them. */
export const CHUNK = 2048;
/** The place behind the chunk's own slices for a piece of a long record (`pro-rate.ts`). */
export const PIECES = 1;
const SLOTS = CHUNK + PIECES;

/**
 * Slices as rules see them: two rows each, numbered `2 * slice + direction`, so that the other direction of row `r` is
 * `r ^ 1` and its slice is `r >> 1`. Columns that differ by direction have an entry a row, the others one a slice.
 */
export class Chunk {
  /** Rows that exist. */
  readonly rows = new Int32Array(2 * CHUNK);
  length = 0;
  slices = 0;
  earliestUs = Number.POSITIVE_INFINITY;
  latestUs = Number.NEGATIVE_INFINITY;
  /** Slices that spread over time (`pro-rate.ts`). */
  long = 0;
  /** Where the slices come from. */
  batch: flow.FlowBatch | null = null;
  first = 0;

  /** An entry a row: the sender's address (4 words; the receiver's stands at the other direction), its hash, nets. */
  readonly address = new Int32Array(8 * SLOTS);
  readonly addressHash = new Int32Array(2 * SLOTS);
  readonly interval = new Int32Array(2 * SLOTS);
  readonly nets: Int32Array;
  readonly outer = new Int32Array(8 * SLOTS);
  readonly port = new Int32Array(2 * SLOTS);
  readonly packets = new Float64Array(2 * SLOTS);
  readonly bytes = new Float64Array(2 * SLOTS);
  readonly flags = new Int32Array(2 * SLOTS);
  readonly mac = new Float64Array(2 * SLOTS);
  readonly as = new Int32Array(2 * SLOTS);
  readonly icmp = new Int32Array(2 * SLOTS);
  readonly inIf = new Int32Array(2 * SLOTS);
  readonly outIf = new Int32Array(2 * SLOTS);

  /** An entry a slice. */
  readonly meta = new Int32Array(SLOTS);
  readonly proto = new Uint8Array(SLOTS);
  readonly startUs = new Float64Array(SLOTS);
  readonly endUs = new Float64Array(SLOTS);
  readonly sampling = new Float64Array(SLOTS);
  readonly vlan = new Int32Array(SLOTS);
  readonly tos = new Uint8Array(SLOTS);
  readonly dnsName = new Int32Array(SLOTS);
  readonly dnsType = new Uint16Array(SLOTS);
  readonly sni = new Int32Array(SLOTS);
  readonly exporter = new Int32Array(SLOTS);

  /** Rare columns in which no slice of the chunk has anything. */
  readonly #empty = new Set<string>();
  readonly #masks: NetMasks;
  readonly #uses: ReadonlySet<string>;
  readonly #seed: Int32Array;

  /** @param seed one word: of all hashes; a restored state brings its own */
  constructor(masks: NetMasks, uses: ReadonlySet<string>, seed: Int32Array) {
    this.#masks = masks;
    this.#uses = uses;
    this.#seed = seed;
    this.nets = new Int32Array(2 * SLOTS * masks.words);
  }

  /** Takes slices `from` .. `to` (at most `CHUNK`) of a batch. */
  load(batch: flow.FlowBatch, from: number, to: number): void {
    const n = to - from;
    this.batch = batch;
    this.first = from;
    this.slices = n;
    copySlices(this, batch, from, to);
    copyCounts(this, batch, from, n);
    copyAddresses(this, batch, from, n);
    hashAddresses(this.address, this.addressHash, 2 * n, this.#seed[0]);
    this.#masks.classify(this.address, this.interval, this.nets, 2 * n);
    this.#loadRare(batch, from, n);
    this.#lookForEmpty(n);
    listRows(this, n);
    span(this, n);
  }

  /** False when no row has all of these columns, for one of them is empty. */
  hasAll(columns: readonly string[]): boolean {
    for (const column of columns) if (this.#empty.has(column)) return false;
    return true;
  }

  #lookForEmpty(n: number): void {
    this.#empty.clear();
    for (const name of IDS) if (this.#uses.has(name) && allZero(this[name], n)) this.#empty.add(name);
    for (const name of NUMBERS) if (this.#uses.has(name) && allNegative(this[name], 2 * n)) this.#empty.add(name);
  }

  /** Columns that only some rules look at. */
  #loadRare(batch: flow.FlowBatch, from: number, n: number): void {
    const uses = this.#uses;
    if (uses.has('outer')) copyOuter(this, batch, from, n);
    if (uses.has('mac')) pairDoubles(this.mac, batch.sourceMacAddress, batch.destinationMacAddress, from, n);
    if (uses.has('as')) pairWords(this.as, batch.sourceAs, batch.destinationAs, from, n);
    if (uses.has('icmp')) copyIcmp(this, batch, from, n);
    if (uses.has('inIf') || uses.has('outIf')) copyInterfaces(this, batch, from, n);
    if (uses.has('vlan')) this.vlan.set(batch.vlanId.subarray(from, from + n));
    if (uses.has('tos')) this.tos.set(batch.ipClassOfService.subarray(from, from + n));
    if (uses.has('dnsName')) this.dnsName.set(batch.dnsName.subarray(from, from + n));
    if (uses.has('dnsType')) this.dnsType.set(batch.dnsType.subarray(from, from + n));
    if (uses.has('sni')) this.sni.set(batch.sni.subarray(from, from + n));
    if (uses.has('exporter')) this.exporter.set(batch.exporter.subarray(from, from + n));
  }

  /** Copies slice `from` into the place `to` behind the chunk's own slices. */
  copySlice(to: number, from: number): void {
    for (const column of [this.meta, this.proto, this.startUs, this.endUs, this.sampling, this.vlan]) {
      column[to] = column[from];
    }
    for (const column of [this.tos, this.dnsName, this.dnsType, this.sni, this.exporter]) column[to] = column[from];
    const pairs = [
      this.port,
      this.packets,
      this.bytes,
      this.flags,
      this.mac,
      this.as,
      this.icmp,
      this.inIf,
      this.outIf,
    ];
    for (const column of pairs) copyWithin(column, to, from, 2);
    copyWithin(this.addressHash, to, from, 2);
    copyWithin(this.address, to, from, 8);
    copyWithin(this.outer, to, from, 8);
    copyWithin(this.nets, to, from, 2 * this.#masks.words);
  }
}

/** Rare columns in which 0 stands for nothing, with an entry a slice; and any negative number, with an entry a row. */
const IDS = ['exporter', 'sni', 'dnsName'] as const;
const NUMBERS = ['inIf', 'outIf', 'as'] as const;

function allZero(column: Int32Array, n: number): boolean {
  for (let i = 0; i < n; i++) if (column[i] !== 0) return false;
  return true;
}

function allNegative(column: Int32Array, n: number): boolean {
  for (let i = 0; i < n; i++) if (column[i] >= 0) return false;
  return true;
}

type Column = Int32Array | Float64Array;

function copyWithin(column: Column, to: number, from: number, width: number): void {
  for (let i = 0; i < width; i++) column[to * width + i] = column[from * width + i];
}

function copySlices(chunk: Chunk, batch: flow.FlowBatch, from: number, to: number): void {
  chunk.meta.set(batch.meta.subarray(from, to));
  chunk.proto.set(batch.protocolIdentifier.subarray(from, to));
  chunk.startUs.set(batch.startUs.subarray(from, to));
  chunk.endUs.set(batch.endUs.subarray(from, to));
  chunk.sampling.set(batch.samplingInterval.subarray(from, to));
}

function copyCounts(chunk: Chunk, batch: flow.FlowBatch, from: number, n: number): void {
  pairDoubles(chunk.packets, batch.packetDeltaCount, batch.reversePacketDeltaCount, from, n);
  pairDoubles(chunk.bytes, batch.octetDeltaCount, batch.reverseOctetDeltaCount, from, n);
  pairShorts(chunk.flags, batch.tcpControlBits, batch.reverseTcpControlBits, from, n);
  pairShorts(chunk.port, batch.sourceTransportPort, batch.destinationTransportPort, from, n);
}

// One function a type of column: a loop that meets several types is slow for all of them.
function pairDoubles(to: Float64Array, forward: Float64Array, reverse: Float64Array, from: number, n: number): void {
  for (let i = 0; i < n; i++) {
    to[2 * i] = forward[from + i];
    to[2 * i + 1] = reverse[from + i];
  }
}

function pairWords(to: Int32Array, forward: Int32Array, reverse: Int32Array, from: number, n: number): void {
  for (let i = 0; i < n; i++) {
    to[2 * i] = forward[from + i];
    to[2 * i + 1] = reverse[from + i];
  }
}

function pairShorts(to: Int32Array, forward: Uint16Array, reverse: Uint16Array, from: number, n: number): void {
  for (let i = 0; i < n; i++) {
    to[2 * i] = forward[from + i];
    to[2 * i + 1] = reverse[from + i];
  }
}

function copyAddresses(chunk: Chunk, batch: flow.FlowBatch, from: number, n: number): void {
  const { address } = chunk;
  const { sourceAddress, destinationAddress } = batch;
  for (let i = 0; i < n; i++) {
    const to = 8 * i;
    const at = 4 * (from + i);
    address[to] = sourceAddress[at];
    address[to + 1] = sourceAddress[at + 1];
    address[to + 2] = sourceAddress[at + 2];
    address[to + 3] = sourceAddress[at + 3];
    address[to + 4] = destinationAddress[at];
    address[to + 5] = destinationAddress[at + 1];
    address[to + 6] = destinationAddress[at + 2];
    address[to + 7] = destinationAddress[at + 3];
  }
}

function copyOuter(chunk: Chunk, batch: flow.FlowBatch, from: number, n: number): void {
  const { outer } = chunk;
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < 4; k++) {
      outer[8 * i + k] = batch.outerSourceAddress[4 * (from + i) + k];
      outer[8 * i + 4 + k] = batch.outerDestinationAddress[4 * (from + i) + k];
    }
  }
}

/** The type that the answering direction carries is the counterpart of the asking one. */
function copyIcmp(chunk: Chunk, batch: flow.FlowBatch, from: number, n: number): void {
  for (let i = 0; i < n; i++) {
    const typeCode = batch.icmpTypeCode[from + i];
    const answer = icmpCounterpart(typeCode >> 8, (batch.meta[from + i] & flow.IS_IPV6) !== 0);
    chunk.icmp[2 * i] = typeCode;
    chunk.icmp[2 * i + 1] = answer < 0 ? typeCode : answer << 8;
  }
}

/** Where only one interface is known (a capture's), both directions came in there. */
function copyInterfaces(chunk: Chunk, batch: flow.FlowBatch, from: number, n: number): void {
  for (let i = 0; i < n; i++) {
    const ingress = batch.ingressInterface[from + i];
    const egress = batch.egressInterface[from + i];
    chunk.inIf[2 * i] = ingress;
    chunk.outIf[2 * i] = egress;
    chunk.inIf[2 * i + 1] = egress < 0 ? ingress : egress;
    chunk.outIf[2 * i + 1] = egress < 0 ? egress : ingress;
  }
}

const NEW_FORWARD = flow.FIRST;
const NEW_REVERSE = flow.FIRST | flow.OPENED_BY_DESTINATION;

/**
 * A direction without packets gives no row, but for the initiator's row of a flow's first slice: the flow counts there
 * even when only the answer was seen.
 */
function listRows(chunk: Chunk, n: number): void {
  const { rows, packets, meta } = chunk;
  let length = 0;
  for (let i = 0; i < n; i++) {
    const opened = meta[i] & NEW_REVERSE;
    if (packets[2 * i] > 0 || opened === NEW_FORWARD) rows[length++] = 2 * i;
    if ((packets[2 * i + 1] > 0 || opened === NEW_REVERSE) && (meta[i] & flow.BIFLOW) !== 0) rows[length++] = 2 * i + 1;
  }
  chunk.length = length;
}

/** Slices of a meter stay under two seconds and belong where they start; what is longer, or a lone record, spreads. */
export const LONG_US = 2e6;

function span(chunk: Chunk, n: number): void {
  const { startUs, endUs, meta } = chunk;
  let earliest = Number.POSITIVE_INFINITY;
  let latest = Number.NEGATIVE_INFINITY;
  let long = 0;
  for (let i = 0; i < n; i++) {
    const start = startUs[i];
    if (start < earliest) earliest = start;
    if (start > latest) latest = start;
    const lasted = endUs[i] - start;
    if (lasted >= LONG_US || (lasted > 0 && (meta[i] & flow.BIFLOW) === 0)) long++;
  }
  chunk.earliestUs = earliest;
  chunk.latestUs = latest;
  chunk.long = long;
}

/** True when the slice spreads over the windows between its start and its end. */
export function isLong(chunk: Chunk, i: number): boolean {
  const lasted = chunk.endUs[i] - chunk.startUs[i];
  return lasted >= LONG_US || (lasted > 0 && (chunk.meta[i] & flow.BIFLOW) === 0);
}
