import { setFlagsFromString } from 'node:v8';

/**
 * A block of at least so many bytes is mapped by itself and given back when it is freed. glibc's own first value is 128 KiB; most
 * buffers of windows are smaller, and left 65 MB of holes in the heap of a service that needed 60 (docs/performance.md).
 */
const MAPPED_BYTES = 32 << 10;
/** `M_MMAP_THRESHOLD` of malloc.h. */
const MMAP_THRESHOLD = -3;

let trim: (() => void) | null = null;

/**
 * Keeps large buffers out of the heap that never shrinks. glibc raises the threshold with each mapped block that is
 * freed, up to 32 MiB (mallopt(3)); then buffers of tables and files leave holes that stay resident. To be called before
 * much was freed.
 * @returns false where there is no glibc or no way to it: memory is then as the C library likes it
 */
export async function mapLargeBuffers(): Promise<boolean> {
  try {
    const koffi = (await import('koffi')).default;
    const libc = koffi.load('libc.so.6');
    const mallopt = libc.func('int mallopt(int param, int value)');
    const mallocTrim = libc.func('int malloc_trim(size_t pad)');
    trim = () => void mallocTrim(0);
    return mallopt(MMAP_THRESHOLD, MAPPED_BYTES) === 1;
  } catch {
    return false;
  }
}

/**
 * Gives pages back that only hold what was freed: smaller buffers leave them behind, and the heap creeps up for hours otherwise.
 * Takes 0.2 to 9 ms (malloc_trim(3)); does nothing before `mapLargeBuffers` or without glibc.
 */
export function trimHeap(): void {
  trim?.();
}

/**
 * Keeps the young generations of all threads as small as they begin: V8 would double them up to 32 MiB, while objects of the start
 * survive, and never gives that back. What the engine makes for a while is little, and the old generation has room then
 * before the collector looks at all of it (docs/performance.md). To be called first.
 */
export function keepYoungSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/**
 * Collects when the old generation has grown by a fifth, not when it has doubled: what nobody needs any more holds buffers of tables,
 * which leave holes in the heap of C, so a service grows with them. For processes that run for months (docs/performance.md).
 */
export function collectOften(): void {
  setFlagsFromString('--heap-growing-percent=20');
}
