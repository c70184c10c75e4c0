import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type InputError, messageOf } from '../core/errors.ts';

/** Where a reader's bytes come from. Never throws once it is made: damage is told by `error`. */
export interface ByteInput {
  /** Bytes of the input as it lies on disk, read so far; and all of them where known. */
  readonly bytesRead: number;
  readonly bytesTotal: number | null;
  /** Why the bytes ended before their time. */
  readonly error: InputError | null;
  /** Reads into `buffer` from `from` on; the number of bytes, 0 at the end. */
  read(buffer: Uint8Array, from: number): number | Promise<number>;
  close(): void;
}

/** A file that is there for good: reads at positions of its own. */
export class FileInput implements ByteInput {
  readonly bytesTotal: number | null;
  bytesRead = 0;
  error: InputError | null = null;
  readonly #fd: number;
  readonly #owned: boolean;
  readonly #seekable: boolean;
  #closed = false;

  /** Throws what `openSync` throws. `fd` takes an open descriptor in place of the path. */
  constructor(path: string, fd: number | null = null) {
    this.#owned = fd === null;
    this.#fd = fd ?? openSync(path, 'r');
    const stat = fstatSync(this.#fd);
    this.#seekable = stat.isFile();
    this.bytesTotal = this.#seekable ? stat.size : null;
  }

  read(buffer: Uint8Array, from: number): number {
    if (this.#closed) return 0;
    try {
      const got = readSync(this.#fd, buffer, from, buffer.length - from, this.#seekable ? this.bytesRead : null);
      this.bytesRead += got;
      return got;
    } catch (error) {
      this.error = { code: 'capture.read', offset: this.bytesRead, message: messageOf(error) };
      return 0;
    }
  }

  close(): void {
    if (!this.#closed && this.#owned) closeSync(this.#fd);
    this.#closed = true;
  }
}

/** Bytes already in memory, in pieces. */
export class MemoryInput implements ByteInput {
  readonly bytesTotal: number;
  readonly error = null;
  bytesRead = 0;
  readonly #chunks: readonly Uint8Array[];
  #chunk = 0;
  #within = 0;

  constructor(chunks: readonly Uint8Array[]) {
    this.#chunks = chunks;
    this.bytesTotal = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  read(buffer: Uint8Array, from: number): number {
    while (this.#chunk < this.#chunks.length && this.#within === this.#chunks[this.#chunk].length) {
      this.#chunk++;
      this.#within = 0;
    }
    if (this.#chunk === this.#chunks.length) return 0;
    const chunk = this.#chunks[this.#chunk];
    const size = Math.min(buffer.length - from, chunk.length - this.#within);
    buffer.set(chunk.subarray(this.#within, this.#within + size), from);
    this.#within += size;
    this.bytesRead += size;
    return size;
  }

  close(): void {
    this.#chunk = this.#chunks.length;
  }
}
