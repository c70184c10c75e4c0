import type { InputError } from '../core/errors.ts';
import type { ByteInput } from './byte-input.ts';
import { compressionOf, DecompressedInput } from './compressed-input.ts';

const MAGIC_BYTES = 4;

/** Looks at the first bytes and decompresses what is compressed; everything else passes through untouched. */
export class AutoInput implements ByteInput {
  readonly #raw: ByteInput;
  readonly #reopen: (() => ByteInput) | null;
  #decompressed: DecompressedInput | null = null;
  #begun = false;

  constructor(raw: ByteInput, reopen: (() => ByteInput) | null) {
    this.#raw = raw;
    this.#reopen = reopen;
  }

  get bytesRead(): number {
    return this.#decompressed?.bytesRead ?? this.#raw.bytesRead;
  }

  get bytesTotal(): number | null {
    return this.#raw.bytesTotal;
  }

  get error(): InputError | null {
    return this.#decompressed?.error ?? this.#raw.error;
  }

  /** True once the first bytes have shown that the input is compressed. */
  get compressed(): boolean {
    return this.#decompressed !== null;
  }

  read(buffer: Uint8Array, from: number): number | Promise<number> {
    if (this.#decompressed !== null) return this.#decompressed.read(buffer, from);
    if (this.#begun) return this.#raw.read(buffer, from);
    const got = this.#raw.read(buffer, from);
    if (typeof got === 'number' && (got >= MAGIC_BYTES || got === 0)) return this.#begin(buffer, from, got);
    return this.#gather(buffer, from, got);
  }

  /** A pipe may give its first bytes one by one. */
  async #gather(buffer: Uint8Array, from: number, first: number | Promise<number>): Promise<number> {
    let got = await first;
    for (let more = got; more > 0 && got < MAGIC_BYTES; got += more) more = await this.#raw.read(buffer, from + got);
    return this.#begin(buffer, from, got);
  }

  #begin(buffer: Uint8Array, from: number, got: number): number | Promise<number> {
    this.#begun = true;
    const kind = compressionOf(buffer.subarray(from, from + Math.min(got, MAGIC_BYTES)));
    if (kind === null) return got;
    const head = buffer.slice(from, from + got);
    this.#decompressed = new DecompressedInput(kind, this.#raw, head, this.#reopen);
    return this.#decompressed.read(buffer, from);
  }

  close(): void {
    if (this.#decompressed !== null) this.#decompressed.close();
    else this.#raw.close();
  }
}
