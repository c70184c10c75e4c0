import { IPV4_WORD_2 } from '../model/address.ts';
import type { NumberColumn } from './row-columns.ts';

const TWO_32 = 2 ** 32;

/**
 * Copies one field of `n` records into a column: `length` bytes at `at` and every `stride` bytes after it. One loop a
 * length: a set has records of one layout, so the work of finding out is done once a set.
 */
export function copyUint(
  view: DataView,
  at: number,
  length: number,
  stride: number,
  n: number,
  column: NumberColumn,
  row: number,
): void {
  const end = row + n;
  let p = at;
  if (length === 4) for (let r = row; r < end; r++, p += stride) column[r] = view.getUint32(p);
  else if (length === 2) for (let r = row; r < end; r++, p += stride) column[r] = view.getUint16(p);
  else if (length === 1) for (let r = row; r < end; r++, p += stride) column[r] = view.getUint8(p);
  else if (length === 8)
    for (let r = row; r < end; r++, p += stride) column[r] = view.getUint32(p) * TWO_32 + view.getUint32(p + 4);
  else for (let r = row; r < end; r++, p += stride) column[r] = uintOf(view, p, length);
}

/** The same where the column holds zero: the second choice of a value. */
export function copyIfZero(
  view: DataView,
  at: number,
  length: number,
  stride: number,
  n: number,
  column: NumberColumn,
  row: number,
): void {
  for (let i = 0, p = at; i < n; i++, p += stride) {
    if (column[row + i] === 0) column[row + i] = uintOf(view, p, length);
  }
}

/** NTP times (RFC 7011, section 6.1.9) as microseconds since 1970; `first` is what the seconds are counted from. */
export function copyNtp(
  view: DataView,
  at: number,
  stride: number,
  n: number,
  column: NumberColumn,
  row: number,
  first: number,
): void {
  for (let i = 0, p = at; i < n; i++, p += stride) {
    const seconds = view.getUint32(p);
    const micros = Math.round((view.getUint32(p + 4) * 1e6) / TWO_32);
    column[row + i] = seconds === 0 ? 0 : (seconds < first ? seconds + TWO_32 - first : seconds - first) * 1e6 + micros;
  }
}

/** Addresses of 4 or 16 bytes. */
export function copyAddress(
  view: DataView,
  at: number,
  length: number,
  stride: number,
  n: number,
  words: Int32Array,
  row: number,
): void {
  let p = at;
  let w = 4 * row;
  if (length === 4) {
    for (let i = 0; i < n; i++, p += stride, w += 4) {
      words[w] = 0;
      words[w + 1] = 0;
      words[w + 2] = IPV4_WORD_2;
      words[w + 3] = view.getInt32(p);
    }
    return;
  }
  for (let i = 0; i < n; i++, p += stride, w += 4) {
    words[w] = view.getInt32(p);
    words[w + 1] = view.getInt32(p + 4);
    words[w + 2] = view.getInt32(p + 8);
    words[w + 3] = view.getInt32(p + 12);
  }
}

/**
 * A further address of the same end: when it is not zero it is the flow's own, and the first one that was not zero is
 * the outer one.
 */
export function copyInnerAddress(
  view: DataView,
  at: number,
  length: number,
  stride: number,
  n: number,
  words: Int32Array,
  outer: Int32Array,
  row: number,
): void {
  for (let i = 0, p = at; i < n; i++, p += stride) {
    if (isZeroAt(view, p, length)) continue;
    const w = 4 * (row + i);
    if (!isUnset(words, w) && isUnset(outer, w)) outer.set(words.subarray(w, w + 4), w);
    copyAddress(view, p, length, 0, 1, words, row + i);
  }
}

/** No address, or 0.0.0.0. */
export function isUnset(words: Int32Array, w: number): boolean {
  return (
    words[w] === 0 && words[w + 1] === 0 && words[w + 3] === 0 && (words[w + 2] === 0 || words[w + 2] === IPV4_WORD_2)
  );
}

function isZeroAt(view: DataView, at: number, length: number): boolean {
  for (let k = 0; k < length; k += 4) if (view.getUint32(at + k) !== 0) return false;
  return true;
}

function uintOf(view: DataView, at: number, length: number): number {
  let value = 0;
  for (let i = 0; i < length; i++) value = value * 256 + view.getUint8(at + i);
  return value;
}
