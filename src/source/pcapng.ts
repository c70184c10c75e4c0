import type { InputError } from '../core/errors.ts';
import type { PacketBatch } from '../model/packet-batch.ts';
import type { CaptureInfo } from '../model/packet-reader.ts';
import type { Block } from './block.ts';
import {
  ENHANCED_PACKET,
  INTERFACE,
  NAMES,
  PACKET,
  PcapngSection,
  SECRETS,
  SECTION_HEADER,
  SIMPLE_PACKET,
  STATISTICS,
} from './pcapng-section.ts';
import type { RecordParser } from './record-parser.ts';

const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

/** The least total length of each kind of block. */
const MIN_BYTES = new Map([
  [SECTION_HEADER, 28],
  [INTERFACE, 20],
  [PACKET, 32],
  [SIMPLE_PACKET, 16],
  [NAMES, 16],
  [STATISTICS, 24],
  [ENHANCED_PACKET, 32],
  [SECRETS, 20],
  [0xbad, 16],
  [0x40000bad, 16],
  [9, 28],
  [0x204, 36],
  [0x216, 40],
  [0x221, 40],
]);
const HEAD_BYTES = 12;
/** The largest packet of all link types with its block around it: what claims more is damage. */
const MAX_BLOCK_BYTES = (128 << 20) + (1 << 17) + 32;
/** Kinds whose body matters: they are waited for, the others are stepped over when they are long. */
const WANTED = new Set([SECTION_HEADER, INTERFACE, PACKET, SIMPLE_PACKET, STATISTICS, ENHANCED_PACKET]);

/** True when a section header begins at `at`. */
export function isPcapng(view: DataView, at: number, length: number): boolean {
  if (length < HEAD_BYTES || view.getUint32(at) !== SECTION_HEADER) return false;
  return view.getUint32(at + 8, true) === BYTE_ORDER_MAGIC || view.getUint32(at + 8, false) === BYTE_ORDER_MAGIC;
}

/**
 * Blocks of a next generation capture (draft-ietf-opsawg-pcapng, section 3.1), in the byte order of their section:
 *
 *     type 4 | total length 4 | body, padded to 4 | total length 4
 */
export class PcapngParser implements RecordParser {
  error: InputError | null = null;
  readonly #section = new PcapngSection();
  /** The total length that has to follow the body just stepped over; 0: none. */
  #trailer = 0;
  #blockOffset = 0;

  get info(): CaptureInfo {
    return this.#section.info;
  }

  get untimed(): number {
    return this.#section.untimed;
  }

