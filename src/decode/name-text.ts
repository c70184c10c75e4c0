const DOT = 0x2e;
const BACKSLASH = 0x5c;
const ZERO = 0x30;
/** An escaped byte takes four characters. */
const ESCAPE = 4;

/**
 * Builds the text of a domain name from its bytes: lower case, labels joined by dots, no final dot, bytes that are no
 * printable ASCII as `\ddd` (RFC 4343, section 2.1). One buffer serves all names.
 */
export class NameText {
  /** The text so far, `length` bytes of it. */
  readonly bytes: Buffer;
  length = 0;
  readonly #limit: number;
  #wire = 0;

  /** Names of up to `limit` bytes on the wire. */
  constructor(limit: number) {
    this.#limit = limit;
    this.bytes = Buffer.alloc(limit * ESCAPE);
  }

  clear(): void {
    this.#wire = 0;
    this.length = 0;
  }

  /** Ends a name of labels: that of the root is `.`. */
  end(): void {
    if (this.length === 0) this.bytes[this.length++] = DOT;
  }

  /** Adds a label; false when the name becomes too long. The caller has checked that its bytes are there. */
  addLabel(data: Uint8Array<ArrayBufferLike>, at: number, length: number): boolean {
    this.#wire += length + 1;
    if (this.#wire > this.#limit) return false;
    if (this.length > 0) this.bytes[this.length++] = DOT;
    for (let i = 0; i < length; i++) this.#add(data[at + i], true);
    return true;
  }

  /** Adds a whole name that is text already, dots and all. */
  addText(data: Uint8Array<ArrayBufferLike>, at: number, length: number): boolean {
    this.#wire += length;
    if (this.#wire > this.#limit) return false;
    for (let i = 0; i < length; i++) this.#add(data[at + i], false);
    return true;
  }

  #add(byte: number, label: boolean): void {
    const { bytes } = this;
    if (byte >= 0x41 && byte <= 0x5a) bytes[this.length++] = byte | 0x20;
    else if (byte > 0x20 && byte < 0x7f && byte !== BACKSLASH && !(label && byte === DOT)) bytes[this.length++] = byte;
    else this.#escape(byte);
  }

  #escape(byte: number): void {
    const { bytes } = this;
    bytes[this.length++] = BACKSLASH;
    bytes[this.length++] = ZERO + Math.trunc(byte / 100);
    bytes[this.length++] = ZERO + (Math.trunc(byte / 10) % 10);
    bytes[this.length++] = ZERO + (byte % 10);
  }

  toString(): string {
    return this.bytes.toString('latin1', 0, this.length);
  }
}
