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

const ZERO = 48;
const MOST_DIGITS = 10;
/** Two digits a number from 0 to 99, as they lie in memory. */
const PAIRS = Uint16Array.from({ length: 100 }, (_, n) => (ZERO + Math.floor(n / 10)) | ((ZERO + (n % 10)) << 8));
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
    if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER && value === Math.floor(value))) this.text(String(value));
    else if (value <= 0xffffffff) this.#word(value >>> 0);
    else this.#long(value);
  }

  #long(value: number): void {
    const high = Math.floor(value / 1e8);
    this.#word(high >>> 0);
    this.padded(value - high * 1e8, 8);
  }

  #word(word: number): void {
    let rest = word;
    let end = this.length + digitsOf(word);
    this.length = end;
    while (rest >= 100) {
      const above = (rest / 100) >>> 0;
      end -= 2;
      this.view.setUint16(end, PAIRS[rest - above * 100], true);
      rest = above;
    }
    if (rest >= 10) this.view.setUint16(end - 2, PAIRS[rest], true);
    else this.bytes[end - 1] = ZERO + rest;
  }

  /** The last `digits` digits, an even number of them, of a whole number below 2^32. */
  padded(value: number, digits: number): void {
    let rest = value >>> 0;
    for (let at = this.length + digits - 2; at >= this.length; at -= 2) {
      const above = (rest / 100) >>> 0;
      this.view.setUint16(at, PAIRS[rest - above * 100], true);
      rest = above;
    }
    this.length += digits;
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

function digitsOf(word: number): number {
  let digits = 1;
  for (let limit = 10; digits < MOST_DIGITS && word >= limit; limit *= 10) digits++;
  return digits;
}
