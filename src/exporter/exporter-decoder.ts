import type { Metrics } from '../core/metrics.ts';
import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import { createFlowBatch, type FlowBatch, type FlowSink } from '../model/flow-batch.ts';
import type { Names } from '../model/names.ts';
import { ExporterCounters } from './counters.ts';
import { DataSets, type RecordSink } from './data-sets.ts';
import { DatagramReader } from './datagram.ts';
import { restoreExporters, saveExporters } from './exporter-save.ts';
import { type ExporterStatus, statusOf } from './exporter-status.ts';
import { Exporters } from './exporters.ts';
import { FlowSets } from './flow-sets.ts';
import { type FrameDecoder, Frames } from './frames.ts';
import { HeldSets } from './held-sets.ts';
import { readIpfix } from './ipfix.ts';
import { readNetflowV1 } from './netflow-v1.ts';
import { readNetflowV5 } from './netflow-v5.ts';
import { readNetflowV7 } from './netflow-v7.ts';
import { readNetflowV9 } from './netflow-v9.ts';
import { RowWriter } from './row-writer.ts';
import { type SeriesSink, SflowReader } from './sflow.ts';
import { TemplateBook } from './templates.ts';

const DAY_US = 86_400e6;
const HOUR_US = 3600e6;

export interface ExporterOptions {
  names: Names;
  /** Looks into packets that records carry. */
  frames: FrameDecoder;
  /** Gives the batch to fill, at the start and after each that went to the sink. Default: one of 4096 rows. */
  batches?: () => FlowBatch;
  /** Exporters that are remembered. Default 4096. */
  maxExporters?: number;
  /** A template that was not announced again for so long is forgotten. Default a day. */
  templateLifetimeUs?: number;
  /** Records that wait for their template, in bytes and microseconds. Default 16 MiB, an hour. */
  maxHeldBytes?: number;
  heldLifetimeUs?: number;
  /** Configured N of 1:N of an exporter; 0 lets the exporter say it. */
  samplingOf?: (address: string) => number;
  /** A template without fields withdraws the one there was (IPFIX over TCP; RFC 7011, section 8.1). */
  withdrawals?: boolean;
}

export interface ExporterDeps {
  metrics: Metrics;
  /** Takes rows of flow records. */
  onFlows: FlowSink;
  /** With it every data record goes here with its elements, and none to `onFlows`. */
  onRecord?: RecordSink;
  /** Takes interface octets of counter samples: `EXPORTER IFINDEX ifInOctets`. */
  onSeries?: SeriesSink;
}

/** Datagrams of exporters to rows: NetFlow v1, v5, v7, v9, IPFIX, sFlow v5, known by their first bytes. */
export class ExporterDecoder implements Stateful {
  readonly #counters: ExporterCounters;
  readonly #datagram: DatagramReader;
  readonly #writer: RowWriter;
  readonly #records: DataSets;
  readonly #sets: FlowSets;
  readonly #sflow: SflowReader;
  readonly #held: HeldSets;
  readonly #exporters: Exporters;

  constructor(options: ExporterOptions, deps: ExporterDeps) {
    const counters = new ExporterCounters(deps.metrics);
    const frames = new Frames(options.frames);
    const mostBytes = options.maxHeldBytes ?? 16 << 20;
    this.#counters = counters;
    this.#exporters = new Exporters(
      options.maxExporters ?? 4096,
      options.names,
      options.samplingOf ?? (() => 0),
      counters,
    );
    this.#datagram = new DatagramReader(this.#exporters, counters);
    this.#writer = new RowWriter(options.batches ?? always(createFlowBatch(4096)), deps.onFlows, frames.fillRecord);
    this.#records = new DataSets(this.#writer, counters, deps.onRecord ?? null);
    this.#sflow = new SflowReader(this.#writer, frames, counters, deps.onRecord ?? null, deps.onSeries ?? null);
    this.#held = new HeldSets({ mostBytes, lifetimeUs: options.heldLifetimeUs ?? HOUR_US }, counters);
    const book = new TemplateBook(options.templateLifetimeUs ?? DAY_US, this.#exporters.templates, counters);
    this.#sets = new FlowSets(book, this.#held, this.#records, counters, options.withdrawals ?? false);
  }

  /** Sets that still wait for their template. */
  get waiting(): number {
    return this.#held.size;
  }

  /**
   * Decodes bytes `from` to `to` of `data`, one UDP payload. Rows stay in the batch until it is full or `flush`.
   * @param receivedUs NaN where nobody knows
   * @returns false, counted, when it is no datagram of an exporter
   */
  decode(data: Uint8Array, from: number, to: number, address: string, port: number, receivedUs: number): boolean {
    const d = this.#datagram;
    if (data !== d.data) {
      d.data = data;
      d.view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    }
    d.from = from;
    d.to = to;
    d.address = address;
    d.port = port;
    d.receivedUs = receivedUs;
    const isOurs = to - from >= 16 && this.#read(d);
    if (!isOurs) this.#counters.notOurs.value++;
    return isOurs;
  }

  #read(d: DatagramReader): boolean {
    switch (d.view.getUint16(d.from)) {
      case 9:
        return readNetflowV9(this.#sets, d);
      case 10:
        return readIpfix(this.#sets, d);
      case 5:
        return readNetflowV5(this.#records, d);
      case 7:
        return readNetflowV7(this.#records, d);
      case 1:
        return readNetflowV1(this.#records, d);
      case 0:
        return d.view.getUint16(d.from + 2) === 5 && this.#sflow.read(d);
      default:
        return false;
    }
  }

  /** Gives what is in the batch to the sink. */
  flush(): void {
    this.#writer.flush();
  }

  /** Flow records and samples so far. */
  get records(): number {
    return this.#counters.records.value + this.#counters.options.value;
  }

  get datagrams(): number {
    return this.#counters.datagrams.value;
  }

  /** What is known of every exporter. */
  status(): ExporterStatus[] {
    return [...this.#exporters.all()].map(statusOf);
  }

  /** Templates, sampling, sequence numbers and what waits; the batch must have been flushed. */
  save(out: StateWriter): void {
    saveExporters(out, this.#exporters, this.#held);
  }

  /** @param isMine senders whose exporters are taken up */
  restore(state: StateReader, isMine: (sender: string) => boolean = () => true): void {
    restoreExporters(state, { exporters: this.#exporters, held: this.#held, sets: this.#sets, isMine });
  }
}

function always(batch: FlowBatch): () => FlowBatch {
  return () => batch;
}
