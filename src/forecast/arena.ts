/**
 * Numbers of many models in shared blocks. A buffer or a view of its own costs a small array more than its content does;
 * a hundred thousand models have half a million arrays. So they are slices of a block's views. A block lives
 * as long as one slice in it; slices are never taken back.
 */
const BLOCK_BYTES = 1 << 18;
/** Larger arrays have a buffer of their own, so that a block's end is not wasted on them. */
const LARGE = BLOCK_BYTES / 8;

/** The elements from `at` on. */
export interface Slice<T> {
  array: T;
  at: number;
}

interface Block {
  scalars: Float64Array<ArrayBuffer>;
  floats: Float32Array<ArrayBuffer>;
  cells: Int16Array<ArrayBuffer>;
  bytes: Int8Array<ArrayBuffer>;
}

let block = newBlock();
let used = 0;

function newBlock(): Block {
  const buffer = new ArrayBuffer(BLOCK_BYTES);
  return {
    scalars: new Float64Array(buffer),
    floats: new Float32Array(buffer),
    cells: new Int16Array(buffer),
    bytes: new Int8Array(buffer),
  };
}

export function float64(length: number): Slice<Float64Array> {
  const at = reserve(8 * length);
  return at < 0 ? { array: new Float64Array(length), at: 0 } : { array: block.scalars, at: at / 8 };
}

export function float32(length: number): Slice<Float32Array> {
  const at = reserve(4 * length);
  return at < 0 ? { array: new Float32Array(length), at: 0 } : { array: block.floats, at: at / 4 };
}

export function int16(length: number): Slice<Int16Array> {
  const at = reserve(2 * length);
  return at < 0 ? { array: new Int16Array(length), at: 0 } : { array: block.cells, at: at / 2 };
}

export function int8(length: number): Slice<Int8Array> {
  const at = reserve(length);
  return at < 0 ? { array: new Int8Array(length), at: 0 } : { array: block.bytes, at };
}

/** Offset in `block`, aligned; -1 when the array shall have its own buffer. */
function reserve(bytes: number): number {
  if (bytes > LARGE) return -1;
  if (used + bytes > BLOCK_BYTES) {
    block = newBlock();
    used = 0;
  }
  const at = used;
  used += (bytes + 7) & ~7;
  return at;
}
