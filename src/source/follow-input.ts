import { closeSync, openSync, readSync } from 'node:fs';
import { type InputError, messageOf } from '../core/errors.ts';
import type { ByteInput } from './byte-input.ts';

/** An input whose writer goes on: it can say that everything there is was read. */
export interface Waiting extends ByteInput {
  /** All bytes that are there were read, and more may come. */
  readonly waiting: boolean;
  /** Resolves when it waits for its writer. */
  waits(): Promise<void>;
  /** There may be more: whoever waits looks again. */
  check?(): void;
  /** Nothing will be added any more: what is there is the rest. */
  finish?(): void;
}

/**
 * A file that is still being written. At its end it waits until `check` finds more bytes, or until `finish` says that
 * there will be none. It keeps its handle, so a file that is renamed or removed meanwhile is read to its end.
 */
export class FollowInput implements Waiting {
  readonly bytesTotal = null;
  error: InputError | null = null;
  bytesRead = 0;
  readonly #fd: number;
  #final = false;
  #closed = false;
  #resume: (() => void) | null = null;
  #onWait: (() => void)[] = [];

  /** Throws what `openSync` throws. */
  constructor(path: string) {
    this.#fd = openSync(path, 'r');
  }

  get waiting(): boolean {
    return this.#resume !== null;
  }

  waits(): Promise<void> {
    if (this.waiting) return Promise.resolve();
    return new Promise((resolve) => this.#onWait.push(resolve));
  }

  read(buffer: Uint8Array, from: number): number | Promise<number> {
    const got = this.#readNow(buffer, from);
    if (got > 0 || this.#final || this.#closed) return got;
    return new Promise((resolve) => {
      this.#resume = () => {
        this.#resume = null;
        resolve(this.read(buffer, from));
      };
      for (const told of this.#onWait.splice(0)) told();
    });
  }

  #readNow(buffer: Uint8Array, from: number): number {
    if (this.#closed) return 0;
    try {
      const got = readSync(this.#fd, buffer, from, buffer.length - from, this.bytesRead);
      this.bytesRead += got;
      return got;
    } catch (error) {
      this.error = { code: 'capture.read', offset: this.bytesRead, message: messageOf(error) };
      this.#final = true;
      return 0;
    }
  }

  check(): void {
    this.#resume?.();
  }

  finish(): void {
    this.#final = true;
    this.#resume?.();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#fd);
    this.#resume?.();
  }
}
