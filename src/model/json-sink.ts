import { AsciiWriter, type Piece, piece } from '../core/ascii-writer.ts';
import { formatUs } from '../core/time.ts';
import { formatAddress, IPV4_WORD_2 } from './address.ts';
import { type FieldSink, FLOW_COLUMNS, type FlowField } from './flow-fields.ts';

/** Header stacks and names whose JSON is remembered. */
const MOST_KEPT = 4096;
/** Slots of the caches of seconds and of IPv6 addresses, powers of two. */
const SECONDS = 64;
const ADDRESSES = 4096;
/** Doubles of a kept address: IPv6 takes up to 39 bytes. */
const ADDRESS_WORDS = 5;
/** More than any line takes beside its texts. */
const LINE_BYTES = 4096;
const LATEST_US = 253402300800e6;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const QUOTE = 0x22;
const LINE_END = 0x0a;
const COLON = 0x3a;

/** The start of each field in a JSON object, comma and colon included; and with the quote that opens a text. */
const KEYS = pieces(':');
const TEXT_KEYS = pieces(':"');
const NULL = piece('null');
const QUOTED_Z = piece('Z"');

function pieces(after: string): Record<FlowField, Piece> {
  return Object.fromEntries(FLOW_COLUMNS.map((field) => [field, piece(`,"${field}"${after}`)])) as Record<
    FlowField,
    Piece
  >;
}

