import { formatPrefix, IPV4_WORD_2, type Prefix } from '../model/address.ts';
import { PrefixIntervals } from '../model/prefix-intervals.ts';

/** Addresses are told apart by their first 16 bits where one interval holds all of those. */
const HEADS = 1 << 16;
const SEVERAL = -1;
const UNKNOWN = -2;
/** Networks that are remembered of each kind of address. */
const NETS = 1 << 8;
const NET_SHIFT = 24;
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
  /** The same of some /24 and /64 whose head has several: two words of address, and the interval. */
  readonly #nets = new Int32Array(6 * NETS).fill(-1);
  /** First and last address of a network. */
  readonly #ends = new Int32Array(8);

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
    this.#nets.fill(-1);
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
    const isV4 = head < HEADS;
    if (this.#heads[head] === UNKNOWN) {
      const high = head << 16;
      const common = isV4 ? this.#commonOfV4(high, high | 0xffff) : this.#commonOfV6(high, 0, high | 0xffff, -1);
      this.#heads[head] = common <= MOST_KNOWN ? common : SEVERAL;
    }
    const known = this.#heads[head];
    return known >= 0 ? known : this.#searchNet(address, at, isV4);
  }

  #searchNet(address: Int32Array, at: number, isV4: boolean): number {
    const nets = this.#nets;
    const first = isV4 ? 0 : address[at];
    const second = isV4 ? address[at + 3] & -256 : address[at + 1];
    const mixed = Math.imul(first ^ Math.imul(second, 0x9e3779b1), 0x85ebca6b) >>> NET_SHIFT;
    const place = 3 * (isV4 ? mixed : mixed + NETS);
    if (nets[place + 2] >= 0 && nets[place] === first && nets[place + 1] === second) return nets[place + 2];
    const common = isV4 ? this.#commonOfV4(second, second | 0xff) : this.#commonOfV6(first, second, first, second);
    if (common === SEVERAL) return this.#intervals.find(address, at);
    nets[place] = first;
    nets[place + 1] = second;
    nets[place + 2] = common;
    return common;
  }

  #commonOfV4(first: number, last: number): number {
    return this.#common(0, 0, 0, 0, IPV4_WORD_2, IPV4_WORD_2, first, last);
  }

  /** Of the first two words; of the others all. */
  #commonOfV6(first: number, second: number, last: number, lastSecond: number): number {
    return this.#common(first, last, second, lastSecond, 0, -1, 0, -1);
  }

  /** The interval that holds the first and the last address (word by word), or `SEVERAL`. */
  #common(a0: number, b0: number, a1: number, b1: number, a2: number, b2: number, a3: number, b3: number): number {
    const ends = this.#ends;
    ends[0] = a0;
    ends[1] = a1;
    ends[2] = a2;
    ends[3] = a3;
    ends[4] = b0;
    ends[5] = b1;
    ends[6] = b2;
    ends[7] = b3;
    const interval = this.#intervals.find(ends, 0);
    return this.#intervals.find(ends, 4) === interval ? interval : SEVERAL;
  }

  /** Tests one bit of one address: for addresses that few rules look at. */
  has(address: Int32Array, at: number, bit: number): boolean {
    const interval = this.#intervals.find(address, at);
    return ((this.#masks[interval * this.words + (bit >> 5)] >>> (bit & 31)) & 1) !== 0;
  }
}
