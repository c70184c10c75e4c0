import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { type InputError, messageOf } from '../core/errors.ts';
import { PacketBatch } from '../model/packet-batch.ts';
import type { ByteInput } from './byte-input.ts';
import type { PlacedReader } from './capture-reader.ts';
import { canonicalLinkType, linkTypeName, maxCapturedLength } from './link-types.ts';
import { isPcap, readPcapHeader } from './pcap-header.ts';
import { emptyInfo } from './record-parser.ts';

interface GlobalHeader {
  linkLayerType: number;
}

interface RecordHeader {
  timestampSeconds: number;
  timestampMicroseconds: number;
  capturedLength: number;
  originalLength: number;
}

interface Library {
  parse(stream: EventEmitter): EventEmitter & { endianness: 'LE' | 'BE' | null; errored?: boolean };
}

const library = createRequire(import.meta.url)('pcap-parser') as Library;

const PIECE_BYTES = 64 << 10;
const HEADER_BYTES = 24;
const RECORD_BYTES = 16;

/** The stream that the library listens to: it is fed by hand, one piece at a time. */
class Feed extends EventEmitter {
  pause(): void {}
  resume(): void {}
}

/**
 * Classic captures read by the npm library `pcap-parser`: a second reader, written by others, to hold the first one
 * against. The library believes any length; a record that claims too much ends the input before it is believed.
 */
export class LibraryReader implements PlacedReader {
  readonly name: string;
  readonly info = emptyInfo();
  readonly untimed = 0;
  error: InputError | null = null;
  base = 0;
  readonly #input: ByteInput;
  readonly #feed = new Feed();
  readonly #parser: ReturnType<Library['parse']>;
  readonly #pending = new PacketBatch((2 * PIECE_BYTES) / RECORD_BYTES);
  #taken = 0;
  #block = new Uint8Array(8 * PIECE_BYTES);
  #used = 0;
  /** Offset of the next record. */
  #offset = 0;
  #linkType = 0;
  #fed = 0;
  #done = false;

  constructor(name: string, input: ByteInput) {
    this.name = name;
    this.#input = input;
    this.#parser = library.parse(this.#feed);
    this.#parser.on('globalHeader', (header: GlobalHeader) => this.#begin(header));
    this.#parser.on('packetHeader', (header: RecordHeader) => this.#check(header));
    this.#parser.on('packet', (packet: { header: RecordHeader; data: Uint8Array }) => this.#keep(packet));
    this.#parser.on('error', (error: unknown) => this.#stop('capture.unknown', `pcap-parser: ${messageOf(error)}`));
  }

  get bytesRead(): number {
    return this.#input.bytesRead;
  }

  get bytesTotal(): number | null {
    return this.#input.bytesTotal;
  }

  read(batch: PacketBatch): boolean | Promise<boolean> {
    batch.length = 0;
    while (this.#taken === this.#pending.length) {
      if (this.#done) return false;
      this.#clear();
      const piece = new Uint8Array(PIECE_BYTES);
      const got = this.#input.read(piece, 0);
      if (typeof got !== 'number') {
        return got.then((bytes) => {
          this.#push(piece.subarray(0, bytes));
          return this.read(batch);
        });
      }
      this.#push(piece.subarray(0, got));
    }
    this.#give(batch);
    return true;
  }

  #clear(): void {
    this.#pending.length = 0;
    this.#taken = 0;
    this.#used = 0;
    this.base = this.#offset;
  }

