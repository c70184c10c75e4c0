import type { InputError } from '../core/errors.ts';
import type { PacketBatch } from '../model/packet-batch.ts';
import type { CaptureInfo } from '../model/packet-reader.ts';
import type { Block } from './block.ts';

/** One file format: takes records out of blocks. */
export interface RecordParser {
  readonly info: CaptureInfo;
  /** Damage that ends the input here. */
  readonly error: InputError | null;
  /** Packets without a time so far. */
  readonly untimed: number;
  /**
   * Adds packets from the block to the batch until the batch is full or the block holds no whole record. Moves
   * `block.start` over what it used; sets `block.needed` to the size of a record that is cut by the block's end.
   */
  parse(block: Block, batch: PacketBatch): void;
  /** What is wrong with an input that ends at `block.start`, where an unread rest is left; null when nothing is. */
  atEnd(block: Block): InputError | null;
}

export function emptyInfo(): CaptureInfo {
  return { format: null, byteOrder: null, linkTypes: [], interfaces: 0, timeDigits: 6, drops: null };
}
