import type { PacketBatch } from '../model/packet-batch.ts';
import type { PacketReader } from '../model/packet-reader.ts';

/** Packets `from <= i < to` of a batch, all from one input. Valid until the next run is asked for. */
export interface PacketRun {
  batch: PacketBatch;
  from: number;
  to: number;
  /** Index into `PacketStream.readers`. */
  source: number;
}

/** Packets of all inputs in the order of event time. */
export interface PacketStream {
  /** The next run; null at the end. Never throws for damaged input. */
  next(): PacketRun | null | Promise<PacketRun | null>;
  /** One an input, in the order of time: name, what it says of itself, damage. */
  readonly readers: readonly PacketReader[];
  /** Bytes of the inputs read so far, and all of them where known: for progress. */
  readonly bytesRead: number;
  readonly bytesTotal: number | null;
  close(): void;
}
