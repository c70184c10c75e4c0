import { IPV4_WORD_2 } from '../model/address.ts';

const COLON = 58;
const DOT = 46;
const PERCENT = 37;
const groups = new Uint16Array(8);

/**
 * Reads the address `from <= i < to` into four words at `at`; false, and nothing written, when it is none. A zone
 * (`%eth0`, RFC 4007) is left out.
 */
export function readAddress(bytes: Uint8Array, from: number, to: number, words: Int32Array, at: number): boolean {
  if (to - from > 64) return false;
  let end = to;
  for (let i = from; i < to; i++) {
    if (bytes[i] === COLON) return readIPv6(bytes, from, end, words, at);
    if (bytes[i] === PERCENT) end = i;
  }
  const word = readIPv4(bytes, from, end);
  if (word < 0) return false;
  words[at] = 0;
  words[at + 1] = 0;
  words[at + 2] = IPV4_WORD_2;
  words[at + 3] = word;
  return true;
}

/** Four numbers of at most three digits between dots, as an unsigned word; -1 otherwise. */
function readIPv4(bytes: Uint8Array, from: number, to: number): number {
  let word = 0;
  let octet = -1;
  let dots = 0;
  let width = 0;
  for (let i = from; i < to; i++) {
    const digit = bytes[i] - 48;
    if (digit >= 0 && digit <= 9) {
      octet = Math.max(octet, 0) * 10 + digit;
      if (octet > 255 || ++width > 3) return -1;
    } else {
      if (bytes[i] !== DOT || octet < 0 || ++dots > 3) return -1;
      word = word * 256 + octet;
      octet = -1;
      width = 0;
    }
  }
  return dots === 3 && octet >= 0 ? word * 256 + octet : -1;
}

/** RFC 4291, section 2.2: groups of hexadecimal digits, one `::`, and an IPv4 address at the end if there is a dot. */
function readIPv6(bytes: Uint8Array, from: number, to: number, words: Int32Array, at: number): boolean {
  let end = from;
  while (end < to && bytes[end] !== PERCENT) end++;
  let count = 0;
  let gap = -1;
  let i = from;
  if (bytes[i] === COLON) {
    if (bytes[i + 1] !== COLON) return false;
    gap = 0;
    i += 2;
  }
  while (i < end) {
    if (count === 8) return false;
    const start = i;
    let value = 0;
    while (i < end && i - start < 5) {
      const digit = hexValue(bytes[i]);
      if (digit < 0) break;
      value = value * 16 + digit;
      i++;
    }
    if (i < end && bytes[i] === DOT) {
      const word = readIPv4(bytes, start, end);
      if (word < 0 || count > 6) return false;
      groups[count++] = word >>> 16;
      groups[count++] = word & 0xffff;
      i = end;
      break;
    }
    if (i === start || i - start > 4) return false;
    groups[count++] = value;
    if (i === end) break;
    if (bytes[i++] !== COLON || i === end) return false;
    if (bytes[i] !== COLON) continue;
    if (gap >= 0) return false;
    gap = count;
    i++;
  }
  return spread(count, gap, words, at);
}

/** Puts the groups where they belong: those behind the gap stand at the end. */
function spread(count: number, gap: number, words: Int32Array, at: number): boolean {
  if (gap < 0 ? count !== 8 : count > 7) return false;
  const head = gap < 0 ? count : gap;
  const tail = count - head;
  for (let k = 0; k < 4; k++) words[at + k] = 0;
  for (let k = 0; k < count; k++) {
    const place = k < head ? k : 8 - tail + (k - head);
    words[at + (place >> 1)] |= place & 1 ? groups[k] : groups[k] << 16;
  }
  return true;
}

function hexValue(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = (byte | 32) - 97;
  return letter >= 0 && letter < 6 ? letter + 10 : -1;
}
