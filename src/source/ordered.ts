import { statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { PacketBatch } from '../model/packet-batch.ts';
import { BLOCK_BYTES } from './block.ts';
import { MergedStream } from './merged-stream.ts';
import { OrderedSource, type SourceOptions } from './ordered-source.ts';
import { failedOrigin, fileOrigin, type Origin, STANDARD_INPUT, standardInputOrigin } from './origin.ts';
import type { PacketRun, PacketStream } from './packet-stream.ts';
import type { StandardInputOptions } from './standard-input.ts';

/** Inputs beyond this number get smaller blocks, so that many that overlap do not take much memory. */
const MANY = 32;
const SMALL_BLOCK_BYTES = BLOCK_BYTES / 4;
const CAPACITY = 4096;
const SMALL_CAPACITY = 1024;

const DEFAULTS = {
  boundUs: 3e6,
  reader: 'weir',
  notice: () => {},
  maxIndexPackets: 50_000_000,
  maxSpoolBytes: 8 * 2 ** 30,
} as const;

export interface OrderedOptions extends Partial<Omit<SourceOptions, 'blockBytes'>> {
  /** In place of the process's standard input. */
  stdin?: Readable;
  standardInput?: StandardInputOptions;
}

/** Looks through all inputs, puts them in the order of their start, and merges them. */
export class OrderedStream implements PacketStream {
  readonly #paths: readonly string[];
  readonly #options: SourceOptions;
  readonly #stdin: Readable | null;
  readonly #standardInput: StandardInputOptions;
  #sources: OrderedSource[] = [];
  #merged: MergedStream | null = null;
  #closed = false;

  constructor(paths: readonly string[], options: OrderedOptions) {
    const many = paths.length > MANY;
    this.#paths = paths;
    this.#options = {
      boundUs: options.boundUs ?? DEFAULTS.boundUs,
      reader: options.reader ?? DEFAULTS.reader,
      notice: options.notice ?? DEFAULTS.notice,
      maxIndexPackets: options.maxIndexPackets ?? DEFAULTS.maxIndexPackets,
      maxSpoolBytes: options.maxSpoolBytes ?? DEFAULTS.maxSpoolBytes,
      blockBytes: many ? SMALL_BLOCK_BYTES : BLOCK_BYTES,
    };
    this.#stdin = options.stdin ?? null;
    this.#standardInput = options.standardInput ?? {};
  }

  get readers(): readonly OrderedSource[] {
    return this.#sources;
  }

  get bytesRead(): number {
    return this.#sources.reduce((sum, source) => sum + source.bytesRead, 0);
  }

  get bytesTotal(): number | null {
    if (this.#merged === null) return sizeOf(this.#paths);
    return this.#sources.reduce<number | null>(
      (sum, { bytesTotal }) => (sum === null || bytesTotal === null ? null : sum + bytesTotal),
      0,
    );
  }

  next(): PacketRun | null | Promise<PacketRun | null> {
    if (this.#closed) return null;
    if (this.#merged !== null) return this.#merged.next();
    return this.#prepare().then(() => this.next());
  }

  async #prepare(): Promise<void> {
    const capacity = this.#paths.length > MANY ? SMALL_CAPACITY : CAPACITY;
    const batch = new PacketBatch(CAPACITY);
    for (const path of this.#paths) {
      const source = new OrderedSource(await this.#origin(path), this.#options);
      await source.prepare(batch);
      this.#sources.push(source);
    }
    this.#sources = rank(this.#sources);
    this.#merged = new MergedStream(this.#sources, capacity);
  }

  async #origin(path: string): Promise<Origin> {
    if (path !== STANDARD_INPUT) return openable(path);
    const origin = await standardInputOrigin(this.#stdin, this.#standardInput);
    if (!origin.again) this.#options.notice('standard input goes on: it is read in the order of its arrival');
    return origin;
  }

  close(): void {
    this.#closed = true;
    for (const source of this.#sources) source.close();
  }
}

/** Bytes of all files before they are opened; null when one of them is no file. */
function sizeOf(paths: readonly string[]): number | null {
  try {
    const stats = paths.map((path) => statSync(path));
    return stats.every((stat) => stat.isFile()) ? stats.reduce((sum, stat) => sum + stat.size, 0) : null;
  } catch {
    return null;
  }
}

/** A file's origin, or one whose reader says why it cannot be opened. */
export function openable(path: string): Origin {
  try {
    return fileOrigin(path);
  } catch (cause) {
    return failedOrigin(path, cause);
  }
}

/** Sources by start, then by content, so that the order in which files are named changes nothing. */
export function rank(sources: OrderedSource[]): OrderedSource[] {
  const firsts = sources.map(({ found }) => found?.firstUs ?? Number.NaN).filter((time) => !Number.isNaN(time));
  const earliest = firsts.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY);
  for (const source of sources) {
    const firstUs = source.found?.firstUs ?? 0;
    source.fallbackUs = Number.isNaN(firstUs) ? (firsts.length > 0 ? earliest : 0) : firstUs;
  }
  const checksums = new Map<OrderedSource, number>();
  return [...sources].sort((a, b) => compare(a, b, checksums));
}

function compare(a: OrderedSource, b: OrderedSource, checksums: Map<OrderedSource, number>): number {
  if (a.startUs !== b.startUs) return a.startUs < b.startUs ? -1 : 1;
  return (
    (a.found?.packets ?? 0) - (b.found?.packets ?? 0) ||
    (a.found?.wireBytes ?? 0) - (b.found?.wireBytes ?? 0) ||
    (a.bytesTotal ?? 0) - (b.bytesTotal ?? 0) ||
    checksum(a, checksums) - checksum(b, checksums) ||
    (a.name < b.name ? -1 : Number(a.name > b.name))
  );
}

/** Read only where everything else is equal. */
function checksum(source: OrderedSource, known: Map<OrderedSource, number>): number {
  const sum = known.get(source) ?? (source.origin.again ? readChecksum(source.origin) : 0);
  known.set(source, sum);
  return sum;
}

function readChecksum(origin: Origin): number {
  try {
    const input = origin.open();
    const block = new Uint8Array(BLOCK_BYTES);
    let sum = 0;
    for (let got = input.read(block, 0); typeof got === 'number' && got > 0; got = input.read(block, 0)) {
      sum = crc32(block.subarray(0, got), sum);
    }
    input.close();
    return sum;
  } catch {
    return 0;
  }
}
