import { Metrics } from '../../src/core/metrics.ts';
import { Decoder } from '../../src/decode/decode.ts';
import { Meter } from '../../src/meter/meter.ts';
import type { FlowBatch } from '../../src/model/flow-batch.ts';
import { FlowFormatter } from '../../src/model/flow-json.ts';
import { Names } from '../../src/model/names.ts';
import { PacketBatch } from '../../src/model/packet-batch.ts';
import { IP_BYTES, PacketRows, ROW } from '../../src/model/packet-rows.ts';
import { MemoryInput } from '../../src/source/byte-input.ts';
import { MergedStream } from '../../src/source/merged-stream.ts';
import { OrderedSource } from '../../src/source/ordered-source.ts';
import { type Origin, openReader, type ReaderName } from '../../src/source/origin.ts';
import type { PacketRun } from '../../src/source/packet-stream.ts';
import { type CaptureSummary, summarize } from '../../src/source/summary.ts';

/** What is held against each other: packets and bytes as read, as decoded, as told by slices and records. */
export interface Sums {
  packets: number;
  wireBytes: number;
  ipBytes: number;
}

const ROWS = 128;
const CAPACITY = 256;
const BOUND_US = 3e6;
/** So few that tables overflow all the time. */
const SMALL = { flows: 64, fragments: 16, early: 8, addresses: 64 };
const LIMITS = { maxIndexPackets: 1e6, maxSpoolBytes: 1 << 24, boundUs: BOUND_US };

/**
 * What `weir stats` and `weir flows` do with a capture, in memory. Decoder and meter go on from capture to capture, so
 * that what one leaves behind meets the next.
 */
export class Lab {
  readonly #names = new Names();
  readonly #decoder: Decoder;
  readonly #meter: Meter;
  readonly #rows = new PacketRows(ROWS);
  readonly #batch = new PacketBatch(CAPACITY);
  readonly #format = new FlowFormatter(this.#names);
  #slices = none();
  #records = none();

  constructor(tunnels = true) {
    const metrics = new Metrics();
    this.#decoder = new Decoder(
      {
        names: this.#names,
        tunnels,
        maxFragments: SMALL.fragments,
        maxEarlyFragments: SMALL.early,
        maxAddressNames: SMALL.addresses,
      },
      { metrics },
    );
    this.#meter = new Meter(
      { maxFlows: SMALL.flows },
      {
        metrics,
        onSlices: (batch) => tell(batch, this.#slices),
        onRecords: (batch) => this.#record(batch),
      },
    );
  }

  /** As `weir stats`. */
  stats(bytes: Uint8Array, reader: ReaderName, blockBytes: number): Promise<CaptureSummary> {
    return summarize(openReader(memory(bytes), reader, blockBytes));
  }

  /** As `weir flows`: what was read, and what slices and records say of it. */
  async flows(bytes: Uint8Array, blockBytes: number): Promise<{ read: Sums; slices: Sums; records: Sums }> {
    const options = { ...LIMITS, blockBytes, reader: 'weir', notice: () => {} } as const;
    const source = new OrderedSource(memory(bytes), options);
    await source.prepare(this.#batch);
    const stream = new MergedStream([source], CAPACITY);
    const read = none();
    this.#slices = none();
    this.#records = none();
    for (let run = await stream.next(); run !== null; run = await stream.next()) this.#meterRun(run, read);
    source.close();
    while (this.#decoder.end(this.#rows) > 0) this.#add(read);
    this.#meter.end();
    return { read, slices: this.#slices, records: this.#records };
  }

  #meterRun({ batch, from, to }: PacketRun, read: Sums): void {
    const rows = this.#rows;
    for (let i = from; i < to; i++) read.wireBytes += batch.wireLength[i];
    for (let at = from; at < to; ) {
      at += this.#decoder.decode(batch, at, to, rows);
      this.#add(read);
    }
  }

  #add(read: Sums): void {
    const rows = this.#rows;
    read.packets += rows.length;
    for (let i = 0; i < rows.length; i++) read.ipBytes += rows.words[i * ROW + IP_BYTES] >>> 0;
    this.#meter.add(rows);
  }

  #record(batch: FlowBatch): void {
    tell(batch, this.#records);
    for (let n = 0; n < batch.length; n++) this.#format.json(batch, n);
  }
}

function none(): Sums {
  return { packets: 0, wireBytes: 0, ipBytes: 0 };
}

function tell(batch: FlowBatch, sums: Sums): void {
  for (let n = 0; n < batch.length; n++) {
    sums.packets += batch.packetDeltaCount[n] + batch.reversePacketDeltaCount[n];
    sums.wireBytes += batch.layer2OctetDeltaCount[n] + batch.reverseLayer2OctetDeltaCount[n];
    sums.ipBytes += batch.octetDeltaCount[n] + batch.reverseOctetDeltaCount[n];
  }
}

/** Bytes as an input that can be read again, as a file can. */
function memory(bytes: Uint8Array): Origin {
  return { name: 'case', again: true, open: () => new MemoryInput(bytes) };
}
