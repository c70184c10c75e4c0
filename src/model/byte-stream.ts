import type { InputError } from '../core/errors.ts';

/** Bytes that come one after another, already decompressed. Never throws: damage is told by `error`. */
export interface ByteStream {
  /** Bytes of the input as it lies on disk, read so far; and all of them where known. */
  readonly bytesRead: number;
  readonly bytesTotal: number | null;
  /** Why the bytes ended before their time. */
  readonly error: InputError | null;
  /** Reads into `buffer` from `from` on; the number of bytes, 0 at the end. */
  read(buffer: Uint8Array, from: number): number | Promise<number>;
  close(): void;
}
