import { WeirError } from '../core/errors.ts';

/** The functions of libc that a capture needs. Pointers are addresses. */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  setsockopt(fd: number, level: number, name: number, value: Uint8Array, length: number): number;
  getsockopt(fd: number, level: number, name: number, value: Uint8Array, length: Uint32Array): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  close(fd: number): number;
  ioctl(fd: number, request: number, argument: Uint8Array): number;
  /** Maps `length` bytes of a socket's ring, shared. */
  map(fd: number, length: number): { address: bigint; unmap(): void };
  /** Where the bytes are; they must stay referenced and are of a buffer that does not move. */
  addressOf(bytes: Uint8Array): bigint;
  /** The kernel's clock: `struct timex` (adjtimex(2)). */
  adjtimex(timex: Uint8Array): number;
  errno(): number;
}

/** A compiled filter: `struct sock_filter` (8 bytes) after `struct sock_filter`. */
export type BpfProgram = Uint8Array;

const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

type Koffi = typeof import('koffi');

/** koffi, which has builds for common platforms only. */
async function koffi(): Promise<Koffi> {
  try {
    const module = (await import('koffi')) as unknown as { default: Koffi };
    return module.default;
  } catch (cause) {
    throw new WeirError('live.koffi', "koffi cannot be loaded, so there is no way to the kernel's ring", { cause });
  }
}

export async function loadLibc(): Promise<Libc> {
  const ffi = await koffi();
  const libc = ffi.load('libc.so.6');
  const mmap = libc.func('void *mmap(void *addr, size_t length, int prot, int flags, int fd, int64_t offset)');
  const munmap = libc.func('int munmap(void *addr, size_t length)');
  return {
    socket: libc.func('int socket(int domain, int type, int protocol)'),
    setsockopt: libc.func('int setsockopt(int fd, int level, int name, const uint8_t *value, uint32_t length)'),
    getsockopt: libc.func(
      'int getsockopt(int fd, int level, int name, _Out_ uint8_t *value, _Inout_ uint32_t *length)',
    ),
    bind: libc.func('int bind(int fd, const uint8_t *address, uint32_t length)'),
    close: libc.func('int close(int fd)'),
    ioctl: libc.func('int ioctl(int fd, unsigned long request, _Inout_ uint8_t *argument)'),
    adjtimex: libc.func('int adjtimex(_Inout_ uint8_t *timex)'),
    map: (fd, length) => {
      const address = mmap(null, length, PROT_READ_WRITE, MAP_SHARED, fd, 0) as unknown;
      if (address === null || ffi.address(address) === MAP_FAILED) {
        throw new WeirError('live.map', `the ring cannot be mapped (errno ${ffi.errno()})`);
      }
      return { address: ffi.address(address) as bigint, unmap: () => void munmap(address, length) };
    },
    addressOf: (bytes) => ffi.address(bytes) as bigint,
    errno: () => ffi.errno(),
  };
}

/** The bytes of this process at an address: the bytes themselves, not a copy, whichever thread asks. */
export async function viewMemory(address: bigint, length: number): Promise<ArrayBuffer> {
  return (await koffi()).view(address, length);
}

const LIBPCAP = ['libpcap.so.0.8', 'libpcap.so.1', 'libpcap.so'];

/** Compiles a filter with libpcap (pcap_compile(3PCAP)); null when there is no libpcap. Throws for a wrong filter. */
export async function compileWithLibpcap(filter: string, linkType: number): Promise<BpfProgram | null> {
  const ffi = await koffi();
  const library = LIBPCAP.map((name) => attempt(() => ffi.load(name))).find((found) => found !== null);
  if (!library) return null;
  const openDead = library.func('void *pcap_open_dead(int linktype, int snaplen)');
  const compile = library.func(
    'int pcap_compile(void *p, _Out_ uint8_t *program, const char *filter, int optimize, uint32_t mask)',
  );
  const close = library.func('void pcap_close(void *p)');
  const text = library.func('const char *pcap_geterr(void *p)');
  const free = library.func('void pcap_freecode(uint8_t *program)');
  const handle = openDead(linkType, 262_144);
  const program = new Uint8Array(16);
  try {
    if (compile(handle, program, filter, 1, 0xffff_ffff) !== 0) throw wrongFilter(filter, String(text(handle)));
    const view = new DataView(program.buffer);
    const bytes = 8 * view.getUint32(0, true);
    const copy = new Uint8Array(ffi.view(view.getBigUint64(8, true), bytes)).slice();
    free(program);
    return copy;
  } finally {
    close(handle);
  }
}

export function wrongFilter(filter: string, reason: string): WeirError {
  return new WeirError('live.filter', `the filter "${filter}" does not compile: ${reason}`, {
    hint: 'see pcap-filter(7)',
  });
}

function attempt<T>(what: () => T): T | null {
  try {
    return what();
  } catch {
    return null;
  }
}
