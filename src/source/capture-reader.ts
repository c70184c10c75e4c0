import { type InputError, messageOf } from '../core/errors.ts';
import type { PacketBatch } from '../model/packet-batch.ts';
import type { CaptureInfo, PacketReader } from '../model/packet-reader.ts';
import { BLOCK_BYTES, Block } from './block.ts';
import type { ByteInput } from './byte-input.ts';
import { compressionOf } from './compressed-input.ts';
import { otherFormat } from './other-formats.ts';
import { PcapParser } from './pcap.ts';
import { isPcap } from './pcap-header.ts';
import { isPcapng, PcapngParser } from './pcapng.ts';
import { SECTION_HEADER } from './pcapng-section.ts';
import { emptyInfo, type RecordParser } from './record-parser.ts';

const SNIFF_BYTES = 28;

/** True when the first four bytes are those of a capture, or of what captures are compressed with. */
export function looksLikeCapture(head: Uint8Array): boolean {
  if (head.length < 4) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  return isPcap(view, 0) || view.getUint32(0) === SECTION_HEADER || compressionOf(head) !== null;
}

/** Makes the parser for an input by its first bytes; an error when it is no capture. */
function chooseParser(block: Block): RecordParser | InputError {
  if (block.length >= 4 && isPcap(block.view, block.start)) return new PcapParser();
  if (isPcapng(block.view, block.start, block.length)) return new PcapngParser();
  return notACapture(block);
}

function notACapture(block: Block): InputError {
  if (block.length === 0) return { code: 'capture.empty', offset: 0, message: 'the file is empty' };
  const other = otherFormat(block.data.subarray(block.start, block.end));
  const told = other === null ? '' : `, it is ${other}`;
  return { code: 'capture.unknown', offset: 0, message: `the file is no capture: neither pcap nor pcapng${told}` };
}

/** A reader that knows where in its input's content a batch lies. */
export interface PlacedReader extends PacketReader {
  /** Offset in the content of the first byte of the last batch's `data`. */
  readonly base: number;
  /** Packets without a time so far. */
  readonly untimed: number;
}

/** Packets of one input, block by block, whatever it is made of. */
export class CaptureReader implements PlacedReader {
  readonly name: string;
  error: InputError | null = null;
  readonly #input: ByteInput;
  readonly #block: Block;
  readonly #sniffBytes: number;
  #parser: RecordParser | null = null;
  #info: CaptureInfo = emptyInfo();
  #done = false;

  constructor(name: string, input: ByteInput, options: { blockBytes?: number; live?: boolean } = {}) {
    this.name = name;
    this.#input = input;
    this.#block = new Block(input, options.blockBytes ?? BLOCK_BYTES);
    this.#sniffBytes = options.live ? SNIFF_BYTES : this.#block.data.length;
  }

  get info(): CaptureInfo {
    return this.#info;
  }

  get bytesRead(): number {
    return this.#input.bytesRead;
  }

  get bytesTotal(): number | null {
    return this.#input.bytesTotal;
  }

  get base(): number {
    return this.#block.base;
  }

  get untimed(): number {
    return this.#parser?.untimed ?? 0;
  }

  read(batch: PacketBatch): boolean | Promise<boolean> {
    batch.length = 0;
    while (!this.#done) {
      if (this.#parser !== null || this.#begin()) {
        this.#parse(batch);
        if (batch.length > 0) return true;
      }
      if (this.#done) break;
      if (this.#block.ended) {
        this.#finish();
        break;
      }
      const filling = this.#block.fill();
      if (filling !== undefined) return filling.then(() => this.read(batch));
    }
    return false;
  }

  /** Chooses the parser once enough of the input is there; false to wait for more. */
  #begin(): boolean {
    const block = this.#block;
    if (!block.ended && block.length < this.#sniffBytes) return false;
    const chosen = chooseParser(block);
    if ('code' in chosen) {
      this.#stop(this.#input.error ?? chosen);
      return false;
    }
    this.#parser = chosen;
    this.#info = chosen.info;
    return true;
  }

  #parse(batch: PacketBatch): void {
    const parser = this.#parser!;
    if (batch.data !== this.#block.data) batch.setData(this.#block.data);
    parser.parse(this.#block, batch);
    if (parser.error !== null) this.#stop(parser.error);
  }

  /** The input ended: was it at the end of a record, and why? */
  #finish(): void {
    const cut = this.#parser === null ? null : this.#parser.atEnd(this.#block);
    this.#stop(this.#input.error ?? cut);
  }

  #stop(error: InputError | null): void {
    this.error ??= error;
    this.#done = true;
    this.close();
  }

  close(): void {
    this.#done = true;
    this.#input.close();
  }
}

/** A source that could not be opened: no packets, one error. */
export class FailedReader implements PlacedReader {
  readonly name: string;
  readonly info = emptyInfo();
  readonly error: InputError;
  readonly bytesRead = 0;
  readonly bytesTotal = 0;
  readonly base = 0;
  readonly untimed = 0;

  constructor(name: string, code: string, cause: unknown) {
    this.name = name;
    this.error = { code, offset: 0, message: messageOf(cause) };
  }

  read(batch: PacketBatch): boolean {
    batch.length = 0;
    return false;
  }

  close(): void {}
}