  parse(block: Block, batch: PacketBatch): void {
    block.needed = HEAD_BYTES;
    while (batch.length < batch.capacity && this.error === null) {
      if (this.#trailer > 0) {
        if (!this.#endOfSkipped(block)) return;
      } else {
        this.#enhancedPackets(block, batch);
        if (batch.length === batch.capacity || !this.#anyBlock(block, batch)) return;
      }
    }
  }

  atEnd(block: Block): InputError | null {
    if (block.length === 0 && this.#trailer === 0) return null;
    const offset = this.#trailer > 0 ? this.#blockOffset : block.offset;
    return { code: 'capture.truncated', offset, message: 'the capture is cut short inside a block' };
  }

  /** The hot loop: runs of sound enhanced packet blocks without options. Everything else is left to `#anyBlock`. */
  #enhancedPackets(block: Block, batch: PacketBatch): void {
    const { view, end } = block;
    const { capacity, offset, capturedLength, wireLength, timeUs, nanos, linkType, ingressInterface } = batch;
    const { littleEndian, interfaces } = this.#section;
    let untimed = 0;
    let digits = 0;
    let at = block.start;
    let n = batch.length;
    while (n < capacity && end - at >= 32 && view.getUint32(at, littleEndian) === ENHANCED_PACKET) {
      const total = view.getUint32(at + 4, littleEndian);
      const id = view.getUint32(at + 8, littleEndian);
      const captured = view.getUint32(at + 20, littleEndian);
      if (total > end - at || id >= interfaces.length) break;
      const from = interfaces[id];
      if (captured > from.maxLength || total !== 32 + ((captured + 3) & ~3)) break;
      if (view.getUint32(at + total - 4, littleEndian) !== total) break;
      from.setTime(timeUs, nanos, n, view.getUint32(at + 12, littleEndian), view.getUint32(at + 16, littleEndian));
      if (Number.isNaN(timeUs[n])) untimed++;
      digits |= from.digits;
      offset[n] = at + 28;
      capturedLength[n] = captured;
      wireLength[n] = view.getUint32(at + 24, littleEndian);
      linkType[n] = from.linkType;
      ingressInterface[n] = from.index;
      n++;
      at += total;
    }
    block.start = at;
    batch.length = n;
    this.#section.untimed += untimed;
    if ((digits & 9) === 9) this.info.timeDigits = 9;
  }

  /** Takes one block of any kind; false when it is not whole yet or damaged. */
  #anyBlock(block: Block, batch: PacketBatch): boolean {
    if (block.length < HEAD_BYTES) return false;
    const { view, start } = block;
    this.#blockOffset = block.offset;
    const section = view.getUint32(start) === SECTION_HEADER;
    if (section && !this.#setByteOrder(view, start)) return this.#damage('the section header has no byte order magic');
    const type = section ? SECTION_HEADER : view.getUint32(start, this.#section.littleEndian);
    const total = roundUp(view.getUint32(start + 4, this.#section.littleEndian));
    if (total < (MIN_BYTES.get(type) ?? HEAD_BYTES)) return this.#damage(`block ${total} bytes long is too short`);
    if (total > MAX_BLOCK_BYTES) return this.#damage(`a block claims ${total} bytes`);
    if (total > block.length) return this.#laterBlock(block, type, total);
    if (roundUp(view.getUint32(start + total - 4, this.#section.littleEndian)) !== total) {
      return this.#damage('the two lengths of a block differ');
    }
    if (section && !isKnownVersion(view, start, this.#section.littleEndian)) {
      return this.#damage('this version of pcapng is not supported', 'capture.unsupported');
    }
    const problem = this.#section.take(type, view, start + 8, start + total - 4, batch);
    if (problem !== null) return this.#damage(problem);
    block.start = start + total;
    return true;
  }

  /** A block that is not whole yet: waits for it, or steps over its body when nothing in it matters. */
  #laterBlock(block: Block, type: number, total: number): boolean {
    if (total <= block.data.length || WANTED.has(type)) {
      block.needed = total;
      return false;
    }
    block.skip = total - 4 - block.length;
    block.start = block.end;
    this.#trailer = total;
    return false;
  }

  #endOfSkipped(block: Block): boolean {
    block.needed = 4;
    if (block.skip > 0 || block.length < 4) return false;
    if (roundUp(block.view.getUint32(block.start, this.#section.littleEndian)) !== this.#trailer) {
      return this.#damage('the two lengths of a block differ');
    }
    block.start += 4;
    this.#trailer = 0;
    return true;
  }

  #damage(message: string, code = 'capture.damaged'): false {
    this.error = { code, offset: this.#blockOffset, message };
    return false;
  }

  #setByteOrder(view: DataView, start: number): boolean {
    const little = view.getUint32(start + 8, true) === BYTE_ORDER_MAGIC;
    if (!little && view.getUint32(start + 8, false) !== BYTE_ORDER_MAGIC) return false;
    this.#section.littleEndian = little;
    return true;
  }
}

function roundUp(length: number): number {
  return length % 4 === 0 ? length : length + 4 - (length % 4);
}

/** Versions 1.0 and, by early writers, 1.2 of the same layout. */
function isKnownVersion(view: DataView, start: number, littleEndian: boolean): boolean {
  const minor = view.getUint16(start + 14, littleEndian);
  return view.getUint16(start + 12, littleEndian) === 1 && (minor === 0 || minor === 2);
}
