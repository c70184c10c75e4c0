/**
 * DELTA_BINARY_PACKED of Apache Parquet (Encodings.md): `values a block | miniblocks a block | values | first value`, then for
 * each block `least delta | bits of each miniblock | deltas less the least one`. Numbers of the header are varints, the first
 * value and the least delta zigzag. Bits are whole bytes here: that is fast, and what is left over the compression takes.
 */
const BLOCK = 128;
const MINI = 32;
const MINIS = BLOCK / MINI;
/** The header, and what a block takes at most beside its deltas. */
const HEADER_BYTES = 32;
const BLOCK_BYTES = 10 + MINIS;
/** Deltas between numbers this far apart are exact, and so is what they exceed the least one by. */
export const WIDEST_RANGE = 2 ** 51;

const deltas = new Float64Array(BLOCK);

/** Bytes that `count` numbers take at most. */
export function mostDeltaBytes(count: number): number {
  return HEADER_BYTES + Math.ceil(count / BLOCK) * (BLOCK_BYTES + 8 * BLOCK);
}

/**
 * Writes the first `count` (at least one) of whole numbers, of which no two are further apart than `WIDEST_RANGE`.
 * @returns where it ends in `out`
 */
export function writeDeltas(values: Float64Array, count: number, out: Uint8Array, start: number): number {
  let at = start;
  for (const number of [BLOCK, MINIS, count]) at = varint(out, at, number);
  at = zigzag(out, at, values[0]);
  for (let from = 1; from < count; from += BLOCK) at = writeBlock(values, from, Math.min(BLOCK, count - from), out, at);
  return at;
}

function writeBlock(values: Float64Array, from: number, count: number, out: Uint8Array, start: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < count; i++) {
    const delta = values[from + i] - values[from + i - 1];
    deltas[i] = delta;
    if (delta < least) least = delta;
  }
  deltas.fill(least, count);
  const widths = zigzag(out, start, least);
  let at = widths + MINIS;
  for (let mini = 0; mini < MINIS; mini++) {
    const end = writeMini(mini * MINI, least, out, at);
    out[widths + mini] = (8 * (end - at)) / MINI;
    at = end;
  }
  return at;
}

function writeMini(from: number, least: number, out: Uint8Array, start: number): number {
  let most = 0;
  for (let i = from; i < from + MINI; i++) {
    deltas[i] -= least;
    if (deltas[i] > most) most = deltas[i];
  }
  const bytes = most === 0 ? 0 : 1 + Math.floor(Math.log2(most) / 8);
  let at = start;
  for (let i = from; i < from + MINI; i++) at = bytesOf(deltas[i], bytes, out, at);
  return at;
}

function bytesOf(value: number, bytes: number, out: Uint8Array, start: number): number {
  let word = value | 0;
  let at = start;
  for (let n = 0; n < bytes; n++) {
    if (n === 4) word = Math.floor(value / 2 ** 32);
    out[at++] = word;
    word >>>= 8;
  }
  return at;
}

function zigzag(out: Uint8Array, at: number, value: number): number {
  return varint(out, at, value < 0 ? -2 * value - 1 : 2 * value);
}

function varint(out: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) out[at++] = (rest % 128) | 128;
  out[at++] = rest;
  return at;
}
