import { giveBack, takeDoubles } from '../core/buffer-pool.ts';
import { damaged, type Stateful, type StateReader, type StateWriter } from '../core/state.ts';
import { touched } from './find-code.ts';

/** Events whose entries are touched together. */
export const AT_ONCE = 256;
const LEAST_PLACES = 64;

/**
 * What was seen and when: 64-bit fingerprints (two hashes) and a time. Each place of the open-addressing table holds all of its entry, so that a
 * look-up is one step into memory; at most half of the places are taken: 32 bytes an entry. Bounded: a full set first
 * loses what is older than `keepUs`, then its older half.
 */
export class FingerprintSet implements Stateful {
  readonly #most: number;
  readonly #keepUs: number;
  /** Of each place: the fingerprint's words, then the time plus one; 0 is a free place. */
  #words!: Int32Array;
  #times!: Float64Array;
  #mask = 0;
  #length = 0;
  /** Entries that had to leave before their time. */
  evicted = 0;

  constructor(most: number, keepUs: number) {
    this.#most = most;
    this.#keepUs = keepUs;
    this.#begin(LEAST_PLACES);
  }

  #begin(places: number): void {
    this.#times = takeDoubles(2 * places).fill(0);
    this.#words = new Int32Array(this.#times.buffer, 0, 4 * places);
    this.#mask = places - 1;
    this.#length = 0;
  }

  /** Notes a sighting; answers whether it is the first within `keepUs`. Times may come in any order of a pane. */
  see(low: number, high: number, firstUs: number, lastUs: number): boolean {
    const place = this.#find(low, high);
    const knownUs = this.#times[2 * place + 1] - 1;
    if (knownUs >= 0) {
      if (lastUs > knownUs) this.#times[2 * place + 1] = lastUs + 1;
      return firstUs - knownUs > this.#keepUs;
    }
    if (this.#length >= this.#most) this.#evict(firstUs);
    this.#append(low, high, lastUs);
    return true;
  }

  /** The same of a sighting at `times[k]`. */
  seeAt(low: number, high: number, times: Float64Array, k: number): boolean {
    const place = this.#find(low, high);
    const knownUs = this.#times[2 * place + 1] - 1;
    if (knownUs < 0) return this.see(low, high, times[k], times[k]);
    if (times[k] > knownUs) this.#times[2 * place + 1] = times[k] + 1;
    return times[k] - knownUs > this.#keepUs;
  }

  /** Looks at where `n` fingerprints stand, so that the processor fetches them at the same time. */
  touch(lows: Int32Array, n: number): void {
    touched.sum ^= touchPlaces(this.#words, this.#mask, lows, n);
  }

  /** The place of the fingerprint, or the free one where it belongs. */
  #find(low: number, high: number): number {
    const words = this.#words;
    const times = this.#times;
    let place = low & this.#mask;
    while (times[2 * place + 1] !== 0) {
      if (words[4 * place] === low && words[4 * place + 1] === high) return place;
      place = (place + 1) & this.#mask;
    }
    return place;
  }

  #append(low: number, high: number, timeUs: number): void {
    if (2 * this.#length > this.#mask) this.#rebuild(2 * (this.#mask + 1), Number.NEGATIVE_INFINITY);
    const place = this.#find(low, high);
    this.#words[4 * place] = low;
    this.#words[4 * place + 1] = high;
    this.#times[2 * place + 1] = timeUs + 1;
    this.#length++;
  }

  #evict(nowUs: number): void {
    const expired = nowUs - this.#keepUs;
    const times = this.#inOrder().times.sort();
    const old = countBelow(times, expired);
    const before = this.#length;
    const middle = times[before >> 1];
    if (2 * old >= before) this.#rebuild(this.#mask + 1, expired);
    else {
      this.#rebuild(this.#mask + 1, middle);
      if (this.#length === before) this.#rebuild(this.#mask + 1, middle + 1);
      this.evicted += before - this.#length - old;
    }
  }

  /** Enters what was seen since a time into a table of so many places. */
  #rebuild(places: number, sinceUs: number): void {
    const words = this.#words;
    const times = this.#times;
    const first = this.#firstFree();
    this.#begin(places);
    this.#length = move(words, times, first, sinceUs + 1, this.#words, this.#times);
    giveBack(times);
  }

  /** All entries, from a free place on: entered in this order they come to stand as they do now. */
  #inOrder(): { prints: Int32Array; times: Float64Array } {
    const prints = new Int32Array(2 * this.#length);
    const times = new Float64Array(this.#length);
    const first = this.#firstFree();
    for (let k = 0, i = 0; k <= this.#mask; k++) {
      const place = (first + k) & this.#mask;
      if (this.#times[2 * place + 1] === 0) continue;
      prints[2 * i] = this.#words[4 * place];
      prints[2 * i + 1] = this.#words[4 * place + 1];
      times[i++] = this.#times[2 * place + 1] - 1;
    }
    return { prints, times };
  }

  #firstFree(): number {
    let place = 0;
    while (this.#times[2 * place + 1] !== 0) place++;
    return place;
  }

  save(out: StateWriter): void {
    const { prints, times } = this.#inOrder();
    out.number(this.#mask + 1);
    out.number(this.evicted);
    out.array(prints);
    out.array(times);
  }

  restore(state: StateReader): void {
    const places = state.number();
    this.evicted = state.number();
    const prints = state.array(Int32Array);
    const times = state.array(Float64Array);
    if (times.length > this.#most || prints.length !== 2 * times.length) throw damaged(`${times.length} sightings`);
    if (!(places >= LEAST_PLACES && places <= 8 * this.#most && Number.isInteger(Math.log2(places)))) {
      throw damaged(`a set of ${places} places`);
    }
    giveBack(this.#times);
    this.#begin(places);
    for (let i = 0; i < times.length; i++) this.#append(prints[2 * i], prints[2 * i + 1], times[i]);
  }
}

function countBelow(times: Float64Array, limit: number): number {
  let n = 0;
  while (n < times.length && times[n] < limit) n++;
  return n;
}

/** Enters what is not older than `sinceUs` into an empty table, from a place on; answers how many. */
function move(
  words: Int32Array,
  times: Float64Array,
  first: number,
  since: number,
  toWords: Int32Array,
  toTimes: Float64Array,
): number {
  const all = times.length / 2 - 1;
  const mask = toTimes.length / 2 - 1;
  let moved = 0;
  for (let k = 0; k <= all; k = (k + 1) | 0) {
    const place = (first + k) & all;
    const time = times[2 * place + 1];
    if (time === 0 || time < since) continue;
    const low = words[4 * place];
    let to = low & mask;
    while (toTimes[2 * to + 1] !== 0) to = (to + 1) & mask;
    toWords[4 * to] = low;
    toWords[4 * to + 1] = words[4 * place + 1];
    toTimes[2 * to + 1] = time;
    moved = (moved + 1) | 0;
  }
  return moved;
}

function touchPlaces(words: Int32Array, mask: number, lows: Int32Array, n: number): number {
  let sum = 0;
  for (let k = 0; k < n; k = (k + 1) | 0) sum ^= words[(lows[k] & mask) << 2];
  return sum;
}
