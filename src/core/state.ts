import { crc32 } from 'node:zlib';
import { WeirError } from './errors.ts';

/**
 * State as bytes, for checkpoints and reloads. Whoever has state writes it with a `StateWriter` and reads it back in the
 * same order with a `StateReader`. Numbers are copied bit by bit, so restored state is equal to the last digit. A named
 * section is found again by its name, whatever stands around it; one that nobody asks for is skipped.
 *
 * Everything is little-endian: `u32 length, bytes` for texts and arrays (an array starts with its type), `f64` for
 * numbers. Arrays are not copied by the writer: use the chunks before the state changes.
 */
export interface Stateful {
  save(out: StateWriter): void;
  /** Throws a `state.*` error for anything that `save` did not write; the object is unusable then. */
  restore(state: StateReader): void;
}

const ARRAYS = [
  Uint8Array,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
] as const;

export type StateArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

export class StateWriter {
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  number(value: number): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value, true);
    this.#push(bytes);
  }

  text(value: string): void {
    this.bytes(new TextEncoder().encode(value));
  }

  /** A value that JSON holds exactly: no NaN, no infinities, no -0. */
  json(value: unknown): void {
    this.text(JSON.stringify(value));
  }

  bytes(value: Uint8Array): void {
    this.#word(value.length);
    this.#push(value);
  }

  /** The elements from `from` up to `to`. */
  array(values: StateArray, from = 0, to = values.length): void {
    const part = values.subarray(from, to);
    this.#word(ARRAYS.findIndex((Type) => values instanceof Type));
    this.#word(part.byteLength);
    this.#push(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  }

  section(name: string, write: (out: StateWriter) => void): void {
    const inner = new StateWriter();
    write(inner);
    this.text(name);
    this.#word(inner.#bytes);
    for (const chunk of inner.#chunks) this.#push(chunk);
  }

  /** Sections that another writer wrote. */
  append(sections: Uint8Array): void {
    this.#push(sections);
  }

  get byteLength(): number {
    return this.#bytes;
  }

  /** What was written, in order; views on the state itself. */
  get chunks(): readonly Uint8Array[] {
    return this.#chunks;
  }

  /** What was written, copied into one piece. */
  concat(): Uint8Array {
    const all = new Uint8Array(this.#bytes);
    let at = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }

  #word(value: number): void {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value, true);
    this.#push(bytes);
  }

  #push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }
}

export class StateReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    // A Buffer's `slice` would not copy.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** What was not read yet: a view. */
  get rest(): Uint8Array {
    return this.#bytes.subarray(this.#at);
  }

  number(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  text(): string {
    return new TextDecoder().decode(this.bytes());
  }

  json<T>(): T {
    return JSON.parse(this.text()) as T;
  }

  /** A view; copy what is kept. */
  bytes(): Uint8Array {
    const length = this.#word();
    const from = this.#take(length);
    return this.#bytes.subarray(from, from + length);
  }

  /** An array of `Type`, a copy of its own. */
  array<T extends StateArray>(Type: new (buffer: ArrayBuffer) => T): T {
    return new Type(this.#arrayBytes(Type).slice().buffer as ArrayBuffer);
  }

  /** Copies a saved array over the beginning of `target`; an array that does not fit is refused. @returns its length */
  into(target: StateArray): number {
    const saved = this.#arrayBytes(target.constructor);
    if (saved.length > target.byteLength) throw damaged(`an array of ${saved.length} bytes does not fit`);
    new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(saved);
    return saved.length / target.BYTES_PER_ELEMENT;
  }

  /** The sections from here to the end, by name. */
  sections(): Map<string, StateReader> {
    const found = new Map<string, StateReader>();
    while (!this.done) {
      const name = this.text();
      found.set(name, new StateReader(this.bytes()));
    }
    return found;
  }

  #arrayBytes(Type: unknown): Uint8Array {
    if (ARRAYS[this.#word()] !== Type) throw damaged('an array is of another type');
    return this.bytes();
  }

  #word(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  #take(length: number): number {
    const from = this.#at;
    if (from + length > this.#bytes.length) throw damaged(`it ends at byte ${this.#bytes.length}`);
    this.#at = from + length;
    return from;
  }
}

/** What `restore` throws when the state is not what `save` wrote. */
export function damaged(message: string): WeirError {
  return new WeirError('state.damaged', `the saved state cannot be read: ${message}`);
}

/** A CRC-32 over all chunks. */
export function checksum(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, chunk) => crc32(chunk, sum), 0);
}

/** A section that has to be there. */
export function required(sections: ReadonlyMap<string, StateReader>, name: string): StateReader {
  const section = sections.get(name);
  if (section) return section;
  throw new WeirError('state.damaged', `the saved state has no section ${name}`);
}
