/** Smaller buffers cost the collector nothing that a pool would save. */
const LEAST_BYTES = 4096;
/** Free buffers that are kept, in all. */
const MOST_FREE_BYTES = 16 << 20;
const CLASSES = 40;

/**
 * Buffers that tables, indexes and lists of rows use in turn. Each buffer that is thrown away instead is memory outside the heap that
 * makes the collector run, and each fresh one costs a page fault every 4 KiB (docs/engine.md). Sizes are powers of two.
 */
class BufferPool {
  readonly #free: ArrayBuffer[][] = Array.from({ length: CLASSES }, () => []);
  #freeBytes = 0;

  /** A buffer of at least so many bytes. What it holds is of no meaning. */
  take(bytes: number): ArrayBuffer {
    if (bytes < LEAST_BYTES) return new ArrayBuffer(roundUp(bytes));
    const size = 2 ** Math.ceil(Math.log2(bytes));
    const known = this.#free[Math.log2(size)].pop();
    if (known === undefined) return new ArrayBuffer(size);
    this.#freeBytes -= size;
    return known;
  }

  /** Takes a buffer back whose size is one of `take`'s. Nobody may look at it any more. */
  give(buffer: ArrayBufferLike): void {
    const size = buffer.byteLength;
    if (size < LEAST_BYTES || (size & (size - 1)) !== 0 || this.#freeBytes + size > MOST_FREE_BYTES) return;
    this.#freeBytes += size;
    this.#free[Math.log2(size)].push(buffer as ArrayBuffer);
  }
}

function roundUp(bytes: number): number {
  return (bytes + 7) & ~7;
}

const POOL = new BufferPool();

/** `length` words of no meaning, to be given back with `giveBack`. */
export function takeWords(length: number): Int32Array<ArrayBuffer> {
  return new Int32Array(POOL.take(4 * length), 0, length);
}

/** `length` doubles of no meaning, to be given back with `giveBack`. */
export function takeDoubles(length: number): Float64Array<ArrayBuffer> {
  return new Float64Array(POOL.take(8 * length), 0, length);
}

/** The array's buffer is free for others. Nobody may look at any view of it any more. */
export function giveBack(array: Int32Array | Float64Array): void {
  POOL.give(array.buffer);
}
