import type { InputError } from '../core/errors.ts';
import type { PacketBatch } from '../model/packet-batch.ts';
import type { CaptureInfo } from '../model/packet-reader.ts';
import type { Block } from './block.ts';
import { linkTypeName, maxCapturedLength } from './link-types.ts';
import { type PcapHeader, readPcapHeader } from './pcap-header.ts';
import { emptyInfo, type RecordParser } from './record-parser.ts';

const RECORD_BYTES = 16;

/**
 * Records of a classic capture (draft-ietf-opsawg-pcap, section 5), in the byte order of the file:
 *
 *     seconds 4 | microseconds or nanoseconds 4 | captured length 4 | wire length 4 | (4, 8 or 12 more) | packet
 */
export class PcapParser implements RecordParser {
  readonly info: CaptureInfo = emptyInfo();
  readonly untimed = 0;
  error: InputError | null = null;
  #header: PcapHeader | null = null;
  #maxLength = 0;

  parse(block: Block, batch: PacketBatch): void {
    if (this.#header === null && !this.#begin(block)) return;
    const header = this.#header!;
    const first = batch.length;
    const { littleEndian, nanoseconds, lengths, recordBytes, pad } = header;
    const plain = littleEndian && !nanoseconds && lengths === 'straight' && recordBytes === RECORD_BYTES && pad === 0;
    if (plain) this.#plainRecords(block, batch);
    else this.#records(header, block, batch);
    batch.linkType.fill(header.linkType, first, batch.length);
    batch.ingressInterface.fill(0, first, batch.length);
  }

  atEnd(block: Block): InputError | null {
    if (block.length === 0) return null;
    return { code: 'capture.truncated', offset: block.offset, message: 'the capture is cut short inside a record' };
  }

  #begin(block: Block): boolean {
    const header = readPcapHeader(block.view, block.start, block.end);
    this.info.format = 'pcap';
    if ('code' in header) {
      this.error = { code: header.code, offset: block.offset, message: header.message };
      return false;
    }
    block.start += header.headerBytes;
    this.#header = header;
    this.#maxLength = maxCapturedLength(header.linkType);
    this.info.byteOrder = header.littleEndian ? 'little' : 'big';
    this.info.linkTypes.push(linkTypeName(header.linkType));
    this.info.interfaces = 1;
    this.info.timeDigits = header.nanoseconds ? 9 : 6;
    return true;
  }

  /** The hot loop of nearly every classic capture: little-endian, microseconds. */
  #plainRecords(block: Block, batch: PacketBatch): void {
    const { view, end } = block;
    const { capacity, offset, capturedLength, wireLength, timeUs } = batch;
    const max = this.#maxLength;
    const first = batch.length;
    let at = block.start;
    let n = first;
    block.needed = RECORD_BYTES;
    while (n < capacity && end - at >= RECORD_BYTES) {
      const captured = view.getUint32(at + 8, true);
      if (captured > max) {
        this.#tooLong(block.base + at, captured);
        break;
      }
      const next = at + RECORD_BYTES + captured;
      if (next > end) {
        block.needed = RECORD_BYTES + captured;
        break;
      }
      timeUs[n] = view.getUint32(at, true) * 1e6 + view.getUint32(at + 4, true);
      offset[n] = at + RECORD_BYTES;
      capturedLength[n] = captured;
      wireLength[n] = view.getUint32(at + 12, true);
      n++;
      at = next;
    }
    batch.nanos.fill(0, first, n);
    block.start = at;
    batch.length = n;
  }

  /** The hot loop of the others. */
  #records(header: PcapHeader, block: Block, batch: PacketBatch): void {
    const { view, end } = block;
    const { capacity, offset, capturedLength, wireLength, timeUs, nanos } = batch;
    const { littleEndian, nanoseconds, recordBytes, pad } = header;
    const swapAll = header.lengths === 'swapped';
    const straight = header.lengths === 'straight';
    const max = this.#maxLength;
    let at = block.start;
    let n = batch.length;
    block.needed = recordBytes;
    while (n < capacity && end - at >= recordBytes) {
      let captured = view.getUint32(at + 8, littleEndian);
      let wire = view.getUint32(at + 12, littleEndian);
      if (!straight && (swapAll || captured > wire)) {
        const other = captured;
        captured = wire;
        wire = other;
      }
      if (captured > max) {
        this.#tooLong(block.base + at, captured);
        break;
      }
      const next = at + recordBytes + captured;
      if (next > end) {
        block.needed = recordBytes + captured;
        break;
      }
      const fraction = view.getUint32(at + 4, littleEndian);
      const micros = nanoseconds ? (fraction / 1000) | 0 : fraction;
      const padding = Math.min(pad, captured);
      timeUs[n] = view.getUint32(at, littleEndian) * 1e6 + micros;
      nanos[n] = nanoseconds ? fraction - micros * 1000 : 0;
      offset[n] = at + recordBytes + padding;
      capturedLength[n] = captured - padding;
      wireLength[n] = wire - Math.min(pad, wire);
      n++;
      at = next;
    }
    block.start = at;
    batch.length = n;
  }

  #tooLong(offset: number, captured: number): void {
    const message = `a record claims ${captured} captured bytes, more than the ${this.#maxLength} it can hold`;
    this.error = { code: 'capture.damaged', offset, message };
  }
}
