import { isIPv6 } from 'node:net';
import koffi from 'koffi';
import { WeirError } from '../core/errors.ts';
import { formatAddress, IPV4_WORD_2, parseAddress } from '../model/address.ts';
import type { Endpoint } from './collector-options.ts';

/** Linux's numbers (socket.h, in.h, in6.h). */
const AF_INET6 = 10;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_REUSEPORT = 15;
const SO_RCVBUFFORCE = 33;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const MSG_DONTWAIT = 0x40;
const POLLIN = 1;

/** Datagrams of one call, and bytes of each: no UDP payload is longer. */
const SLOTS = 128;
const SLOT_BYTES = 65_536;
/** `struct mmsghdr`, `struct iovec` and `struct sockaddr_in6` of 64-bit Linux. */
const HEADER_BYTES = 64;
const VECTOR_BYTES = 16;
const ADDRESS_BYTES = 28;
const LENGTH_AT = 56;
const MOST_TEXTS = 4096;

/** Takes a datagram; `bytes` are the socket's again when the call returns. */
export type Receiver = (bytes: Uint8Array, address: string, port: number) => void;

function library() {
  const libc = koffi.load(null);
  return {
    socket: libc.func('int socket(int domain, int type, int protocol)'),
    setsockopt: libc.func('int setsockopt(int fd, int level, int option, const int32_t *value, uint32_t length)'),
    getsockopt: libc.func('int getsockopt(int fd, int level, int option, int32_t *value, uint32_t *length)'),
    bind: libc.func('int bind(int fd, const uint8_t *address, uint32_t length)'),
    getsockname: libc.func('int getsockname(int fd, uint8_t *address, uint32_t *length)'),
    recvmmsg: libc.func('int recvmmsg(int fd, uint8_t *messages, unsigned int count, int flags, void *timeout)'),
    poll: libc.func('int poll(uint8_t *fds, unsigned long count, int timeout)'),
    close: libc.func('int close(int fd)'),
  };
}

type Library = ReturnType<typeof library>;

/** Whether this system has what the socket needs: 64-bit Linux, little-endian. */
export const hasNativeSocket = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch);

/**
 * A UDP socket that takes many datagrams a call (recvmmsg(2)) into memory of its own: Node's makes an object and a
 * buffer of each, which costs more than decoding it (test/exporters/collect.ts, with `--dgram` beside it).
 */
export class NativeSocket {
  readonly #c: Library = library();
  readonly #data = Buffer.alloc(SLOTS * SLOT_BYTES);
  readonly #headers = Buffer.alloc(SLOTS * HEADER_BYTES);
  readonly #vectors = Buffer.alloc(SLOTS * VECTOR_BYTES);
  readonly #addresses = Buffer.alloc(SLOTS * ADDRESS_BYTES);
  readonly #pollSet = Buffer.alloc(8);
  readonly #slots: Uint8Array[] = [];
  readonly #texts = new Map<number, string>();
  readonly #words = new Int32Array(4);
  #fd = -1;

