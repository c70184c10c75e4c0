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

/** An input that can be read at any place. */
export interface RandomInput extends ByteInput {
  /** Reads up to `length` bytes at `position` of the input; the number of bytes, 0 at the end. */
  readAt(buffer: Uint8Array, from: number, length: number, position: number): number;
}

/** A file that is there for good: reads at positions of its own. */
export class FileInput implements RandomInput {
  readonly bytesTotal: number | null;
  bytesRead = 0;
  error: InputError | null = null;
  readonly #fd: number;
  readonly #owned: boolean;
  /** A regular file: it can be read again, and at any place. */
  readonly seekable: boolean;
  protected closed = false;

  /** Throws what `openSync` throws. `fd` takes an open descriptor in place of the path. */
  constructor(path: string, fd: number | null = null) {
    this.#owned = fd === null;
    this.#fd = fd ?? openSync(path, 'r');
    const stat = fstatSync(this.#fd);
    this.seekable = stat.isFile();
    this.bytesTotal = this.seekable ? stat.size : null;
  }

  read(buffer: Uint8Array, from: number): number {
    if (this.closed) return 0;
    try {
      const got = readSync(this.#fd, buffer, from, buffer.length - from, this.seekable ? this.bytesRead : null);
      this.bytesRead += got;
      return got;
    } catch (error) {
      this.error = { code: 'capture.read', offset: this.bytesRead, message: messageOf(error) };
      return 0;
    }
  }

  readAt(buffer: Uint8Array, from: number, length: number, position: number): number {
    try {
      return readSync(this.#fd, buffer, from, length, position);
    } catch {
      return 0;
    }
  }

  close(): void {
    if (!this.closed && this.#owned) closeSync(this.#fd);
    this.closed = true;
  }
}

/** Bytes already in memory. */
export class MemoryInput implements RandomInput {
  readonly bytesTotal: number;
  readonly error = null;
  bytesRead = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.bytesTotal = bytes.length;
  }

  read(buffer: Uint8Array, from: number): number {
    const got = this.readAt(buffer, from, buffer.length - from, this.bytesRead);
    this.bytesRead += got;
    return got;
  }

  readAt(buffer: Uint8Array, from: number, length: number, position: number): number {
    const piece = this.#bytes.subarray(position, position + length);
    buffer.set(piece, from);
    return piece.length;
  }

  close(): void {}
}
