import { type InputError, messageOf } from '../core/errors.ts';
import type { PacketBatch } from '../model/packet-batch.ts';
import type { CaptureInfo, PacketReader } from '../model/packet-reader.ts';
import type { RandomInput } from './byte-input.ts';
import { type Origin, openContent, openRandom, openReader, type ReaderName } from './origin.ts';
import { type Scan, scan } from './scan.ts';
import { SortedReader } from './sorted-reader.ts';
import { spool } from './spool.ts';
import { buildIndex } from './time-index.ts';

export interface SourceOptions {
  /** Packets further behind than this make a finite input be read through an index of time. Infinity: never. */
  boundUs: number;
  reader: ReaderName;
  /** Says things that a person should know. */
  notice: (message: string) => void;
  /** Packets for which an index is made, 32 bytes each. */
  maxIndexPackets: number;
  /** Decompressed bytes that may be put into a temporary file to be read in the order of time. */
  maxSpoolBytes: number;
  /** Size of the blocks that are read; smaller when many inputs are open at once. */
  blockBytes: number;
}

/** One input of a merged stream: looked through first where it can be, opened when its time has come. */
export class OrderedSource implements PacketReader {
  readonly name: string;
  readonly origin: Origin;
  /** What the first pass found; null for a stream. */
  found: Scan | null = null;
  /** The time packets have before any other is known. */
  fallbackUs = Number.NaN;
  readonly #options: SourceOptions;
  #reader: (PacketReader & { readonly untimed?: number }) | null = null;
  #sorted: PacketReader | null = null;
  #untimed = 0;
  #bytesRead = 0;
  #bytesTotal: number | null = null;
  #closed = false;

  constructor(origin: Origin, options: SourceOptions) {
    this.name = origin.name;
    this.origin = origin;
    this.#options = options;
  }

  /** Time of the packet that comes first. A stream comes at once; an input without times where others begin. */
  get startUs(): number {
    if (this.found === null) return Number.NEGATIVE_INFINITY;
    const { firstUs, minUs } = this.found;
    if (Number.isNaN(firstUs)) return this.fallbackUs;
    return this.#sorted === null ? firstUs : minUs;
  }

  get info(): CaptureInfo {
    return this.#reader?.info ?? this.found!.info;
  }

  get error(): InputError | null {
    return this.found?.error ?? this.#reader?.error ?? null;
  }

  /** Its packets come in the order of time rather than of the file. */
  get sorted(): boolean {
    return this.#sorted !== null;
  }

  /** Everything was read. */
  get ended(): boolean {
    return this.#closed;
  }

  get bytesRead(): number {
    return this.#reader?.bytesRead ?? this.#bytesRead;
  }

  get bytesTotal(): number | null {
    return this.#reader?.bytesTotal ?? this.#bytesTotal;
  }

  /** The first pass: learns the times, and makes an index when they are too far out of order. */
  async prepare(batch: PacketBatch): Promise<void> {
    const { origin } = this;
    if (!origin.again) {
      this.#reader = openReader(origin, this.#options.reader, this.#options.blockBytes);
      return;
    }
    const { blockBytes, boundUs, reader } = this.#options;
    const first = openReader(origin, reader, blockBytes);
    const justStart = boundUs === Number.POSITIVE_INFINITY;
    this.found = await scan(first, batch, (found) => justStart && !Number.isNaN(found.firstUs));
    this.#bytesTotal = first.bytesTotal;
    first.close();
    if (this.found.disorderUs > boundUs && !justStart) await this.#sort(batch, this.found);
  }

  async #sort(batch: PacketBatch, found: Scan): Promise<void> {
    const { blockBytes, maxIndexPackets, notice, reader } = this.#options;
    const told = `${this.name}: packets are up to ${(found.disorderUs / 1e6).toFixed(1)} s out of time order`;
    if (found.packets > maxIndexPackets) {
      notice(`${told}; it has more than ${maxIndexPackets} packets and is read in the order of the file`);
      return;
    }
    const input = await this.#randomInput();
    if (typeof input === 'string') {
      notice(`${told}; it is read in the order of the file, for ${input}`);
      return;
    }
    const second = openReader(this.origin, reader, blockBytes);
    const index = await buildIndex(second, batch, found.packets, found.firstUs);
    second.close();
    this.#sorted = new SortedReader(this.name, input, index, { ...found, bytesTotal: this.#bytesTotal });
    notice(`${told}; it is read in the order of time`);
  }

  /** The content to read at any place; compressed content goes to a temporary file. A text says why not. */
  async #randomInput(): Promise<RandomInput | string> {
    try {
      const direct = openRandom(this.origin);
      if (direct !== null) return direct;
      const content = openContent(this.origin);
      const spooled = await spool(content, this.#options.maxSpoolBytes);
      content.close();
      return spooled ?? 'its content is too long for a temporary file';
    } catch (error) {
      return messageOf(error);
    }
  }

  read(batch: PacketBatch): boolean | Promise<boolean> {
    if (this.#closed) {
      batch.length = 0;
      return false;
    }
    this.#reader ??= this.#sorted ?? openReader(this.origin, this.#options.reader, this.#options.blockBytes);
    const more = this.#reader.read(batch);
    if (typeof more === 'boolean') return this.#finish(batch, more);
    return more.then((some) => this.#finish(batch, some));
  }

  #finish(batch: PacketBatch, more: boolean): boolean {
    if (more) this.#giveTimes(batch);
    else this.close();
    return more;
  }

  /** Packets without a time take that of the one before; the first ones that of the first known. */
  #giveTimes(batch: PacketBatch): void {
    const untimed = this.#reader?.untimed ?? 0;
    const { timeUs, length } = batch;
    if (Number.isNaN(this.fallbackUs)) this.fallbackUs = this.found?.firstUs ?? 0;
    if (untimed > this.#untimed) {
      for (let i = 0; i < length; i++) {
        if (Number.isNaN(timeUs[i])) timeUs[i] = i > 0 ? timeUs[i - 1] : this.fallbackUs;
      }
    }
    this.#untimed = untimed;
    this.fallbackUs = timeUs[length - 1];
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reader?.close();
    this.#sorted?.close();
    this.#bytesRead = this.#reader?.bytesRead ?? 0;
  }
}
