import { formatPrefix, IPV4_WORD_2, type Prefix } from '../model/address.ts';
import { PrefixIntervals } from '../model/prefix-intervals.ts';

/** Addresses are told apart by their first 16 bits where one interval holds all of those. */
const HEADS = 1 << 16;
const SEVERAL = -1;
const UNKNOWN = -2;
/** Heads are 16-bit numbers, to stay in the cache. */
const MOST_KNOWN = 0x7fff;

/**
 * All net lists of all rules, one bit each. An address is looked up once a batch; a net test of a rule is then a test of
 * one bit. Most addresses need one look into a table of leading 16 bits, the others a binary search.
 */
export class NetMasks {
  readonly #lists = new Map<string, number>();
  /** Large lists are looked up by themselves. */
  readonly #same = new WeakMap<readonly Prefix[], number>();
  readonly #prefixes: Prefix[] = [];
  readonly #bits: number[] = [];
  #intervals = new PrefixIntervals([]);
  /** Mask words an address. */
  words = 1;
  /** For each interval its mask words. */
  #masks = new Int32Array(1);
  /** For each head its interval, when it is known and the only one: of IPv4, then of all other addresses. */
  #heads = new Int16Array(0);

  /** The bit of a net list; lists must be told before `build`. */
  bit(nets: readonly Prefix[]): number {
    const same = this.#same.get(nets);
    if (same !== undefined) return same;
    const bit = this.#add(nets);
    this.#same.set(nets, bit);
    return bit;
  }

  #add(nets: readonly Prefix[]): number {
    const id = nets.map(formatPrefix).sort().join(' ');
    const known = this.#lists.get(id);
    if (known !== undefined) return known;
    const bit = this.#lists.size;
    this.#lists.set(id, bit);
    for (const prefix of nets) {
      this.#prefixes.push(prefix);
      this.#bits.push(bit);
    }
    return bit;
  }

  /** How many lists there are. */
  get lists(): number {
    return this.#lists.size;
  }

  build(): void {
    this.#intervals = new PrefixIntervals(this.#prefixes);
    this.words = Math.max(1, Math.ceil(this.#lists.size / 32));
    this.#masks = new Int32Array(this.#intervals.members.length * this.words);
    for (const [interval, members] of this.#intervals.members.entries()) {
      for (const prefix of members) {
        const bit = this.#bits[prefix];
        this.#masks[interval * this.words + (bit >> 5)] |= 1 << (bit & 31);
      }
    }
    this.#heads = new Int16Array(2 * HEADS).fill(UNKNOWN);
  }

  /** Between two neighbouring ends of nets all addresses are in the same lists: how many such intervals there are. */
  get intervals(): number {
    return this.#intervals.members.length;
  }

  /** Writes the mask words of an interval. */
  copyMask(interval: number, out: Int32Array, at: number): void {
    for (let w = 0; w < this.words; w++) out[at + w] = this.#masks[interval * this.words + w];
  }

  /** Writes the interval and the mask words of `rows` addresses. */
  classify(address: Int32Array, interval: Int32Array, nets: Int32Array, rows: number): void {
    if (this.#lists.size === 0) return;
    this.#findIntervals(address, interval, rows);
    if (this.words === 1) for (let r = 0; r < rows; r++) nets[r] = this.#masks[interval[r]];
    else for (let r = 0; r < rows; r++) this.copyMask(interval[r], nets, r * this.words);
  }

  #findIntervals(address: Int32Array, interval: Int32Array, rows: number): void {
    const heads = this.#heads;
    for (let r = 0; r < rows; r++) {
      const at = 4 * r;
      const v4 = address[at + 2] === IPV4_WORD_2 && address[at] === 0 && address[at + 1] === 0;
      const head = v4 ? address[at + 3] >>> 16 : HEADS + (address[at] >>> 16);
      interval[r] = heads[head] >= 0 ? heads[head] : this.#search(address, at, head);
    }
  }

  #search(address: Int32Array, at: number, head: number): number {
    if (this.#heads[head] === UNKNOWN) {
      const high = head << 16;
      this.#heads[head] =
        head < HEADS
          ? this.#common([0, 0, IPV4_WORD_2, high], [0, 0, IPV4_WORD_2, high | 0xffff])
          : this.#common([high, 0, 0, 0], [high | 0xffff, -1, -1, -1]);
    }
    return this.#intervals.find(address, at);
  }

  /** The interval that holds both ends. */
  #common(first: number[], last: number[]): number {
    const words = Int32Array.from([...first, ...last]);
    const interval = this.#intervals.find(words, 0);
    return this.#intervals.find(words, 4) === interval && interval <= MOST_KNOWN ? interval : SEVERAL;
  }

  /** Tests one bit of one address: for addresses that few rules look at. */
  has(address: Int32Array, at: number, bit: number): boolean {
    const interval = this.#intervals.find(address, at);
    return ((this.#masks[interval * this.words + (bit >> 5)] >>> (bit & 31)) & 1) !== 0;
  }
}
