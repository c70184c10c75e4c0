/**
 * Typed arrays cut from shared blocks. A buffer of its own costs a small array more than its content does; a hundred
 * thousand models have half a million of them. A block lives as long as one array in it; arrays are never taken back.
 */
const BLOCK_BYTES = 1 << 15;
/** Larger arrays have a buffer of their own, so that a block's end is not wasted on them. */
const LARGE = BLOCK_BYTES / 8;

let block = new ArrayBuffer(BLOCK_BYTES);
let used = 0;

export function float64(length: number): Float64Array<ArrayBuffer> {
  const at = reserve(8 * length);
  return at < 0 ? new Float64Array(length) : new Float64Array(block, at, length);
}

export function float32(length: number): Float32Array<ArrayBuffer> {
  const at = reserve(4 * length);
  return at < 0 ? new Float32Array(length) : new Float32Array(block, at, length);
}

export function int16(length: number): Int16Array<ArrayBuffer> {
  const at = reserve(2 * length);
  return at < 0 ? new Int16Array(length) : new Int16Array(block, at, length);
}

/** Offset in `block`, aligned; -1 when the array shall have its own buffer. */
function reserve(bytes: number): number {
  if (bytes > LARGE) return -1;
  if (used + bytes > BLOCK_BYTES) {
    block = new ArrayBuffer(BLOCK_BYTES);
    used = 0;
  }
  const at = used;
  used += (bytes + 7) & ~7;
  return at;
}
