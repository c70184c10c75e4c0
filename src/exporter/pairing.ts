import type { Counter, Metrics } from '../core/metrics.ts';
import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import {
  BIFLOW,
  createFlowBatch,
  ESTABLISHED,
  type FlowBatch,
  type FlowSink,
  INITIATOR_KNOWN,
  UNASKED,
} from '../model/flow-batch.ts';

/** Records that wait for their other direction, a power of two. */
const SLOTS = 1 << 16;
const TCP = 6;
const UDP = 17;
const ICMP = 1;
const ICMP6 = 58;
const SYN = 2;
const RST = 4;
const ACK = 16;
/** Ports below are services'. */
const SERVICES = 1024;
/** Echo reply, errors, and the replies of timestamp, information and address mask (RFC 792, RFC 950). */
const ICMP_ANSWERS = new Set([0, 3, 4, 5, 11, 12, 14, 16, 18]);

/**
 * Joins the two directions of a flow, which unidirectional exporters send as two records, into one biflow (RFC 5103)
 * when both come within `withinUs` of event time. Who began first is the initiator. What waits too long, or is in the way
 * of another flow when the table is full, goes on as a flow that nobody answered.
 */
export class Pairing implements Stateful {
  readonly #withinUs: number;
  readonly #sink: FlowSink;
  readonly #waiting: FlowBatch = createFlowBatch(SLOTS);
  readonly #out: FlowBatch = createFlowBatch(1024);
  readonly #slots = new Map<string, number>();
  readonly #free: number[] = Array.from({ length: SLOTS }, (_, slot) => SLOTS - 1 - slot);
  readonly #full: Counter;
  #latestUs = 0;

