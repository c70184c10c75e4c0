import { constants, createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from 'node:zlib';
import type { InputError } from '../core/errors.ts';
import type { ByteInput } from './byte-input.ts';

export type Compression = 'gzip' | 'zstd';

/** Sizes of the pieces that are fed: the first try, and the tries after damage, each within the last piece before it. */
const PIECE_BYTES = [16 << 10, 256, 1];
const OUTPUT_BYTES = 256 << 10;
/** Decompressed bytes that may wait before the decompressor has to: a small piece can stand for very much. */
const MAX_WAITING_BYTES = 4 << 20;
/** An input that just ends has given everything; nothing is gained by a second try. */
const CUT_SHORT = 'unexpected end of file';
/** Bytes behind a whole gzip member that begin no other are padding, as gzip itself sees it. */
const NO_MEMBER = 'incorrect header check';

/** What the first four bytes say: gzip (RFC 1952), zstd or one of its skippable frames (RFC 8878), or neither. */
export function compressionOf(head: Uint8Array): Compression | null {
  if (head.length < 4) return null;
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  const frame = head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd;
  const skippable = (head[0] & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18;
  return frame || skippable ? 'zstd' : null;
}

/**
 * Decompresses while it is read. A decompressor that finds damage keeps back what it made of the last piece, so the
 * input is read again from its start up to the damage, the last piece in smaller ones and at last byte by byte: every
 * whole packet before the damage comes out.
 */
export class DecompressedInput implements ByteInput {
  error: InputError | null = null;
  readonly #kind: Compression;
  readonly #reopen: (() => ByteInput) | null;
  #raw: ByteInput;
  #pump: Pump;
  #delivered = 0;
  #try = 0;

  /** @param reopen gives the compressed bytes from their start once more, where that is possible */
  constructor(kind: Compression, raw: ByteInput, head: Uint8Array, reopen: (() => ByteInput) | null) {
    this.#kind = kind;
    this.#raw = raw;
    this.#reopen = reopen;
    this.#pump = new Pump(kind, raw, head);
  }

  get bytesRead(): number {
    return this.#raw.bytesRead;
  }

  get bytesTotal(): number | null {
    return this.#raw.bytesTotal;
  }

  async read(buffer: Uint8Array, from: number): Promise<number> {
    let got = await this.#pump.take(buffer, from);
    while (got === 0 && this.#worthAnotherTry()) {
      await this.#again();
      got = await this.#pump.take(buffer, from);
    }
    this.#delivered += got;
    if (got === 0) this.error ??= this.#raw.error ?? this.#damage();
    return got;
  }

  #worthAnotherTry(): boolean {
    const { problem } = this.#pump;
    return problem !== null && problem !== CUT_SHORT && this.#reopen !== null && this.#try < PIECE_BYTES.length - 1;
  }

  async #again(): Promise<void> {
    const carefulFrom = Math.max(0, this.#pump.fed - PIECE_BYTES[this.#try]);
    this.close();
    this.#try++;
    this.#raw = this.#reopen!();
    this.#pump = new Pump(this.#kind, this.#raw, new Uint8Array(0), carefulFrom, PIECE_BYTES[this.#try]);
    await this.#pump.drop(this.#delivered);
  }

  #damage(): InputError | null {
    const { problem } = this.#pump;
    if (problem === null || (problem === NO_MEMBER && this.#delivered > 0)) return null;
    const message = `the ${this.#kind} stream is damaged or cut short: ${problem} (offsets count its content)`;
    return { code: 'capture.compression', offset: this.#delivered, message };
  }

  close(): void {
    this.#pump.close();
    this.#raw.close();
  }
}

/** Feeds a decompressor of the runtime, one piece at a time, and keeps what it gives. */
class Pump {
  /** What the decompressor said when it failed. */
  problem: string | null = null;
  /** Compressed bytes fed so far. */
  fed = 0;
  readonly #raw: ByteInput;
  readonly #head: Uint8Array;
  readonly #carefulFrom: number;
  readonly #carefulBytes: number;
  readonly #stream: Gunzip | ZstdDecompress;
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #ended = false;
  #feeding = false;
  #wake: (() => void) | null = null;

  constructor(
    kind: Compression,
    raw: ByteInput,
    head: Uint8Array,
    carefulFrom = Number.POSITIVE_INFINITY,
    carefulBytes = 1,
  ) {
    this.#raw = raw;
    this.#head = head;
    this.#carefulFrom = carefulFrom;
    this.#carefulBytes = carefulBytes;
    this.#stream =
      kind === 'gzip'
        ? createGunzip({ chunkSize: OUTPUT_BYTES })
        : createZstdDecompress({ chunkSize: OUTPUT_BYTES, params: { [constants.ZSTD_d_windowLogMax]: 27 } });
    this.#stream.on('data', (chunk: Uint8Array) => this.#took(chunk));
    this.#stream.on('end', () => this.#stop(null));
    this.#stream.on('error', (error: Error) => this.#stop(error.message));
  }

  /** Moves decompressed bytes into `buffer`; 0 at the end. */
  async take(buffer: Uint8Array, from: number): Promise<number> {
    if (!(await this.#some())) return 0;
    let at = from;
    while (at < buffer.length && this.#waiting.length > 0) {
      const chunk = this.#waiting[0];
      const size = Math.min(chunk.length, buffer.length - at);
      buffer.set(chunk.subarray(0, size), at);
      at += size;
      this.#remove(chunk, size);
    }
    return at - from;
  }

  /** Leaves out the next `bytes`, which were delivered before. */
  async drop(bytes: number): Promise<void> {
    let left = bytes;
    while (left > 0 && (await this.#some())) {
      const size = Math.min(this.#waiting[0].length, left);
      this.#remove(this.#waiting[0], size);
      left -= size;
    }
  }

  #remove(chunk: Uint8Array, size: number): void {
    if (size === chunk.length) this.#waiting.shift();
    else this.#waiting[0] = chunk.subarray(size);
    this.#waitingBytes -= size;
  }

  /** Feeds until something waits; false at the end. */
  async #some(): Promise<boolean> {
    while (this.#waiting.length === 0 && !this.#ended) {
      if (this.#feeding) await this.#event();
      else await this.#feed();
    }
    return this.#waiting.length > 0;
  }

  #event(): Promise<void> {
    this.#stream.resume();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  async #feed(): Promise<void> {
    const piece = await this.#piece();
    if (piece.length === 0) {
      this.#feeding = true;
      this.#stream.end();
      return;
    }
    this.fed += piece.length;
    this.#feeding = true;
    this.#stream.write(piece, () => {
      this.#feeding = false;
      this.#notify();
    });
  }

  async #piece(): Promise<Uint8Array> {
    if (this.fed < this.#head.length) return this.#head.subarray(this.fed, this.fed + PIECE_BYTES[0]);
    const careful = this.fed >= this.#carefulFrom;
    const piece = new Uint8Array(careful ? this.#carefulBytes : Math.min(PIECE_BYTES[0], this.#carefulFrom - this.fed));
    return piece.subarray(0, await this.#raw.read(piece, 0));
  }

  #took(chunk: Uint8Array): void {
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes > MAX_WAITING_BYTES) this.#stream.pause();
    this.#notify();
  }

  #stop(problem: string | null): void {
    this.problem = problem;
    this.#ended = true;
    this.#notify();
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = null;
  }

  close(): void {
    this.#ended = true;
    this.#stream.destroy();
  }
}
