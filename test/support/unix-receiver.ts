import koffi from 'koffi';
import { unixAddress } from '../../src/core/unix-datagram.ts';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;
const SOL_SOCKET = 1;
const SO_PASSCRED = 16;
const SCM_CREDENTIALS = 2;

const libc = koffi.load(null);
const socket = libc.func('int socket(int domain, int type, int protocol)');
const bind = libc.func('int bind(int fd, const uint8_t *address, uint32_t length)');
const setsockopt = libc.func('int setsockopt(int fd, int level, int name, const uint8_t *value, uint32_t length)');
const recvmsg = libc.func('intptr_t recvmsg(int fd, uint8_t *header, int flags)');
const close = libc.func('int close(int fd)');

/** What systemd is to its services: a unix datagram socket that learns the sender's pid from the kernel. */
export class UnixReceiver {
  readonly #fd: number;

  constructor(path: string) {
    this.#fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    const address = unixAddress(path);
    if (bind(this.#fd, address, address.length) !== 0) throw new Error(`bind ${path}: errno ${koffi.errno()}`);
    setsockopt(this.#fd, SOL_SOCKET, SO_PASSCRED, new Uint8Array(Int32Array.of(1).buffer), 4);
  }

  /** What has come in; a datagram is one text. The sender is a local socket, so nothing has to be waited for. */
  take(): { text: string; pid: number }[] {
    const taken: { text: string; pid: number }[] = [];
    for (let next = this.#one(); next !== null; next = this.#one()) taken.push(next);
    return taken;
  }

  close(): void {
    close(this.#fd);
  }

  /** recvmsg(2) with its structures laid out by hand (64-bit, little endian). */
  #one(): { text: string; pid: number } | null {
    const body = Buffer.alloc(4096);
    const control = Buffer.alloc(64);
    const vector = new BigUint64Array([koffi.address(body), BigInt(body.length)]);
    const header = new BigUint64Array(7);
    header.set([0n, 0n, koffi.address(vector), 1n, koffi.address(control), BigInt(control.length), 0n]);
    const length = Number(recvmsg(this.#fd, new Uint8Array(header.buffer), MSG_DONTWAIT));
    if (length < 0) return null;
    const credentials = control.readInt32LE(8) === SOL_SOCKET && control.readInt32LE(12) === SCM_CREDENTIALS;
    return { text: body.toString('utf8', 0, length), pid: credentials ? control.readInt32LE(16) : -1 };
  }
}
