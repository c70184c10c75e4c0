import { FIRST, HAS_IP, LAST, NO_LAYER2, NO_OCTETS, NO_PROTOCOL } from '../model/flow-batch.ts';
import type { CounterFacts } from '../model/intake.ts';
import type { Context } from './context.ts';
import type { ExporterCounters } from './counters.ts';
import type { RecordSink } from './data-sets.ts';
import type { DatagramReader } from './datagram.ts';
import { fieldValue } from './field-value.ts';
import type { Frames } from './frames.ts';
import type { Elements } from './record-elements.ts';
import { noteUnknown } from './row-finish.ts';
import type { RowWriter } from './row-writer.ts';
import { addCounters } from './sflow-counters.ts';
import { FlowRecords } from './sflow-records.ts';
import { Xdr } from './xdr.ts';

/** What `ExporterState.version` says of sFlow version 5. */
export const SFLOW_5 = 105;
const MOST_SAMPLES = 4096;
const FLOW = 1;
const COUNTERS = 2;
const EXPANDED_FLOW = 3;
const EXPANDED_COUNTERS = 4;
const DISCARD = 5;

/** Takes a counter of an interface as a series. */
export type SeriesSink = (name: string, timeUs: number, value: number, facts: CounterFacts) => void;

/**
 * sFlow version 5 (sflow.org/sflow_version_5.txt, "Datagram Format"), all in XDR:
 *
 *     version = 5, agent address (type 1 IPv4 or 2 IPv6, 4 or 16 bytes), sub-agent id, sequence, uptime in ms,
 *     number of samples, then samples: enterprise << 12 | format, length, body
 *
 * Flow sample: sequence, source id, sampling rate, sample pool, drops, input, output, records. Counters sample: sequence,
 * source id, records. The expanded ones have two words where these have one for source, input and output. A discarded
 * packet (sflow_drops.txt): sequence, source (2 words), drops, input, output, reason, records. A record is
 * enterprise << 12 | format, length, body.
 */
export class SflowReader {
  readonly #writer: RowWriter;
  readonly #counters: ExporterCounters;
  readonly #onRecord: RecordSink | null;
  readonly #onSeries: SeriesSink | null;
  readonly #records: FlowRecords;
  readonly #xdr = new Xdr();
  readonly #body = new Xdr();

  constructor(
    writer: RowWriter,
    frames: Frames,
    counters: ExporterCounters,
    onRecord: RecordSink | null,
    onSeries: SeriesSink | null,
  ) {
    this.#writer = writer;
    this.#counters = counters;
    this.#onRecord = onRecord;
    this.#onSeries = onSeries;
    this.#records = new FlowRecords(frames);
  }

  /** Reads a datagram whose first four bytes are 5. @returns false when it is none of sFlow */
  read(d: DatagramReader): boolean {
    const xdr = this.#xdr;
    xdr.open(d.data, d.view, d.from + 4, d.to);
    const type = xdr.u32();
    if (type !== 1 && type !== 2) return false;
    const size = type === 1 ? 4 : 16;
    const at = xdr.take(size);
    const subAgent = xdr.u32();
    const sequence = xdr.u32();
    const uptimeMs = xdr.u32();
    const samples = xdr.u32();
    if (xdr.failed || samples > MOST_SAMPLES) return false;
    const agent = String(fieldValue(type === 1 ? 'ipv4Address' : 'ipv6Address', d.data, at, size));
    const timeUs = Number.isNaN(d.receivedUs) ? 0 : d.receivedUs;
    const context = d.begin(SFLOW_5, subAgent, timeUs, uptimeMs, agent);
    d.sequence(sequence, 1, 1);
    for (let n = 0; n < samples && xdr.left >= 8; n++) this.#sample(context);
    if (xdr.failed) this.#counters.truncated.value++;
    return true;
  }