  #push(piece: Uint8Array): void {
    if (piece.length > 0) {
      if (this.#fed === 0 && !this.#knows(piece)) return;
      this.#fed += piece.length;
      this.#emit(Buffer.from(piece.buffer, piece.byteOffset, piece.length));
      return;
    }
    const { error } = this.#input;
    if (error !== null) this.#stop(error.code, error.message);
    else if (this.#fed === 0) this.#stop('capture.empty', 'the file is empty');
    else if (this.info.format === null) this.#stop('capture.unknown', 'pcap-parser: the file has no header');
    else if (this.#offset !== this.#fed) this.#stop('capture.truncated', 'the capture is cut short inside a record');
    this.#done = true;
  }

  /** The library takes every variant of the format for the usual one: those are refused before it reads noise. */
  #knows(head: Uint8Array): boolean {
    const view = new DataView(head.buffer, head.byteOffset, head.length);
    if (head.length < HEADER_BYTES || !isPcap(view, 0)) return true;
    const header = readPcapHeader(view, 0, head.length);
    if ('code' in header) {
      this.info.format = 'pcap';
      this.#stop(header.code, header.message);
      return false;
    }
    const { nanoseconds, recordBytes, pad, lengths } = header;
    if (!nanoseconds && recordBytes === RECORD_BYTES && pad === 0 && lengths === 'straight') return true;
    this.#stop('capture.unknown', 'pcap-parser: it does not know this variant of pcap');
    return false;
  }

  #emit(piece: Buffer): void {
    try {
      this.#feed.emit('data', piece);
    } catch (error) {
      if (!(error instanceof DamagedRecord)) this.#stop('capture.damaged', `pcap-parser: ${messageOf(error)}`);
    }
  }

  #begin(header: GlobalHeader): void {
    this.#offset = HEADER_BYTES;
    this.base = HEADER_BYTES;
    this.#linkType = canonicalLinkType(header.linkLayerType & 0xffff);
    this.info.format = 'pcap';
    this.info.byteOrder = this.#parser.endianness === 'LE' ? 'little' : 'big';
    this.info.linkTypes.push(linkTypeName(this.#linkType));
    this.info.interfaces = 1;
  }

  #check(header: RecordHeader): void {
    if (header.capturedLength <= maxCapturedLength(this.#linkType)) return;
    this.#stop('capture.damaged', `a record claims ${header.capturedLength} captured bytes`);
    throw new DamagedRecord();
  }

  #keep({ header, data }: { header: RecordHeader; data: Uint8Array }): void {
    const { length } = data;
    const at = this.#used + RECORD_BYTES;
    if (at + length > this.#block.length) this.#grow(at + length);
    this.#block.set(data, at);
    const batch = this.#pending;
    const n = batch.length++;
    batch.offset[n] = at;
    batch.capturedLength[n] = length;
    batch.wireLength[n] = header.originalLength;
    batch.timeUs[n] = header.timestampSeconds * 1e6 + header.timestampMicroseconds;
    this.#used = at + length;
    this.#offset += RECORD_BYTES + length;
  }

  #grow(bytes: number): void {
    const larger = new Uint8Array(Math.max(bytes, 2 * this.#block.length));
    larger.set(this.#block.subarray(0, this.#used));
    this.#block = larger;
  }

  #give(batch: PacketBatch): void {
    const from = this.#taken;
    const to = Math.min(this.#pending.length, from + batch.capacity);
    batch.setData(this.#block);
    batch.length = to - from;
    batch.offset.set(this.#pending.offset.subarray(from, to));
    batch.capturedLength.set(this.#pending.capturedLength.subarray(from, to));
    batch.wireLength.set(this.#pending.wireLength.subarray(from, to));
    batch.timeUs.set(this.#pending.timeUs.subarray(from, to));
    batch.nanos.fill(0, 0, batch.length);
    batch.linkType.fill(this.#linkType, 0, batch.length);
    batch.ingressInterface.fill(0, 0, batch.length);
    this.#taken = to;
  }

  #stop(code: string, message: string): void {
    this.error ??= { code, offset: this.#offset, message };
    this.#done = true;
    this.#input.close();
  }

  close(): void {
    this.#done = true;
    this.#taken = this.#pending.length;
    this.#input.close();
  }
}

/** Thrown through the library to make it stop; never leaves this file. */
class DamagedRecord extends Error {}
