import { AsciiWriter, asciiWord as word } from '../core/ascii-writer.ts';

/** More than any line takes beside its texts. */
const LINE_BYTES = 4096;
const COLON = 0x3a;

/** An octet's digits and a dot; two hexadecimal digits and a colon. */
const DOTTED = Int32Array.from({ length: 256 }, (_, n) => word(`${n}.`));
const DOTTED_LENGTHS = Uint8Array.from({ length: 256 }, (_, n) => String(n).length + 1);
const HEX = Int32Array.from({ length: 256 }, (_, n) => word(`${n.toString(16).padStart(2, '0')}:`));
/** Two hexadecimal digits; as many as a number below 256 has. */
const HEX_PAIRS = Uint16Array.from({ length: 256 }, (_, n) => word(n.toString(16).padStart(2, '0')));
const HEX_SHORT = Uint16Array.from({ length: 256 }, (_, n) => word(n.toString(16)));
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** Twelve bits as two characters of base64. */
const BASE64 = Uint16Array.from({ length: 4096 }, (_, n) => word(ALPHABET[n >>> 6] + ALPHABET[n & 63]));
const PADDING_AND_QUOTE = word('="');

/** The eight groups of an IPv6 address that is written. */
const GROUPS = new Int32Array(8);

/** Lines of JSON as bytes: what flows are made of is written by tables of what it looks like. */
export class LineBuffer extends AsciiWriter {
  /** Makes room for a line and `count` bytes of texts in it. */
  room(count: number): void {
    this.reserve(count + LINE_BYTES);
  }

  ipv4(address: number): void {
    const { view } = this;
    let at = this.length;
    for (let shift = 24; shift >= 0; shift -= 8) {
      const octet = (address >>> shift) & 255;
      view.setInt32(at, DOTTED[octet], true);
      at += DOTTED_LENGTHS[octet];
    }
    this.length = at - 1;
  }

  /** RFC 5952: without leading zeros, the first of the longest runs of zero groups as two colons. */
  ipv6(words: Int32Array, at: number): void {
    for (let i = 0; i < 8; i++) GROUPS[i] = (words[at + (i >> 1)] >>> ((~i & 1) << 4)) & 0xffff;
    const run = longestRun();
    const start = run >> 4;
    const end = start + (run & 15);
    for (let i = 0; i < 8; i++) {
      if (i >= start && i < end) {
        if (i === start) this.byte(COLON);
        if (end === 8 && i === 7) this.byte(COLON);
        continue;
      }
      if (i > 0) this.byte(COLON);
      this.#group(GROUPS[i]);
    }
  }

  #group(group: number): void {
    const { view, length } = this;
    const upper = group >>> 8;
    if (upper === 0) {
      view.setUint16(length, HEX_SHORT[group], true);
      this.length = length + (group < 16 ? 1 : 2);
      return;
    }
    view.setUint16(length, HEX_SHORT[upper], true);
    const behind = length + (upper < 16 ? 1 : 2);
    view.setUint16(behind, HEX_PAIRS[group & 255], true);
    this.length = behind + 2;
  }

  /** 48 bits. */
  mac(mac: number): void {
    const { view, length } = this;
    const high = Math.floor(mac / 2 ** 32);
    const low = mac | 0;
    view.setInt32(length, HEX[high >>> 8], true);
    view.setInt32(length + 3, HEX[high & 255], true);
    view.setInt32(length + 6, HEX[low >>> 24], true);
    view.setInt32(length + 9, HEX[(low >>> 16) & 255], true);
    view.setInt32(length + 12, HEX[(low >>> 8) & 255], true);
    view.setInt32(length + 15, HEX[low & 255], true);
    this.length = length + 17;
  }

  /** Five words of SHA-1 in base64, and the quote behind it. */
  digest(digest: Int32Array): void {
    const { view, length } = this;
    for (let group = 0; group < 6; group++) {
      const bits = bits24(digest, 24 * group);
      view.setUint16(length + 4 * group, BASE64[(bits >>> 12) & 0xfff], true);
      view.setUint16(length + 4 * group + 2, BASE64[bits & 0xfff], true);
    }
    const last = digest[4] & 0xffff;
    view.setUint16(length + 24, BASE64[last >>> 4], true);
    view.setUint16(length + 26, BASE64[(last & 15) << 8], true);
    view.setUint16(length + 27, PADDING_AND_QUOTE, true);
    this.length = length + 29;
  }
}

/** The first longest run of zero groups, at least two: its start in the upper half of a byte, its length in the lower. */
function longestRun(): number {
  let best = 1;
  let found = 0;
  let length = 0;
  for (let i = 0; i < 8; i++) {
    length = GROUPS[i] === 0 ? length + 1 : 0;
    if (length <= best) continue;
    best = length;
    found = ((i + 1 - length) << 4) | length;
  }
  return found;
}

/** The 24 bits from bit `from` on. */
function bits24(digest: Int32Array, from: number): number {
  const at = from >>> 5;
  const bit = from & 31;
  if (bit <= 8) return digest[at] >>> (8 - bit);
  return (digest[at] << (bit - 8)) | (digest[at + 1] >>> (40 - bit));
}
