import { KeyIndex } from '../core/key-index.ts';
import { damaged, type Stateful, type StateReader, type StateWriter } from '../core/state.ts';
import { touched } from './find-code.ts';

/** Events whose entries are touched together. */
export const AT_ONCE = 256;
const PLACES = new Int32Array(AT_ONCE);

/**
 * What was seen and when: 64-bit fingerprints (two hashes) and a time, 28 bytes an entry with its index. Bounded: a
 * full set first loses what is older than `keepUs`, then its older half.
 */
export class FingerprintSet implements Stateful {
  readonly #most: number;
  readonly #keepUs: number;
  #index = new KeyIndex();
  #prints = new Int32Array(2 * 32);
  #lastUs = new Float64Array(32);
  #length = 0;
  /** Entries that had to leave before their time. */
  evicted = 0;

  constructor(most: number, keepUs: number) {
    this.#most = most;
    this.#keepUs = keepUs;
  }

  /** Notes a sighting; answers whether it is the first within `keepUs`. Times may come in any order of a pane. */
  see(low: number, high: number, firstUs: number, lastUs: number): boolean {
    const at = this.#find(low, high);
    if (at >= 0) {
      const isNew = firstUs - this.#lastUs[at] > this.#keepUs;
      if (lastUs > this.#lastUs[at]) this.#lastUs[at] = lastUs;
      return isNew;
    }
    if (this.#length >= this.#most) this.#evict(firstUs);
    this.#append(low, high, lastUs);
    return true;
  }

  /** Looks at where the fingerprints of some events stand, so that the processor fetches them at the same time. */
  touch(lows: Int32Array, order: Int32Array, from: number, to: number): void {
    touchPlaces(this.#index.entries, this.#index.mask, lows, order, from, to, PLACES);
    touched.sum ^= touchEntries(this.#prints, this.#lastUs, to - from, PLACES);
  }

  #find(low: number, high: number): number {
    const { entries, mask } = this.#index;
    for (let place = low & mask; entries[2 * place + 1] !== 0; place = (place + 1) & mask) {
      const at = entries[2 * place + 1] - 1;
      if (entries[2 * place] === low && this.#prints[2 * at + 1] === high) return at;
    }
    return -1;
  }

  #append(low: number, high: number, timeUs: number): void {
    if (this.#length === this.#lastUs.length) this.#grow();
    const at = this.#length++;
    this.#prints[2 * at] = low;
    this.#prints[2 * at + 1] = high;
    this.#lastUs[at] = timeUs;
    this.#index.reserve(this.#length);
    this.#index.enter(low, at);
  }

  #grow(): void {
    const prints = new Int32Array(2 * this.#prints.length);
    prints.set(this.#prints);
    this.#prints = prints;
    const lastUs = new Float64Array(2 * this.#lastUs.length);
    lastUs.set(this.#lastUs);
    this.#lastUs = lastUs;
  }

  #evict(nowUs: number): void {
    const expired = nowUs - this.#keepUs;
    const old = this.#lastUs.subarray(0, this.#length).filter((us) => us < expired).length;
    if (2 * old >= this.#length) this.#keepSince(expired);
    else {
      const middle = this.#lastUs.slice(0, this.#length).sort()[this.#length >> 1];
      const before = this.#length;
      this.#keepSince(middle);
      if (this.#length === before) this.#keepSince(middle + 1);
      this.evicted += before - this.#length - old;
    }
  }

  #keepSince(timeUs: number): void {
    const length = this.#length;
    this.#length = 0;
    this.#index.clear(length);
    for (let i = 0; i < length; i++) {
      if (this.#lastUs[i] >= timeUs) this.#append(this.#prints[2 * i], this.#prints[2 * i + 1], this.#lastUs[i]);
    }
  }

  save(out: StateWriter): void {
    out.number(this.#length);
    out.number(this.evicted);
    out.array(this.#prints, 0, 2 * this.#length);
    out.array(this.#lastUs, 0, this.#length);
  }

  restore(state: StateReader): void {
    const length = state.number();
    if (!(length <= this.#most)) throw damaged(`${length} sightings are too many`);
    this.evicted = state.number();
    this.#index.clear(length);
    this.#index.reserve(length);
    while (this.#lastUs.length < length) this.#grow();
    state.into(this.#prints);
    state.into(this.#lastUs);
    this.#length = length;
    for (let at = 0; at < length; at++) this.#index.enter(this.#prints[2 * at], at);
  }
}

function touchPlaces(
  entries: Int32Array,
  mask: number,
  lows: Int32Array,
  order: Int32Array,
  from: number,
  to: number,
  places: Int32Array,
): void {
  for (let k = from; k < to; k = (k + 1) | 0) places[k - from] = entries[((lows[order[k]] & mask) << 1) + 1];
}

function touchEntries(prints: Int32Array, lastUs: Float64Array, n: number, places: Int32Array): number {
  let sum = 0;
  for (let q = 0; q < n; q = (q + 1) | 0) {
    const at = places[q] > 0 ? places[q] - 1 : 0;
    sum ^= prints[2 * at] + (lastUs[at] > 0 ? 1 : 0);
  }
  return sum;
}
