import { setImmediate } from 'node:timers/promises';

/** Few enough that touching a block, or writing it, does not keep the loop. */
const BLOCK_BYTES = 4 << 20;

/**
 * Memory that a state is copied into while its owner stands still. It is kept from one copy to the next, and touched
 * beforehand: new memory costs five times as much as the copy itself, page by page.
 */
export class StateCopy {
  #blocks: Uint8Array[] = [];

  /** The bytes of all chunks, in order; valid until the next call. */
  take(chunks: readonly Uint8Array[]): Uint8Array[] {
    let block = 0;
    let at = 0;
    for (const chunk of chunks) {
      for (let from = 0; from < chunk.length; ) {
        if (at === BLOCK_BYTES) {
          block++;
          at = 0;
        }
        this.#blocks[block] ??= new Uint8Array(BLOCK_BYTES);
        const part =
          from === 0 && chunk.length <= BLOCK_BYTES - at ? chunk : chunk.subarray(from, from + BLOCK_BYTES - at);
        this.#blocks[block].set(part, at);
        at += part.length;
        from += part.length;
      }
    }
    return this.#blocks.slice(0, block + 1).map((each, i) => (i === block ? each.subarray(0, at) : each));
  }

  /** Makes the next copy of about so many bytes cheap, bit by bit; gives back what is too much. */
  async reserve(bytes: number): Promise<void> {
    const blocks = Math.ceil(bytes / BLOCK_BYTES);
    this.#blocks.splice(2 * blocks);
    while (this.#blocks.length < blocks) {
      this.#blocks.push(new Uint8Array(BLOCK_BYTES).fill(1));
      await setImmediate();
    }
  }
}