  constructor() {
    const data = koffi.address(this.#data);
    const vectors = koffi.address(this.#vectors);
    const addresses = koffi.address(this.#addresses);
    for (let i = 0; i < SLOTS; i++) {
      this.#slots.push(this.#data.subarray(i * SLOT_BYTES, (i + 1) * SLOT_BYTES));
      this.#vectors.writeBigUInt64LE(data + BigInt(i * SLOT_BYTES), i * VECTOR_BYTES);
      this.#vectors.writeBigUInt64LE(BigInt(SLOT_BYTES), i * VECTOR_BYTES + 8);
      this.#headers.writeBigUInt64LE(addresses + BigInt(i * ADDRESS_BYTES), i * HEADER_BYTES);
      this.#headers.writeUInt32LE(ADDRESS_BYTES, i * HEADER_BYTES + 8);
      this.#headers.writeBigUInt64LE(vectors + BigInt(i * VECTOR_BYTES), i * HEADER_BYTES + 16);
      this.#headers.writeBigUInt64LE(1n, i * HEADER_BYTES + 24);
    }
  }

  /** Opens the port. @throws WeirError `exporter.socket` */
  open(endpoint: Endpoint, options: { receiveBuffer: number; reusePort: boolean }): void {
    this.#fd = this.#c.socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (this.#fd < 0) throw this.#failed('socket');
    const isAny = endpoint.address === '::';
    this.#set(IPPROTO_IPV6, IPV6_V6ONLY, isAny || !isIPv6(endpoint.address) ? 0 : 1);
    if (options.reusePort && this.#set(SOL_SOCKET, SO_REUSEPORT, 1) < 0) throw this.#failed('SO_REUSEPORT');
    // With the right to (CAP_NET_ADMIN) the system's limit does not count.
    if (this.#set(SOL_SOCKET, SO_RCVBUFFORCE, options.receiveBuffer) < 0) {
      this.#set(SOL_SOCKET, SO_RCVBUF, options.receiveBuffer);
    }
    const address = socketAddress(endpoint);
    if (this.#c.bind(this.#fd, address, address.length) < 0) throw this.#failed(`${endpoint.address} ${endpoint.port}`);
    this.#pollSet.writeInt32LE(this.#fd, 0);
    this.#pollSet.writeInt16LE(POLLIN, 4);
  }

  #set(level: number, option: number, value: number): number {
    return this.#c.setsockopt(this.#fd, level, option, Int32Array.of(value), 4);
  }

  #failed(what: string): WeirError {
    const code = Object.entries(koffi.os.errno).find(([, number]) => number === koffi.errno())?.[0] ?? 'unknown';
    this.close();
    return new WeirError('exporter.socket', `cannot open the collector's port (${what}): ${code}`, { facts: { code } });
  }

  get port(): number {
    const address = Buffer.alloc(ADDRESS_BYTES);
    if (this.#fd < 0 || this.#c.getsockname(this.#fd, address, Uint32Array.of(ADDRESS_BYTES)) < 0) return 0;
    return address.readUInt16BE(2);
  }

  /** What the system gave; it answers twice of that, to count its own bookkeeping. */
  get receiveBuffer(): number {
    const value = new Int32Array(1);
    this.#c.getsockopt(this.#fd, SOL_SOCKET, SO_RCVBUF, value, Uint32Array.of(4));
    return value[0] / 2;
  }

  /** Takes what is there, at most 128 datagrams. @returns how many */
  read(receive: Receiver): number {
    if (this.#fd < 0) return 0;
    const count = this.#c.recvmmsg(this.#fd, this.#headers, SLOTS, MSG_DONTWAIT, null);
    for (let i = 0; i < count; i++) {
      const length = this.#headers.readUInt32LE(i * HEADER_BYTES + LENGTH_AT);
      const at = i * ADDRESS_BYTES;
      receive(this.#slots[i].subarray(0, length), this.#textOf(at), this.#addresses.readUInt16BE(at + 2));
    }
    return Math.max(0, count);
  }

  /** Resolves when something is there, or after a quarter of a second. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.#c.poll.async(this.#pollSet, 1, 250, () => resolve()));
  }

  #textOf(at: number): string {
    const words = this.#words;
    for (let i = 0; i < 4; i++) words[i] = this.#addresses.readInt32BE(at + 8 + 4 * i);
    if (words[0] !== 0 || words[1] !== 0 || words[2] !== IPV4_WORD_2) return formatAddress(words);
    const known = this.#texts.get(words[3]);
    if (known !== undefined) return known;
    if (this.#texts.size === MOST_TEXTS) this.#texts.clear();
    const text = formatAddress(words);
    this.#texts.set(words[3], text);
    return text;
  }

  close(): void {
    if (this.#fd >= 0) this.#c.close(this.#fd);
    this.#fd = -1;
  }
}

/** `sockaddr_in6`: family in the machine's order, port, flow info, address, scope; IPv4 is mapped. */
function socketAddress({ address, port }: Endpoint): Uint8Array {
  const bytes = Buffer.alloc(ADDRESS_BYTES);
  bytes.writeUInt16LE(AF_INET6, 0);
  bytes.writeUInt16BE(port, 2);
  const words = new Int32Array(4);
  if (!parseAddress(address, words)) throw new WeirError('exporter.socket', `${address} is no address`);
  for (let i = 0; i < 4; i++) bytes.writeInt32BE(words[i], 8 + 4 * i);
  return bytes;
}
