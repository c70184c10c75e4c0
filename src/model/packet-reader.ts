import type { InputError } from '../core/errors.ts';
import type { PacketBatch } from './packet-batch.ts';

/** What a capture says of itself; grows while it is read. */
export interface CaptureInfo {
  format: 'pcap' | 'pcapng' | null;
  byteOrder: 'little' | 'big' | null;
  /** LINKTYPE_ names without the prefix, in order of appearance (`EN10MB`, `LINUX_SLL`, `UNKNOWN_250`). */
  linkTypes: string[];
  interfaces: number;
  /** 6 or 9 digits of a second. */
  timeDigits: 6 | 9;
  /** Packets that the capture says it lost (pcapng ISB), null when it says nothing. */
  drops: number | null;
}

/** The port through which packets enter, whatever they come from. */
export interface PacketReader {
  /** The path or source as the user gave it. */
  readonly name: string;
  readonly info: CaptureInfo;
  /** Damage that ended the input early; everything before it was delivered. */
  readonly error: InputError | null;
  /** Bytes of the (compressed) input read so far, and all of them where known: for progress. */
  readonly bytesRead: number;
  readonly bytesTotal: number | null;
  /** Fills the batch; false at the end, when it is empty. Never throws for damaged input. */
  read(batch: PacketBatch): boolean | Promise<boolean>;
  close(): void;
}
