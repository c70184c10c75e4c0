import type { Stateful, StateReader, StateWriter } from '../core/state.ts';

/** Datagrams that are waited for at the most. */
const MOST_ENTRIES = 1 << 16;

/**
 * Datagrams between the socket and the engine: bytes in one ring, what belongs to them beside it. When it is full the
 * new ones are refused: the older are nearer to being counted.
 */
export class DatagramQueue implements Stateful {
  readonly data: Uint8Array;
  readonly #from = new Int32Array(MOST_ENTRIES);
  readonly #length = new Int32Array(MOST_ENTRIES);
  readonly #port = new Uint16Array(MOST_ENTRIES);
  readonly #timeUs = new Float64Array(MOST_ENTRIES);
  readonly #address: string[] = new Array(MOST_ENTRIES).fill('');
  #head = 0;
  #tail = 0;
  #next = 0;

  constructor(bytes: number) {
    this.data = new Uint8Array(bytes);
  }

  get length(): number {
    return this.#tail - this.#head;
  }

  /** Takes bytes `from` to `to` of `data`. @returns false when there is no room */
  push(data: Uint8Array, from: number, to: number, address: string, port: number, timeUs: number): boolean {
    const length = to - from;
    if (this.length === MOST_ENTRIES || length > this.data.length) return false;
    const at = this.#place(length);
    if (at < 0) return false;
    const slot = this.#tail % MOST_ENTRIES;
    this.data.set(data.subarray(from, to), at);
    this.#from[slot] = at;
    this.#length[slot] = length;
    this.#port[slot] = port;
    this.#timeUs[slot] = timeUs;
    this.#address[slot] = address;
    this.#tail++;
    this.#next = at + length;
    return true;
  }

  /** A place for `length` bytes in one piece, behind the newest and never over the oldest; -1 without. */
  #place(length: number): number {
    if (this.#head === this.#tail) return 0;
    const oldest = this.#from[this.#head % MOST_ENTRIES];
    const next = this.#next;
    if (next <= oldest) return next + length <= oldest ? next : -1;
    if (next + length <= this.data.length) return next;
    return length <= oldest ? 0 : -1;
  }

  /** The oldest datagram; it stays where it is until `push` needs its place. */
  shift(take: (from: number, to: number, address: string, port: number, timeUs: number) => void): void {
    const slot = this.#head % MOST_ENTRIES;
    this.#head++;
    const from = this.#from[slot];
    take(from, from + this.#length[slot], this.#address[slot], this.#port[slot], this.#timeUs[slot]);
  }

  save(out: StateWriter): void {
    out.number(this.length);
    for (let i = this.#head; i < this.#tail; i++) {
      const slot = i % MOST_ENTRIES;
      out.json([this.#address[slot], this.#port[slot], this.#timeUs[slot]]);
      out.bytes(this.data.slice(this.#from[slot], this.#from[slot] + this.#length[slot]));
    }
  }

  /** @param isMine whose datagrams are taken up; what there is no room for is left */
  restore(state: StateReader, isMine: (sender: string) => boolean = () => true): void {
    for (let n = state.number(); n > 0; n--) {
      const [address, port, timeUs] = state.json<[string, number, number]>();
      const bytes = state.bytes();
      if (isMine(address)) this.push(bytes, 0, bytes.length, address, port, timeUs);
    }
  }
}