/** An octet's digits, a dot behind them, as a little-endian word; its length without the dot. */
const OCTETS = Int32Array.from({ length: 256 }, (_, n) => {
  const text = `${n}.`.padEnd(4, '\0');
  return [...text].reduce((word, char, i) => word | (char.charCodeAt(0) << (8 * i)), 0);
});
const OCTET_LENGTHS = Uint8Array.from({ length: 256 }, (_, n) => String(n).length);
const HEX = Uint16Array.from({ length: 256 }, (_, n) => {
  const text = n.toString(16).padStart(2, '0');
  return text.charCodeAt(0) | (text.charCodeAt(1) << 8);
});
const BASE64 = Uint8Array.from(Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'));

/** Flow records as lines of JSON, straight to bytes: a record makes no string (test/perf/text.ts). */
export class JsonSink implements FieldSink {
  readonly out = new AsciiWriter();
  #start = 0;
  readonly #stacks = new Map<number, Piece>();
  readonly #texts = new Map<string, Piece>();
  readonly #seconds: Piece[] = new Array(SECONDS).fill(NULL);
  readonly #secondNumbers = new Float64Array(SECONDS).fill(-1);
  readonly #addressKeys = new Int32Array(4 * ADDRESSES);
  readonly #addressLengths = new Uint8Array(ADDRESSES);
  readonly #addresses = new Float64Array(ADDRESS_WORDS * ADDRESSES);
  readonly #addressBytes = Buffer.from(this.#addresses.buffer);

  begin(): void {
    this.out.reserve(LINE_BYTES);
    this.#start = this.out.length;
  }

  /** Ends the line. Each field began with a comma: the first one's becomes the bracket. */
  end(): void {
    const { out } = this;
    out.bytes[this.#start] = OPEN;
    out.byte(CLOSE);
    out.byte(LINE_END);
  }

  number(field: FlowField, value: number): void {
    this.out.piece(KEYS[field]);
    this.out.number(value);
  }

  text(field: FlowField, value: string): void {
    let kept = this.#texts.get(value);
    if (kept === undefined) {
      if (this.#texts.size === MOST_KEPT) this.#texts.clear();
      kept = piece(JSON.stringify(value));
      this.#texts.set(value, kept);
    }
    this.#put(field, kept);
  }

  unknown(field: FlowField): void {
    this.#put(field, NULL);
  }

  layers(id: number, text: string): void {
    let stack = this.#stacks.get(id);
    if (stack === undefined) {
      if (this.#stacks.size === MOST_KEPT) this.#stacks.clear();
      stack = piece(JSON.stringify(text.split(' ')));
      this.#stacks.set(id, stack);
    }
    this.#put('layers', stack);
  }

  #put(field: FlowField, value: Piece): void {
    this.out.piece(KEYS[field]);
    this.out.reserve(value.length + LINE_BYTES);
    this.out.piece(value);
  }

  time(field: FlowField, us: number): void {
    const { out } = this;
    out.piece(TEXT_KEYS[field]);
    if (!(us >= 0 && us < LATEST_US)) {
      out.text(formatUs(us));
      out.byte(QUOTE);
      return;
    }
    const second = Math.floor(us / 1e6);
    const slot = second % SECONDS;
    if (this.#secondNumbers[slot] !== second) {
      this.#secondNumbers[slot] = second;
      this.#seconds[slot] = piece(formatUs(second * 1e6).slice(0, -7));
    }
    out.piece(this.#seconds[slot]);
    out.padded(Math.round(us - second * 1e6), 6);
    out.piece(QUOTED_Z);
  }

  address(field: FlowField, words: Int32Array, at: number): void {
    this.out.piece(TEXT_KEYS[field]);
    if (words[at + 2] === IPV4_WORD_2 && (words[at] | words[at + 1]) === 0) this.#ipv4(words[at + 3]);
    else this.#ipv6(words, at);
    this.out.byte(QUOTE);
  }

  #ipv4(word: number): void {
    const { view } = this.out;
    let at = this.out.length;
    for (let shift = 24; shift >= 0; shift -= 8) {
      const octet = (word >>> shift) & 255;
      view.setInt32(at, OCTETS[octet], true);
      at += OCTET_LENGTHS[octet] + 1;
    }
    this.out.length = at - 1;
  }

  #ipv6(words: Int32Array, at: number): void {
    const hash = Math.imul(words[at] ^ words[at + 1] ^ words[at + 2], 0x9e3779b1) ^ words[at + 3];
    const slot = (hash ^ (hash >>> 15)) & (ADDRESSES - 1);
    const keys = this.#addressKeys;
    let same = this.#addressLengths[slot] !== 0;
    for (let k = 0; k < 4; k++) same &&= keys[4 * slot + k] === words[at + k];
    if (!same) {
      for (let k = 0; k < 4; k++) keys[4 * slot + k] = words[at + k];
      const text = formatAddress(words, at);
      this.#addressLengths[slot] = this.#addressBytes.write(text, 8 * ADDRESS_WORDS * slot, 'latin1');
    }
    this.out.copy(this.#addresses, ADDRESS_WORDS * slot, this.#addressLengths[slot]);
  }

  mac(field: FlowField, mac: number): void {
    const { out } = this;
    out.piece(TEXT_KEYS[field]);
    const high = Math.floor(mac / 2 ** 32);
    const low = mac | 0;
    for (let i = 5; i >= 0; i--) {
      const octet = (i > 3 ? high >>> (8 * (i - 4)) : low >>> (8 * i)) & 255;
      out.view.setUint16(out.length, HEX[octet], true);
      out.bytes[out.length + 2] = COLON;
      out.length += 3;
    }
    out.bytes[out.length - 1] = QUOTE;
  }

  communityId(digest: Int32Array): void {
    const { out } = this;
    out.piece(COMMUNITY_KEY);
    for (let group = 0; group < 6; group++) this.#base64(digest, 24 * group);
    const last = digest[4] & 0xffff;
    out.byte(BASE64[last >>> 10]);
    out.byte(BASE64[(last >>> 4) & 63]);
    out.byte(BASE64[(last << 2) & 63]);
    out.piece(BASE64_END);
  }

  /** Four characters for the 24 bits from bit `from` on. */
  #base64(digest: Int32Array, from: number): void {
    const word = from >>> 5;
    const bit = from & 31;
    const bits =
      bit <= 8 ? digest[word] >>> (8 - bit) : (digest[word] << (bit - 8)) | (digest[word + 1] >>> (40 - bit));
    const { out } = this;
    const packed =
      BASE64[(bits >>> 18) & 63] |
      (BASE64[(bits >>> 12) & 63] << 8) |
      (BASE64[(bits >>> 6) & 63] << 16) |
      (BASE64[bits & 63] << 24);
    out.view.setInt32(out.length, packed, true);
    out.length += 4;
  }
}

const COMMUNITY_KEY = piece(',"communityId":"1:');
const BASE64_END = piece('="');
