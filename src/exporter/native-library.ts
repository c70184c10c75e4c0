type Koffi = typeof import('koffi');

/** Null where koffi has no build: everything that does not need it works all the same. */
const koffi = await import('koffi').then(
  (module) => (module as unknown as { default: Koffi }).default,
  () => null,
);

/** Whether this system has what the sockets here need: 64-bit Linux, little-endian, and koffi. */
export const hasNativeSocket =
  koffi !== null && process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch);

/** The functions of libc that collectors call. Only where there are native sockets. */
export function loadLibrary() {
  const libc = koffi!.load(null);
  return {
    socket: libc.func('int socket(int domain, int type, int protocol)'),
    setsockopt: libc.func('int setsockopt(int fd, int level, int option, const void *value, uint32_t length)'),
    getsockopt: libc.func('int getsockopt(int fd, int level, int option, int32_t *value, uint32_t *length)'),
    bind: libc.func('int bind(int fd, const uint8_t *address, uint32_t length)'),
    getsockname: libc.func('int getsockname(int fd, uint8_t *address, uint32_t *length)'),
    recvmmsg: libc.func('int recvmmsg(int fd, uint8_t *messages, unsigned int count, int flags, void *timeout)'),
    poll: libc.func('int poll(uint8_t *fds, unsigned long count, int timeout)'),
    eventfd: libc.func('int eventfd(unsigned int count, int flags)'),
    write: libc.func('long write(int fd, const uint8_t *bytes, unsigned long count)'),
    read: libc.func('long read(int fd, uint8_t *bytes, unsigned long count)'),
    close: libc.func('int close(int fd)'),
  };
}

export type Library = ReturnType<typeof loadLibrary>;

/** The name of the last call's error. */
export function lastError(): string {
  const errno = koffi!.errno();
  return Object.entries(koffi!.os.errno).find(([, number]) => number === errno)?.[0] ?? 'unknown';
}

/** Where the bytes of a buffer are, for structures that point at them. */
export function addressOf(buffer: Uint8Array): bigint {
  return koffi!.address(buffer) as bigint;
}
