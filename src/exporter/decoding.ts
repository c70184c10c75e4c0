import type { Counter, Metrics } from '../core/metrics.ts';
import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import { parseBytes, parseDurationUs } from '../core/units.ts';
import type { FlowBatch, FlowSink } from '../model/flow-batch.ts';
import type { Names } from '../model/names.ts';
import type { CollectorOptions } from './collector-options.ts';
import { DatagramQueue } from './datagram-queue.ts';
import { ExporterDecoder } from './exporter-decoder.ts';
import type { FrameDecoder } from './frames.ts';
import { samplingTable } from './sampling-table.ts';
import type { SeriesSink } from './sflow.ts';

export interface DecodingDeps {
  names: Names;
  metrics: Metrics;
  frames: FrameDecoder;
  onFlows: FlowSink;
  onSeries: SeriesSink;
  /** Where rows are written. */
  batches?: () => FlowBatch;
}

/** Datagrams that were taken from a socket, in a bounded queue, and the decoder that makes rows of them. */
export class Decoding implements Stateful {
  readonly decoder: ExporterDecoder;
  readonly queue: DatagramQueue;
  readonly #full: Counter;

  constructor(options: CollectorOptions, deps: DecodingDeps) {
    const { names, metrics, frames, onFlows, onSeries, batches } = deps;
    this.queue = new DatagramQueue(parseBytes(options.queue));
    this.#full = metrics.counter(
      'weir_exporter_dropped_total{cause="queue_full"}',
      'Datagrams dropped because the engine did not follow.',
    );
    this.decoder = new ExporterDecoder(
      {
        names,
        frames,
        batches,
        templateLifetimeUs: parseDurationUs(options.templateLifetime),
        samplingOf: samplingTable(options.sampling),
        withdrawals: options.type === 'ipfix' && options.transport !== 'udp',
      },
      { metrics, onFlows, onSeries },
    );
  }

  /** A datagram waits; without room it is dropped and counted. */
  push(data: Uint8Array, from: number, to: number, address: string, port: number, timeUs: number): void {
    if (!this.queue.push(data, from, to, address, port, timeUs)) this.#full.value++;
  }

  /** Decodes about `budget` records of what waits. */
  run(budget: number): void {
    const { queue, decoder } = this;
    const before = decoder.records;
    while (queue.length > 0 && decoder.records - before < budget) queue.shift(this.#decode);
  }

  readonly #decode = (from: number, to: number, address: string, port: number, timeUs: number): void => {
    this.decoder.decode(this.queue.data, from, to, address, port, timeUs);
  };

  /** What exporters announced, and what waits; the decoder's batch must have been flushed. */
  save(out: StateWriter): void {
    this.decoder.save(out);
    this.queue.save(out);
  }

  /** @param isMine senders whose part is taken up: several may share what one saved */
  restore(state: StateReader, isMine: (sender: string) => boolean = () => true): void {
    this.decoder.restore(state, isMine);
    this.queue.restore(state, isMine);
  }
}