  #sample(context: Context): void {
    const xdr = this.#xdr;
    const tag = xdr.u32();
    const length = xdr.u32();
    const at = xdr.take(length);
    if (at < 0) return;
    const { end, at: next } = xdr;
    xdr.at = at;
    xdr.end = at + length;
    if (tag === FLOW || tag === EXPANDED_FLOW) this.#flow(tag === EXPANDED_FLOW, context);
    else if (tag === COUNTERS || tag === EXPANDED_COUNTERS) this.#counter(tag === EXPANDED_COUNTERS, context);
    else if (tag === DISCARD) this.#discard(context);
    else this.#counters.unknownSample.value++;
    xdr.end = end;
    xdr.at = next;
  }

  #flow(expanded: boolean, context: Context): void {
    const xdr = this.#xdr;
    xdr.u32();
    xdr.u32();
    if (expanded) xdr.u32();
    const rate = xdr.u32();
    const pool = xdr.u32();
    const drops = xdr.u32();
    const input = port(xdr, expanded);
    const output = port(xdr, expanded);
    if (xdr.failed) return;
    const row = this.#row(context, context.exporter.overrideRate || rate, input, output);
    if (this.#writer.batch.samplingInterval[row] === 0) noteUnknown(context.exporter, 1);
    const elements: Elements | null = this.#onRecord === null ? null : {};
    if (elements !== null) {
      elements['samplingInterval'] = rate;
      elements['samplingPopulation'] = pool;
      elements['droppedPacketTotalCount'] = drops;
      if (input >= 0) elements['ingressInterface'] = input;
      if (output >= 0) elements['egressInterface'] = output;
    }
    this.#readRecords(row, elements);
    this.#counters.records.value++;
    context.exporter.records++;
    if (elements !== null) this.#tell('flow', row, elements);
  }

  #row(context: Context, rate: number, input: number, output: number): number {
    const row = this.#writer.blank(context);
    const { batch } = this.#writer;
    batch.meta[row] = FIRST | LAST | NO_OCTETS | NO_LAYER2 | NO_PROTOCOL;
    batch.samplingInterval[row] = rate;
    batch.packetDeltaCount[row] = rate || 1;
    batch.ingressInterface[row] = input;
    batch.egressInterface[row] = output;
    return row;
  }

  #readRecords(row: number, elements: Elements | null): void {
    const sample = { batch: this.#writer.batch, row, elements };
    this.#each((enterprise, format, body) => this.#records.read(enterprise, format, body, sample));
    if ((sample.batch.meta[row] & HAS_IP) === 0) sample.batch.meta[row] |= NO_PROTOCOL;
  }

  /** The records at the reader's place; every one is skipped by its own length. */
  #each(read: (enterprise: number, format: number, body: Xdr) => void): void {
    const xdr = this.#xdr;
    const body = this.#body;
    for (let n = Math.min(xdr.u32(), MOST_SAMPLES); n > 0 && xdr.left >= 8; n--) {
      const tag = xdr.u32();
      const length = xdr.u32();
      const at = xdr.take(length);
      if (at < 0) return;
      body.open(xdr.data, xdr.view, at, at + length);
      read(tag >>> 12, tag & 0xfff, body);
      if (body.failed) this.#counters.truncated.value++;
    }
  }

  #counter(expanded: boolean, context: Context): void {
    const xdr = this.#xdr;
    xdr.u32();
    xdr.u32();
    if (expanded) xdr.u32();
    const elements: Elements = {};
    this.#each((enterprise, format, body) => addCounters(elements, enterprise, format, body));
    this.#counters.options.value++;
    this.#series(context, elements);
    if (this.#onRecord !== null) this.#tell('counters', this.#writer.blank(context), elements);
  }

  /** What an interface has carried so far, as series. */
  #series(context: Context, { ifIndex, ifSpeed, ifInOctets, ifOutOctets }: Elements): void {
    if (this.#onSeries === null || typeof ifIndex !== 'number') return;
    const name = `${context.exporter.key} ${ifIndex}`;
    const facts = { uptimeUs: context.uptimeMs * 1000, mostPerSecond: typeof ifSpeed === 'number' ? ifSpeed / 8 : 0 };
    if (typeof ifInOctets === 'number') this.#onSeries(`${name} ifInOctets`, context.exportUs, ifInOctets, facts);
    if (typeof ifOutOctets === 'number') this.#onSeries(`${name} ifOutOctets`, context.exportUs, ifOutOctets, facts);
  }

  /** A packet that was dropped is no traffic that flowed: it is told with its elements, and counted. */
  #discard(context: Context): void {
    if (this.#onRecord === null) return;
    const xdr = this.#xdr;
    xdr.u32();
    xdr.u32();
    xdr.u32();
    const drops = xdr.u32();
    const input = xdr.u32();
    const output = xdr.u32();
    const reason = xdr.u32();
    const row = this.#row(context, 1, input, output);
    const elements: Elements = { droppedPacketTotalCount: drops, ingressInterface: input, egressInterface: output };
    elements['dropReason'] = reason;
    this.#readRecords(row, elements);
    this.#tell('discard', row, elements);
  }

  #tell(kind: 'flow' | 'counters' | 'discard', row: number, elements: Elements): void {
    this.#onRecord?.(kind, this.#writer.batch, row, elements);
    this.#writer.batch.length = row;
  }
}

/** An interface: its ifIndex, or -1 where the sample names none or several (formats 1 and 2, "internal"). */
function port(xdr: Xdr, expanded: boolean): number {
  const word = xdr.u32();
  const format = expanded ? word : word >>> 30;
  const value = expanded ? xdr.u32() : word & 0x3fffffff;
  return format === 0 && value !== 0x3fffffff && value < 0x7fffffff ? value : -1;
}
