/** A text that is written again and again, ready to be copied eight bytes at a time. */
export interface Piece {
  /** Padded with zeros. UTF-8 never looks like a NaN, so that doubles carry it bit by bit. */
  readonly words: Float64Array;
  readonly length: number;
}

export function piece(text: string): Piece {
  const bytes = new TextEncoder().encode(text);
  const words = new Float64Array(Math.ceil(bytes.length / 8));
  new Uint8Array(words.buffer).set(bytes);
  return { words, length: bytes.length };
}

/** Up to four characters as they lie in memory. */
export const asciiWord = (text: string): number =>
  [...text].reduce((word, char, i) => word | (char.charCodeAt(0) << (8 * i)), 0);

/** Numbers below 10,000, without leading zeros and with them. */
const SHORT = Int32Array.from({ length: 10_000 }, (_, n) => asciiWord(String(n)));
const FOUR = Int32Array.from({ length: 10_000 }, (_, n) => asciiWord(String(n).padStart(4, '0')));
const LENGTHS = Uint8Array.from({ length: 10_000 }, (_, n) => String(n).length);
const PAIRS = Uint16Array.from({ length: 100 }, (_, n) => FOUR[n] >>> 16);
/** Bytes that a write may go past its end: it copies whole words. */
const SLACK = 64;

/**
 * Text as bytes in one buffer that is used again: numbers, pieces and short texts without a string in between. Before
 * a line, `reserve` makes room for it.
 */
export class AsciiWriter {
  bytes: Buffer;
  view: DataView;
  /** Bytes written. */
  length = 0;

  constructor(capacity = 1 << 17) {
    this.bytes = Buffer.alloc(capacity);
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, capacity);
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const wanted = this.length + count + SLACK;
    if (wanted <= this.bytes.length) return;
    const larger = Buffer.alloc(Math.max(wanted, 2 * this.bytes.length));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
    this.view = new DataView(larger.buffer, larger.byteOffset, larger.length);
  }

  byte(code: number): void {
    this.bytes[this.length++] = code;
  }

  piece({ words, length }: Piece): void {
    this.copy(words, 0, length);
  }

  /** `length` bytes of `words`, from word `from` on. */
  copy(words: Float64Array, from: number, length: number): void {
    const { view, length: at } = this;
    for (let i = 0; 8 * i < length; i++) view.setFloat64(at + 8 * i, words[from + i], true);
    this.length = at + length;
  }

  /** A number as JavaScript writes it. */
  number(value: number): void {
    if (value >= 0 && value < 1e4 && value === (value | 0)) this.#short(value | 0);
    else this.#long(value);
  }

  /** A whole number below 10,000. */
  #short(value: number): void {
    this.view.setInt32(this.length, SHORT[value], true);
    this.length += LENGTHS[value];
  }

  #long(value: number): void {
    if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER && value === Math.floor(value))) {
      this.text(String(value));
      return;
    }
    const above = Math.floor(value / 1e4);
    if (above < 1e4) this.#short(above);
    else this.#long(above);
    this.#four(value - above * 1e4);
  }

  /** The four digits of a number below 10,000. */
  #four(value: number): void {
    this.view.setInt32(this.length, FOUR[value], true);
    this.length += 4;
  }

  /** The six digits of a number below a million. */
  six(value: number): void {
    const above = (value / 100) | 0;
    this.#four(above);
    this.view.setUint16(this.length, PAIRS[value - above * 100], true);
    this.length += 2;
  }

  /** Any text. */
  text(text: string): void {
    this.reserve(3 * text.length);
    this.length += this.bytes.write(text, this.length);
  }

  clear(): void {
    this.length = 0;
  }

  /** What was written, as a view. */
  get written(): Buffer {
    return this.bytes.subarray(0, this.length);
  }
}
