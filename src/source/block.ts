import type { ByteInput } from './byte-input.ts';

/** Room for many records; a larger record makes its block grow. */
export const BLOCK_BYTES = 1 << 20;
/** The least for an input of known length: a compressed one holds more than its length says. */
const SMALL_BYTES = 64 << 10;

/**
 * The window through which a parser sees an input: one buffer, bytes `start..end` of it unread. Only the unread rest
 * of a block (a record cut by its end) is ever moved.
 */
export class Block {
  data: Uint8Array;
  view: DataView;
  start = 0;
  end = 0;
  /** The input has no more bytes. */
  ended = false;
  /** Bytes to leave out before the next unread one: lets a parser step over what does not fit into the block. */
  skip = 0;
  /** Offset in the input of `data[0]`. */
  base = 0;
  readonly #input: ByteInput;
  /** What the record at `start` needs; the block grows to it as its bytes arrive, never on the record's word alone. */
  needed = 0;

  constructor(input: ByteInput, bytes = BLOCK_BYTES) {
    this.#input = input;
    this.data = new Uint8Array(Math.min(bytes, Math.max(SMALL_BYTES, (input.bytesTotal ?? bytes) + 1)));
    this.view = new DataView(this.data.buffer);
  }

  /** Offset in the input of the next unread byte. */
  get offset(): number {
    return this.base + this.start;
  }

  get length(): number {
    return this.end - this.start;
  }

  /** Reads more bytes behind the unread ones; resolves when some came or the input ended. */
  fill(): undefined | Promise<void> {
    this.#makeRoom();
    const got = this.#input.read(this.data, this.end);
    if (typeof got !== 'number') return got.then((bytes) => this.#took(bytes));
    this.#took(got);
  }

  #took(bytes: number): void {
    if (bytes === 0) {
      this.ended = true;
      return;
    }
    this.end += bytes;
    if (this.skip === 0) return;
    const dropped = Math.min(this.skip, this.end - this.start);
    this.skip -= dropped;
    this.start += dropped;
  }

  #makeRoom(): void {
    if (this.start > 0) {
      this.data.copyWithin(0, this.start, this.end);
      this.base += this.start;
      this.end -= this.start;
      this.start = 0;
    }
    if (this.end < this.data.length || this.needed <= this.data.length) return;
    const larger = new Uint8Array(Math.min(this.needed, this.data.length * 2));
    larger.set(this.data);
    this.data = larger;
    this.view = new DataView(larger.buffer);
  }
}
