import type { Readable } from 'node:stream';
import { type InputError, messageOf } from '../core/errors.ts';
import type { ByteInput } from './byte-input.ts';
import type { Waiting } from './follow-input.ts';

/** Standard input is taken for a file when it ends within this. */
const MAX_BYTES = 64 << 20;
const STALL_MS = 1000;
/** Bytes of a stream that wait to be read before its writer has to. */
const MAX_WAITING_BYTES = 4 << 20;

/** A stream that is still being written: bytes as they come. */
export class StreamInput implements Waiting {
  readonly bytesTotal = null;
  error: InputError | null = null;
  bytesRead = 0;
  readonly #arrivals: Arrivals;
  #waiting = false;
  readonly #onWait: (() => void)[] = [];

  constructor(arrivals: Arrivals) {
    this.#arrivals = arrivals;
  }

  get waiting(): boolean {
    return this.#waiting && this.#arrivals.bytes === 0 && !this.#arrivals.ended;
  }

  waits(): Promise<void> {
    if (this.waiting) return Promise.resolve();
    return new Promise((resolve) => this.#onWait.push(resolve));
  }

  read(buffer: Uint8Array, from: number): number | Promise<number> {
    const arrivals = this.#arrivals;
    if (arrivals.bytes === 0 && !arrivals.ended) {
      this.#waiting = true;
      for (const told of this.#onWait.splice(0)) told();
      return arrivals.more().then(() => this.read(buffer, from));
    }
    this.#waiting = false;
    const got = arrivals.take(buffer, from);
    this.bytesRead += got;
    if (got === 0 && arrivals.problem !== null) {
      this.error = { code: 'capture.read', offset: this.bytesRead, message: arrivals.problem };
    }
    return got;
  }

  close(): void {
    this.#arrivals.close();
  }
}

/** Chunks of a stream in the order of their arrival. */
class Arrivals {
  bytes = 0;
  ended = false;
  problem: string | null = null;
  limit = MAX_BYTES;
  readonly #stream: Readable;
  readonly #chunks: Uint8Array[] = [];
  #wake: (() => void) | null = null;

  constructor(stream: Readable) {
    this.#stream = stream;
    stream.on('data', (chunk: Uint8Array) => {
      this.#chunks.push(chunk);
      this.bytes += chunk.length;
      if (this.bytes > this.limit) stream.pause();
      this.#notify();
    });
    stream.on('end', () => this.#end(null));
    stream.on('error', (error) => this.#end(messageOf(error)));
    stream.on('close', () => this.#end(null));
  }

  #end(problem: string | null): void {
    this.problem ??= this.ended ? null : problem;
    this.ended = true;
    this.#notify();
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = null;
  }

  /** Resolves when something happened. */
  more(): Promise<void> {
    this.#stream.resume();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  take(buffer: Uint8Array, from: number): number {
    let at = from;
    while (at < buffer.length && this.#chunks.length > 0) {
      const chunk = this.#chunks[0];
      const size = Math.min(chunk.length, buffer.length - at);
      buffer.set(chunk.subarray(0, size), at);
      at += size;
      if (size === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(size);
    }
    this.bytes -= at - from;
    return at - from;
  }

  all(): Uint8Array {
    const whole = new Uint8Array(this.bytes);
    this.take(whole, 0);
    return whole;
  }

  close(): void {
    this.ended = true;
    this.#stream.pause();
    this.#notify();
  }
}

/** A stream as an input from its first byte on; its writer waits when too much does. */
export function streamInput(stream: Readable): StreamInput {
  const arrivals = new Arrivals(stream);
  arrivals.limit = MAX_WAITING_BYTES;
  return new StreamInput(arrivals);
}

export interface StandardInputOptions {
  maxBytes?: number;
  stallMs?: number;
}

/**
 * Standard input: all of it when it ends soon, so that it can be read as often as a file; a stream when it does not,
 * because it is too long or because its writer takes its time.
 */
export async function gather(stream: Readable, options: StandardInputOptions = {}): Promise<Uint8Array | ByteInput> {
  const arrivals = new Arrivals(stream);
  arrivals.limit = options.maxBytes ?? MAX_BYTES;
  while (!arrivals.ended && arrivals.bytes <= arrivals.limit) {
    if (!(await within(arrivals.more(), options.stallMs ?? STALL_MS))) break;
  }
  if (arrivals.ended && arrivals.problem === null) return arrivals.all();
  arrivals.limit = MAX_WAITING_BYTES;
  return new StreamInput(arrivals);
}

async function within(event: Promise<void>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const came = await Promise.race([event.then(() => true), late]);
  clearTimeout(timer);
  return came;
}
