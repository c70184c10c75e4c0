import { fstatSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { AutoInput } from './auto-input.ts';
import { type ByteInput, FileInput, MemoryInput, type RandomInput } from './byte-input.ts';
import { CaptureReader, FailedReader, type PlacedReader } from './capture-reader.ts';
import { compressionOf } from './compressed-input.ts';
import { LibraryReader } from './library-reader.ts';
import { gather, type StandardInputOptions } from './standard-input.ts';

export type ReaderName = 'weir' | 'pcap-parser';

/** Where an input comes from. What can be read again can be looked through first. */
export interface Origin {
  readonly name: string;
  /** The same bytes can be had again. */
  readonly again: boolean;
  /** The bytes as they lie there, from their start. Throws what opening throws. */
  open(): ByteInput;
}

class FileOrigin implements Origin {
  readonly name: string;
  readonly again: boolean;
  #first: FileInput | null;

  constructor(name: string) {
    this.name = name;
    this.#first = new FileInput(name);
    this.again = this.#first.seekable;
    if (!this.again) return;
    this.#first.close();
    this.#first = null;
  }

  open(): FileInput {
    const first = this.#first;
    this.#first = null;
    return first ?? new FileInput(this.name);
  }
}

class MemoryOrigin implements Origin {
  readonly name: string;
  readonly again = true;
  readonly #bytes: Uint8Array;

  constructor(name: string, bytes: Uint8Array) {
    this.name = name;
    this.#bytes = bytes;
  }

  open(): MemoryInput {
    return new MemoryInput(this.#bytes);
  }
}

class StreamOrigin implements Origin {
  readonly name: string;
  readonly again = false;
  readonly #input: ByteInput;

  constructor(name: string, input: ByteInput) {
    this.name = name;
    this.#input = input;
  }

  open(): ByteInput {
    return this.#input;
  }
}

export const STANDARD_INPUT = '-';

/** A file by its path. Throws when it cannot be opened. */
export function fileOrigin(path: string): Origin {
  return new FileOrigin(path);
}

/** Standard input, once it is known whether it ends soon. Where the shell made it from a file, it is that file. */
export async function standardInputOrigin(stream: Readable | null, options: StandardInputOptions): Promise<Origin> {
  if (stream === null && fstatSync(0).isFile()) {
    return { name: STANDARD_INPUT, again: true, open: () => new FileInput(STANDARD_INPUT, 0) };
  }
  const got = await gather(stream ?? process.stdin, options);
  if (got instanceof Uint8Array) return new MemoryOrigin(STANDARD_INPUT, got);
  return new StreamOrigin(STANDARD_INPUT, got);
}

/** The content where it can be read at any place; null when it is compressed or a stream. */
export function openRandom(origin: Origin): RandomInput | null {
  const input = origin.again ? origin.open() : null;
  if (!(input instanceof FileInput || input instanceof MemoryInput)) return null;
  const head = new Uint8Array(4);
  const got = input.readAt(head, 0, head.length, 0);
  if (compressionOf(head.subarray(0, got)) === null) return input;
  input.close();
  return null;
}

/** The input's content, decompressed. */
export function openContent(origin: Origin): AutoInput {
  return new AutoInput(origin.open(), origin.again ? () => origin.open() : null);
}

/** A reader of the origin's packets; one with an error when it cannot be opened. */
export function openReader(origin: Origin, reader: ReaderName = 'weir', blockBytes?: number): PlacedReader {
  try {
    const content = openContent(origin);
    if (reader === 'pcap-parser') return new LibraryReader(origin.name, content);
    return new CaptureReader(origin.name, content, { blockBytes, live: !origin.again });
  } catch (cause) {
    return new FailedReader(origin.name, 'capture.open', cause);
  }
}

/** An input that could not be opened: its reader says why. */
export function failedOrigin(name: string, cause: unknown): Origin {
  return {
    name,
    again: true,
    open: () => {
      throw cause;
    },
  };
}