  constructor(withinUs: number, metrics: Metrics, sink: FlowSink) {
    this.#withinUs = withinUs;
    this.#sink = sink;
    this.#full = metrics.counter(
      'weir_exporter_unpaired_total{cause="table_full"}',
      'Records that went on alone for room.',
    );
  }

  add(batch: FlowBatch): void {
    for (let row = 0; row < batch.length; row++) this.#row(batch, row);
    this.#release();
  }

  #row(batch: FlowBatch, row: number): void {
    if (batch.endUs[row] > this.#latestUs) this.#latestUs = batch.endUs[row];
    const there = this.#slots.get(keyOf(batch, row, true));
    if ((batch.meta[row] & BIFLOW) !== 0) this.#emit(batch, row);
    else if (there !== undefined && this.#isNear(batch, row, there)) this.#join(batch, row, there);
    else this.#wait(batch, row);
  }

  #isNear(batch: FlowBatch, row: number, slot: number): boolean {
    const { startUs, endUs } = this.#waiting;
    return batch.startUs[row] - endUs[slot] <= this.#withinUs && startUs[slot] - batch.endUs[row] <= this.#withinUs;
  }

  #wait(batch: FlowBatch, row: number): void {
    const key = keyOf(batch, row, false);
    const same = this.#slots.get(key);
    if (same !== undefined) this.#let(key, same);
    if (this.#free.length === 0) {
      const [oldest] = this.#slots;
      this.#let(oldest[0], oldest[1]);
      this.#full.value++;
    }
    const slot = this.#free.pop()!;
    this.#waiting.copyRow(slot, batch, row);
    this.#slots.set(key, slot);
  }

  /** The waiting record and this one are a flow. */
  #join(batch: FlowBatch, row: number, slot: number): void {
    const waiting = this.#waiting;
    this.#slots.delete(keyOf(waiting, slot, false));
    this.#free.push(slot);
    const waitedFirst = beganFirst(waiting, slot, batch, row);
    const [to, from] = waitedFirst ? [slot, row] : [row, slot];
    const [first, answer] = waitedFirst ? [waiting, batch] : [batch, waiting];
    const out = this.#room();
    const n = out.length;
    out.copyRow(n, first, to);
    out.endUs[n] = Math.max(first.endUs[to], answer.endUs[from]);
    out.reversePacketDeltaCount[n] = answer.packetDeltaCount[from];
    out.reverseOctetDeltaCount[n] = answer.octetDeltaCount[from];
    out.reverseLayer2OctetDeltaCount[n] = answer.layer2OctetDeltaCount[from];
    out.reverseTcpControlBits[n] = answer.tcpControlBits[from];
    out.meta[n] |= BIFLOW | INITIATOR_KNOWN | (isEstablished(out, n) ? ESTABLISHED : 0);
    if (isUnasked(out, n)) out.meta[n] |= UNASKED;
    out.length++;
  }

  /** Lets records go on that waited long enough. */
  #release(): void {
    for (const [key, slot] of this.#slots) {
      if (this.#latestUs - this.#waiting.endUs[slot] <= this.#withinUs) return;
      this.#let(key, slot);
    }
  }

  /** Nobody answered: that is known now, as it is of packets. */
  #let(key: string, slot: number): void {
    this.#slots.delete(key);
    this.#free.push(slot);
    const { meta } = this.#waiting;
    meta[slot] |= BIFLOW | INITIATOR_KNOWN | (isAnswer(this.#waiting, slot) ? UNASKED : 0);
    this.#emit(this.#waiting, slot);
  }

  #emit(batch: FlowBatch, row: number): void {
    const out = this.#room();
    out.copyRow(out.length++, batch, row);
  }

  #room(): FlowBatch {
    if (this.#out.length === this.#out.capacity) this.flush();
    return this.#out;
  }

  /** Gives what is ready to the sink. */
  flush(): void {
    if (this.#out.length === 0) return;
    this.#sink(this.#out);
    this.#out.length = 0;
  }

  /** Lets all go on: nothing comes any more. */
  end(): void {
    for (const [key, slot] of [...this.#slots]) this.#let(key, slot);
    this.flush();
  }

  /** Records that wait, in the order of their coming; what was ready must have been flushed. */
  save(out: StateWriter): void {
    const waiting = createFlowBatch(Math.max(1, this.#slots.size));
    for (const slot of this.#slots.values()) waiting.copyRow(waiting.length++, this.#waiting, slot);
    out.number(this.#latestUs);
    out.number(waiting.capacity);
    waiting.save(out);
  }

  restore(state: StateReader): void {
    this.#latestUs = state.number();
    const waiting = createFlowBatch(state.number());
    waiting.restore(state);
    for (let row = 0; row < waiting.length; row++) this.#wait(waiting, row);
  }
}

/**
 * Whether row `a` began before its answer `b`. Exporters' clocks are coarse, and both may begin in the same millisecond: then
 * what is less of an answer was first, and else what goes to the lower port, which is a service's.
 */
function beganFirst(one: FlowBatch, a: number, other: FlowBatch, b: number): boolean {
  const sooner = other.startUs[b] - one.startUs[a];
  if (sooner !== 0) return sooner > 0;
  const later = lateness(other, b) - lateness(one, a);
  if (later !== 0) return later > 0;
  return one.destinationTransportPort[a] <= one.sourceTransportPort[a];
}

/** 1 for an answer; 2 for a reset without a SYN, which also answers answers. */
function lateness(batch: FlowBatch, row: number): number {
  if (!isAnswer(batch, row)) return 0;
  return batch.protocolIdentifier[row] === TCP && (batch.tcpControlBits[row] & SYN) === 0 ? 2 : 1;
}

/** By itself an answer: a SYN-ACK or RST that no SYN of its own went before, a reply of ICMP, UDP from a service. */
function isAnswer(batch: FlowBatch, row: number): boolean {
  const protocol = batch.protocolIdentifier[row];
  if (protocol === TCP) {
    const flags = batch.tcpControlBits[row];
    return (flags & (SYN | ACK)) === (SYN | ACK) || ((flags & RST) !== 0 && (flags & SYN) === 0);
  }
  if (protocol === UDP)
    return batch.sourceTransportPort[row] < SERVICES && batch.destinationTransportPort[row] >= SERVICES;
  const type = batch.icmpTypeCode[row] >>> 8;
  return (protocol === ICMP && ICMP_ANSWERS.has(type)) || (protocol === ICMP6 && (type === 129 || type < 128));
}

/** A connection whose first side answers, and whose other side never opened it: reflected SYN-ACKs and their RSTs. */
function isUnasked(batch: FlowBatch, row: number): boolean {
  return (
    batch.protocolIdentifier[row] === TCP && isAnswer(batch, row) && (batch.reverseTcpControlBits[row] & SYN) === 0
  );
}

/** Both sides sent data or TCP's acknowledgement. */
function isEstablished(batch: FlowBatch, row: number): boolean {
  if (batch.protocolIdentifier[row] !== TCP) return batch.reversePacketDeltaCount[row] > 0;
  return (batch.tcpControlBits[row] & batch.reverseTcpControlBits[row] & ACK) !== 0;
}

function keyOf(batch: FlowBatch, row: number, turned: boolean): string {
  const source = batch.sourceAddress.subarray(4 * row, 4 * row + 4).join();
  const destination = batch.destinationAddress.subarray(4 * row, 4 * row + 4).join();
  const [from, to] = [batch.sourceTransportPort[row], batch.destinationTransportPort[row]];
  const who = `${batch.exporter[row]} ${batch.protocolIdentifier[row]}`;
  return turned ? `${who} ${destination} ${source} ${to} ${from}` : `${who} ${source} ${destination} ${from} ${to}`;
}
