/** glibc's own first value: a block of at least so many bytes is mapped by itself and given back when it is freed. */
const MAPPED_BYTES = 128 << 10;
/** `M_MMAP_THRESHOLD` of malloc.h. */
const MMAP_THRESHOLD = -3;

/**
 * Keeps large buffers out of the heap that never shrinks. glibc raises the threshold with each mapped block that is
 * freed, up to 32 MiB (mallopt(3)); then buffers of tables and files leave holes that stay resident. To be called before
 * much was freed.
 * @returns false where there is no glibc or no way to it: memory is then as the C library likes it
 */
export async function mapLargeBuffers(): Promise<boolean> {
  try {
    const koffi = (await import('koffi')).default;
    const mallopt = koffi.load('libc.so.6').func('int mallopt(int param, int value)');
    return mallopt(MMAP_THRESHOLD, MAPPED_BYTES) === 1;
  } catch {
    return false;
  }
}
