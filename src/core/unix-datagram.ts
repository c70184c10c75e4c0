import { constants } from 'node:os';
import koffi from 'koffi';
import { WeirError } from './errors.ts';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** `sun_path` of unix(7), with its final NUL. */
const PATH_BYTES = 108;

const libc = koffi.load(null);
const socket = libc.func('int socket(int domain, int type, int protocol)');
const sendto = libc.func(
  'intptr_t sendto(int fd, const uint8_t *bytes, size_t length, int flags, const uint8_t *address, uint32_t addressLength)',
);
const close = libc.func('int close(int fd)');

/**
 * Sends datagrams to a unix socket, which Node itself cannot. A name that begins with `@` is in the abstract namespace
 * (unix(7)). Nothing waits: where the receiver's queue is full, `send` says so.
 */
export class UnixDatagram {
  readonly #address: Uint8Array;
  #fd = -1;

  /** @throws WeirError `unix.address` where the name does not fit a socket address */
  constructor(path: string) {
    this.#address = unixAddress(path);
  }

  /** @returns null, or the name of the error (`ECONNREFUSED`, `EAGAIN`) */
  send(text: string): string | null {
    if (this.#fd < 0) this.#fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (this.#fd < 0) return errorName();
    const bytes = new TextEncoder().encode(text);
    const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    const sent = sendto(this.#fd, bytes, bytes.length, flags, this.#address, this.#address.length);
    return Number(sent) < 0 ? errorName() : null;
  }

  close(): void {
    if (this.#fd >= 0) close(this.#fd);
    this.#fd = -1;
  }
}

/** `sockaddr_un`: the family in the machine's byte order, then the path with a NUL, or a NUL and the abstract name. */
export function unixAddress(path: string): Uint8Array {
  const abstract = path.startsWith('@');
  const name = new TextEncoder().encode(abstract ? path.slice(1) : path);
  if (name.length === 0 || name.length + 1 > PATH_BYTES || name.includes(0)) {
    throw new WeirError('unix.address', `${JSON.stringify(path)} is no address of a unix socket`);
  }
  const address = new Uint8Array(2 + name.length + 1);
  new Uint16Array(address.buffer, 0, 1)[0] = AF_UNIX;
  address.set(name, abstract ? 3 : 2);
  return address;
}

function errorName(): string {
  const number = koffi.errno();
  const found = Object.entries(constants.errno).find(([, value]) => value === number);
  return found ? found[0] : `errno ${number}`;
}
