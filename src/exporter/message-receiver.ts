import { formatAddress, IPV4_WORD_2 } from '../model/address.ts';
import { addressOf, type Library } from './native-library.ts';
import { ADDRESS_BYTES } from './udp-port.ts';

const MSG_DONTWAIT = 0x40;
const POLLIN = 1;
/** Datagrams of one call, and bytes of each: no UDP payload is longer. */
export const SLOTS = 128;
const SLOT_BYTES = 65_536;
/** `struct mmsghdr`, `struct iovec` and `struct pollfd` of 64-bit Linux. */
const HEADER_BYTES = 64;
const VECTOR_BYTES = 16;
const POLL_BYTES = 8;
const LENGTH_AT = 56;
const MOST_TEXTS = 4096;

/** Takes bytes `from` to `to` of `data`, which are the socket's again when the call returns. */
export type Receiver = (data: Uint8Array, from: number, to: number, address: string, port: number) => void;

/**
 * Takes many datagrams a call (recvmmsg(2)) into memory of its own: Node's socket makes an object and a buffer of each,
 * which costs more than decoding it (test/exporters/collect.ts).
 */
export class MessageReceiver {
  readonly #c: Library;
  readonly #fd: number;
  readonly #data = new Uint8Array(new ArrayBuffer(SLOTS * SLOT_BYTES));
  readonly #headers = Buffer.alloc(SLOTS * HEADER_BYTES);
  readonly #lengths: DataView;
  readonly #vectors = Buffer.alloc(SLOTS * VECTOR_BYTES);
  readonly #addresses = Buffer.alloc(SLOTS * ADDRESS_BYTES);
  readonly #from: DataView;
  readonly #pollSet: Buffer;
  readonly #texts = new Map<number, string>();
  readonly #words = new Int32Array(4);

  /** @param bell a descriptor that ends `wait`, too; -1 for none */
  constructor(library: Library, fd: number, bell = -1) {
    this.#c = library;
    this.#fd = fd;
    this.#lengths = viewOf(this.#headers);
    this.#from = viewOf(this.#addresses);
    this.#pollSet = Buffer.alloc(2 * POLL_BYTES);
    [fd, bell].forEach((each, i) => {
      this.#pollSet.writeInt32LE(each, POLL_BYTES * i);
      this.#pollSet.writeInt16LE(POLLIN, POLL_BYTES * i + 4);
    });
    this.#layOut();
  }

  #layOut(): void {
    const data = addressOf(this.#data);
    const vectors = addressOf(this.#vectors);
    const addresses = addressOf(this.#addresses);
    for (let i = 0; i < SLOTS; i++) {
      this.#vectors.writeBigUInt64LE(data + BigInt(i * SLOT_BYTES), i * VECTOR_BYTES);
      this.#vectors.writeBigUInt64LE(BigInt(SLOT_BYTES), i * VECTOR_BYTES + 8);
      this.#headers.writeBigUInt64LE(addresses + BigInt(i * ADDRESS_BYTES), i * HEADER_BYTES);
      this.#headers.writeUInt32LE(ADDRESS_BYTES, i * HEADER_BYTES + 8);
      this.#headers.writeBigUInt64LE(vectors + BigInt(i * VECTOR_BYTES), i * HEADER_BYTES + 16);
      this.#headers.writeBigUInt64LE(1n, i * HEADER_BYTES + 24);
    }
  }

  /** Takes what is there, at most 128 datagrams. @returns how many */
  read(receive: Receiver): number {
    const count = this.#c.recvmmsg(this.#fd, this.#headers, SLOTS, MSG_DONTWAIT, null);
    for (let i = 0; i < count; i++) {
      const from = i * SLOT_BYTES;
      const to = from + this.#lengths.getUint32(i * HEADER_BYTES + LENGTH_AT, true);
      const at = i * ADDRESS_BYTES;
      receive(this.#data, from, to, this.#textOf(at), this.#from.getUint16(at + 2));
    }
    return Math.max(0, count);
  }

  /** Blocks this thread until something is there or the bell rings. */
  wait(ms: number): void {
    this.#c.poll(this.#pollSet, 2, ms);
  }

  /** Resolves when something is there, or after the time. */
  waitAsync(ms: number): Promise<void> {
    return new Promise((resolve) => this.#c.poll.async(this.#pollSet, 1, ms, () => resolve()));
  }

  #textOf(at: number): string {
    const words = this.#words;
    for (let i = 0; i < 4; i++) words[i] = this.#from.getInt32(at + 8 + 4 * i);
    if (words[0] !== 0 || words[1] !== 0 || words[2] !== IPV4_WORD_2) return formatAddress(words);
    const known = this.#texts.get(words[3]);
    if (known !== undefined) return known;
    if (this.#texts.size === MOST_TEXTS) this.#texts.clear();
    const text = formatAddress(words);
    this.#texts.set(words[3], text);
    return text;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
