import type { InputError } from '../core/errors.ts';
import type { ByteStream } from '../model/byte-stream.ts';
import type { FlowBatch } from '../model/flow-batch.ts';
import type { LogFormat } from './format.ts';
import { LogParser, MAX_LINE_BYTES, type ParserOptions } from './log-parser.ts';

const BLOCK_BYTES = 256 << 10;

/** One finite log, read to its end, in the order of the log. */
export class LogReader {
  readonly name: string;
  readonly #input: ByteStream;
  readonly #parser: LogParser;
  #buffer = new Uint8Array(BLOCK_BYTES);
  #from = 0;
  #to = 0;
  #ended = false;

  constructor(name: string, input: ByteStream, format: LogFormat, options: ParserOptions) {
    this.name = name;
    this.#input = input;
    this.#parser = new LogParser(format, options);
  }

  /** The first damage: of a row, or of the bytes. */
  get error(): InputError | null {
    return this.#parser.error ?? this.#input.error;
  }

  get rows(): number {
    return this.#parser.rows;
  }

  get badRows(): number {
    return this.#parser.badRows;
  }

  get skipped(): ReadonlyMap<string, number> {
    return this.#parser.skipped;
  }

  get bytesRead(): number {
    return this.#input.bytesRead;
  }

  get bytesTotal(): number | null {
    return this.#input.bytesTotal;
  }

  /** Fills the batch; false when there is nothing more. */
  async read(batch: FlowBatch): Promise<boolean> {
    batch.length = 0;
    while (batch.length < batch.capacity) {
      this.#from += this.#parser.take(this.#buffer, this.#from, this.#to, batch, this.#ended);
      if (batch.length === batch.capacity) break;
      if (this.#ended) break;
      await this.#more();
    }
    return batch.length > 0;
  }

  /** Moves what is left to the front, makes room up to the longest line, and reads behind it. */
  async #more(): Promise<void> {
    this.#buffer.copyWithin(0, this.#from, this.#to);
    this.#to -= this.#from;
    this.#from = 0;
    if (this.#to > this.#buffer.length / 2 && this.#buffer.length < 2 * MAX_LINE_BYTES) {
      const larger = new Uint8Array(2 * this.#buffer.length);
      larger.set(this.#buffer.subarray(0, this.#to));
      this.#buffer = larger;
    }
    const got = await this.#input.read(this.#buffer, this.#to);
    this.#to += got;
    if (got === 0) this.#ended = true;
  }

  close(): void {
    this.#input.close();
  }
}
