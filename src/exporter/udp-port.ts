import { fstatSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { WeirError } from '../core/errors.ts';
import { parseAddress } from '../model/address.ts';
import type { Endpoint } from './collector-options.ts';
import { type Library, lastError } from './native-library.ts';
import { attachSpread } from './spread.ts';

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
/** Of `struct sockaddr_in6`. */
export const ADDRESS_BYTES = 28;

export interface PortOptions {
  receiveBuffer: number;
  reusePort: boolean;
}

/** An open UDP port: one socket of those that may share it. */
export class UdpPort {
  readonly fd: number;
  readonly #c: Library;

  /** Opens the port. @throws WeirError `exporter.socket` */
  constructor(library: Library, endpoint: Endpoint, options: PortOptions) {
    this.#c = library;
    this.fd = library.socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (this.fd < 0) throw failed('socket');
    const isAny = endpoint.address === '::';
    this.#set(IPPROTO_IPV6, IPV6_V6ONLY, isAny || !isIPv6(endpoint.address) ? 0 : 1);
    if (options.reusePort && this.#set(SOL_SOCKET, SO_REUSEPORT, 1) < 0) throw this.#failed('SO_REUSEPORT');
    // With the right to (CAP_NET_ADMIN) the system's limit does not count.
    if (this.#set(SOL_SOCKET, SO_RCVBUFFORCE, options.receiveBuffer) < 0) {
      this.#set(SOL_SOCKET, SO_RCVBUF, options.receiveBuffer);
    }
    const address = socketAddress(endpoint);
    if (library.bind(this.fd, address, address.length) < 0) {
      throw this.#failed(`${endpoint.address} ${endpoint.port}`);
    }
  }

  #set(level: number, option: number, value: number): number {
    return this.#c.setsockopt(this.fd, level, option, Int32Array.of(value), 4);
  }

  #failed(what: string): WeirError {
    const error = failed(what);
    this.close();
    return error;
  }

  get port(): number {
    const address = Buffer.alloc(ADDRESS_BYTES);
    if (this.#c.getsockname(this.fd, address, Uint32Array.of(ADDRESS_BYTES)) < 0) return 0;
    return address.readUInt16BE(2);
  }

  /** What the system gave; it answers twice of that, to count its own bookkeeping. */
  get receiveBuffer(): number {
    const value = new Int32Array(1);
    this.#c.getsockopt(this.fd, SOL_SOCKET, SO_RCVBUF, value, Uint32Array.of(4));
    return value[0] / 2;
  }

  /** What /proc/net/udp knows the socket by. */
  get inode(): number {
    return fstatSync(this.fd).ino;
  }

  close(): void {
    this.#c.close(this.fd);
  }
}

function failed(what: string): WeirError {
  const code = lastError();
  return new WeirError('exporter.socket', `cannot open the collector's port (${what}): ${code}`, { facts: { code } });
}

/**
 * Opens a port `count` times. Several sockets share what comes by its sender, so that an exporter's templates and records
 * meet; where the port is shared with other processes too, the system shares by address and port of both ends.
 */
export function openPorts(library: Library, endpoint: Endpoint, options: PortOptions, count: number): UdpPort[] {
  const shared = { ...options, reusePort: options.reusePort || count > 1 };
  const ports: UdpPort[] = [];
  try {
    for (let i = 0; i < count; i++) {
      ports.push(new UdpPort(library, { ...endpoint, port: ports[0]?.port ?? endpoint.port }, shared));
    }
    if (count > 1 && !options.reusePort) attachSpread(library, ports[0].fd, count);
    return ports;
  } catch (cause) {
    for (const port of ports) port.close();
    throw cause;
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
