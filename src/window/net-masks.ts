import type { Prefix } from '../model/address.ts';
import { formatPrefix } from '../model/address.ts';
import { PrefixIntervals } from '../model/prefix-intervals.ts';

const CACHE = 1 << 14;

/**
 * All net lists of all rules, one bit each. An address is looked up once a batch, behind a cache by its hash; a net
 * test of a rule is then a test of one bit.
 */
export class NetMasks {
  readonly #lists = new Map<string, number>();
  readonly #prefixes: Prefix[] = [];
  readonly #bits: number[] = [];
  #intervals = new PrefixIntervals([]);
  /** Mask words an address. */
  words = 1;
  /** For each interval its mask words. */
  #masks = new Int32Array(1);
  #cachedAddress = new Int32Array(0);
  #cachedInterval = new Int32Array(0);

  /** The bit of a net list; lists must be told before `build`. */
  bit(nets: readonly Prefix[]): number {
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
    this.#cachedAddress = new Int32Array(4 * CACHE);
    this.#cachedInterval = new Int32Array(CACHE).fill(-1);
  }

  /** Writes the mask words of `rows` addresses. */
  classify(address: Int32Array, hashes: Int32Array, nets: Int32Array, rows: number): void {
    if (this.#lists.size === 0) return;
    if (this.words === 1) this.#classifyOne(address, hashes, nets, rows);
    else this.#classifyMany(address, hashes, nets, rows);
  }

  #classifyOne(address: Int32Array, hashes: Int32Array, nets: Int32Array, rows: number): void {
    const cached = this.#cachedAddress;
    const intervals = this.#cachedInterval;
    const masks = this.#masks;
    for (let r = 0; r < rows; r++) {
      const at = 4 * r;
      const slot = hashes[r] & (CACHE - 1);
      const c = 4 * slot;
      let interval = intervals[slot];
      if (
        interval < 0 ||
        cached[c + 3] !== address[at + 3] ||
        cached[c + 2] !== address[at + 2] ||
        cached[c + 1] !== address[at + 1] ||
        cached[c] !== address[at]
      ) {
        interval = this.#miss(address, at, slot);
      }
      nets[r] = masks[interval];
    }
  }

  #classifyMany(address: Int32Array, hashes: Int32Array, nets: Int32Array, rows: number): void {
    for (let r = 0; r < rows; r++) {
      const interval = this.interval(address, 4 * r, hashes[r]);
      for (let w = 0; w < this.words; w++) nets[r * this.words + w] = this.#masks[interval * this.words + w];
    }
  }

  interval(address: Int32Array, at: number, hash: number): number {
    const slot = hash & (CACHE - 1);
    const cached = this.#cachedAddress;
    for (let k = 0; k < 4; k++) if (cached[4 * slot + k] !== address[at + k]) return this.#miss(address, at, slot);
    return this.#cachedInterval[slot] < 0 ? this.#miss(address, at, slot) : this.#cachedInterval[slot];
  }

  #miss(address: Int32Array, at: number, slot: number): number {
    const interval = this.#intervals.find(address, at);
    for (let k = 0; k < 4; k++) this.#cachedAddress[4 * slot + k] = address[at + k];
    this.#cachedInterval[slot] = interval;
    return interval;
  }

  /** Tests one bit without the cache: for addresses that few rules look at. */
  has(address: Int32Array, at: number, bit: number): boolean {
    const interval = this.#intervals.find(address, at);
    return ((this.#masks[interval * this.words + (bit >> 5)] >>> (bit & 31)) & 1) !== 0;
  }
}
