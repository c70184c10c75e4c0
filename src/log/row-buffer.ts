import { MAX_LINE_BYTES } from './log-parser.ts';

/** Bytes of a log that wait to be parsed: whole rows, and the beginning of one that is still written. */
export class RowBuffer {
  readonly bytes = new Uint8Array(2 * MAX_LINE_BYTES);
  from = 0;
  to = 0;

  get length(): number {
    return this.to - this.from;
  }

  /** Where new bytes go; what is unread is moved to the front before. */
  room(): Uint8Array {
    this.bytes.copyWithin(0, this.from, this.to);
    this.to -= this.from;
    this.from = 0;
    return this.bytes.subarray(this.to);
  }

  append(part: Uint8Array): void {
    const room = this.room();
    const taken = part.subarray(0, room.length);
    room.set(taken);
    this.to += taken.length;
  }

  clear(): void {
    this.from = 0;
    this.to = 0;
  }
}
