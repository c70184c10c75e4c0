import type { StringTable } from '../core/string-table.ts';
import { causeCode } from './causes.ts';
import { NameCache, nameHash } from './name-cache.ts';
import { NameText } from './name-text.ts';

const MALFORMED = causeCode('dns');
const HEADER = 12;
const RESPONSE = 0x8000;
const OPCODE_SHIFT = 11;
const MAX_OPCODE = 6;
const TYPE_A = 1;
const TYPE_AAAA = 28;
const CLASS_IN = 1;
/** mDNS uses the class's first bit for something else (RFC 6762, sections 5.4 and 10.2). */
const CLASS_MASK = 0x7fff;
const CLASS_ANY = 255;
/** Records of one message that are looked at. */
const MAX_RECORDS = 64;
const MAX_POINTERS = 16;
const MAX_NAME = 255;

/** Takes an address that a response gave for the question's name: 4 or 16 bytes at `at`. */
export type AddressSink = (data: Uint8Array<ArrayBufferLike>, at: number, length: number) => void;

/*
 * DNS message (RFC 1035, section 4.1):
 *   0 id   2 QR (1), opcode (4), AA, TC, RD, RA, Z, RCODE (4)   4 questions   6 answers   8 authority   10 additional
 *   12 question: name, type (16), class (16)   answer: name, type, class, TTL (32), data length (16), data
 * Name (sections 3.1, 4.1.4): labels, each a length byte below 64 and its bytes; 0 ends; 0xc0.. points to an earlier one.
 */

/** What one message says; read by `read`, valid until the next call. */
export class DnsReader {
  response = false;
  /** Type of the first question; 0 without one. */
  type = 0;
  /** Id of the first question's name, lower case, `.` for the root; 0 without one. */
  nameId = 0;
  readonly #names: StringTable;
  readonly cache = new NameCache();
  readonly #text = new NameText(MAX_NAME);
  #data: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  #start = 0;
  #end = 0;
  #at = 0;

  /** `names` takes the names. */
  constructor(names: StringTable) {
    this.#names = names;
  }

  /**
   * Reads the message that begins at `start`, of which the bytes before `end` are at hand. `null` when it is one as far
   * as it can be seen, otherwise the cause to count; a message cut off is no error.
   */
  read(data: Uint8Array<ArrayBufferLike>, start: number, end: number, sink: AddressSink): number | null {
    this.response = false;
    this.type = 0;
    this.nameId = 0;
    if (start + HEADER > end) return null;
    this.#data = data;
    this.#start = start;
    this.#end = end;
    const flags = this.#u16(start + 2);
    if (((flags >>> OPCODE_SHIFT) & 15) > MAX_OPCODE) return MALFORMED;
    this.response = (flags & RESPONSE) !== 0;
    this.#at = start + HEADER;
    const questions = this.#u16(start + 4);
    if (questions === 0) return null;
    if (!this.#question()) return MALFORMED;
    if (this.response && questions === 1 && this.nameId !== 0) this.#answers(this.#u16(start + 6), sink);
    return null;
  }

  #u16(at: number): number {
    return (this.#data[at] << 8) | this.#data[at + 1];
  }

  /** False when the question contradicts itself. */
  #question(): boolean {
    const name = this.#at;
    const plain = this.#skipName(name);
    // A name that ends without a pointer needs no text when it was seen lately.
    const length = plain <= this.#end && this.#data[plain - 1] === 0 ? plain - name : 0;
    const hash = length === 0 ? 0 : nameHash(this.#data, name, length);
    const known = length === 0 ? 0 : this.cache.find(this.#data, name, length, hash);
    this.#text.clear();
    const behind = known === 0 ? this.#readName(name) : plain;
    if (behind < 0) return false;
    if (behind + 4 > this.#end) return true;
    const kind = this.#u16(behind + 2) & CLASS_MASK;
    if (kind === 0 || (kind > 4 && kind < 254) || kind > CLASS_ANY) return false;
    this.type = this.#u16(behind);
    this.#at = behind + 4;
    // The table may have let a name go since.
    if (known !== 0 && this.#names.text(known) !== '') this.nameId = known;
    else this.#intern(name, length, hash, known);
    return true;
  }

  #intern(name: number, length: number, hash: number, gone: number): void {
    if (gone !== 0) this.#readName(name);
    this.#text.end();
    this.nameId = this.#names.intern(this.#text.toString());
    if (length !== 0) this.cache.keep(this.#data, name, length, hash, this.nameId);
  }

  /** Adds the name at `from` to the text; answers where it ends, beyond `end` when it is cut off, -1 when it is none. */
  #readName(from: number): number {
    let at = from;
    let behind = 0;
    for (let pointers = 0; at < this.#end; ) {
      const length = this.#data[at];
      if (length === 0) return behind || at + 1;
      if (length >= 0xc0) {
        if (at + 2 > this.#end) return this.#end + 1;
        const target = this.#start + (this.#u16(at) & 0x3fff);
        // A pointer leads back, so that reading ends.
        if (target >= at || target < this.#start + HEADER || ++pointers > MAX_POINTERS) return -1;
        behind ||= at + 2;
        at = target;
      } else if (length >= 0x40) return -1;
      else {
        if (at + 1 + length > this.#end) return this.#end + 1;
        if (!this.#text.addLabel(this.#data, at + 1, length)) return -1;
        at += 1 + length;
      }
    }
    return this.#end + 1;
  }

  /** Where the name at `from` ends, without reading it; beyond `end` when it is cut off or none. */
  #skipName(from: number): number {
    let at = from;
    while (at < this.#end) {
      const length = this.#data[at];
      if (length === 0) return at + 1;
      if (length >= 0xc0) return at + 2;
      if (length >= 0x40) break;
      at += 1 + length;
    }
    return this.#end + 1;
  }

  #answers(count: number, sink: AddressSink): void {
    let at = this.#at;
    for (let i = 0; i < Math.min(count, MAX_RECORDS); i++) {
      const record = this.#skipName(at);
      if (record + 10 > this.#end) return;
      const length = this.#u16(record + 8);
      const value = record + 10;
      if (value + length > this.#end) return;
      if ((this.#u16(record + 2) & CLASS_MASK) === CLASS_IN) this.#answer(this.#u16(record), value, length, sink);
      at = value + length;
    }
  }

  #answer(type: number, at: number, length: number, sink: AddressSink): void {
    if (type === TYPE_A && length === 4) sink(this.#data, at, 4);
    if (type === TYPE_AAAA && length === 16) sink(this.#data, at, 16);
  }
}
