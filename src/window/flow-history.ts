import { giveBack, takeDoubles } from '../core/buffer-pool.ts';
import { KeyIndex } from '../core/key-index.ts';
import { nthSmallest } from '../core/nth-smallest.ts';
import { damaged, type Stateful, type StateReader, type StateWriter } from '../core/state.ts';
import type { EventLog } from './event-log.ts';
import { touched, touchPlaces, touchRows } from './find-code.ts';

/** Words of a pair's row, which fills half a cache line: two hashes, number of the last event, events ever, count and score of the owner. */
const WIDTH = 8;
const LOW = 0;
const HIGH = 1;
const LAST = 2;
const COUNT = 3;
const SCORED_AT = 4;
/** In doubles. */
const SCORE = 3;
const FEW = 1024;
/** Events whose pairs are touched together. */
export const AT_ONCE = 256;
const HASHES = new Int32Array(AT_ONCE);
const PLACES = new Int32Array(AT_ONCE);

/**
 * Times and sizes of the flows of many pairs: one ring of events, each with the number of its pair's event before it.
 * What the ring overwrites is forgotten, so memory is bounded whatever the pairs do: 20 bytes an event, 48 a pair.
 */
export class FlowHistory implements Stateful {
  readonly #events: number;
  readonly #mostPairs: number;
  readonly #timeUs: Float64Array;
  readonly #size: Float64Array;
  /** Number of the event before, -1 without. */
  readonly #before: Int32Array;
  #next = 0;
  readonly #index = new KeyIndex();
  #pairs = 0;
  #doubles = takeDoubles((FEW * WIDTH) / 2);
  #words = new Int32Array(this.#doubles.buffer);
  /** How often pairs got new numbers. */
  moves = 0;
  /** Pairs that had to leave while events of them were still there. */
  evicted = 0;

  constructor(events = 1 << 20, mostPairs = 1 << 18) {
    this.#events = events;
    this.#mostPairs = mostPairs;
    this.#timeUs = new Float64Array(events);
    this.#size = new Float64Array(events);
    this.#before = new Int32Array(events);
  }

  /** Looks at where the pairs of some events stand, so that the processor fetches them at the same time. */
  touch(lows: Int32Array, order: Int32Array, from: number): void {
    const n = Math.min(AT_ONCE, order.length - from);
    for (let k = 0; k < n; k++) HASHES[k] = lows[order[from + k]];
    touchPlaces(this.#index.entries, this.#index.mask, 0, n, HASHES, PLACES);
    touched.sum ^= touchRows(this.#words, WIDTH, 0, n, PLACES);
  }

  /** Notes event `i` of a log, a flow; answers the number of its pair, good until the next new pair. */
  add(events: Pick<EventLog, 'print' | 'moment' | 'size'>, i: number, high: number): number {
    if (this.#next > 0x7ffffff0) this.clear();
    const low = events.print[i];
    const known = this.find(low, high);
    const pair = known >= 0 ? known : this.#append(low, high);
    const at = this.#next % this.#events;
    const row = pair * WIDTH;
    this.#timeUs[at] = events.moment[i];
    this.#size[at] = events.size[i];
    this.#before[at] = this.#words[row + LAST];
    this.#words[row + LAST] = this.#next++;
    this.#words[row + COUNT]++;
    return pair;
  }

  count(pair: number): number {
    return this.#words[pair * WIDTH + COUNT];
  }

  /** Free for the owner: a score, and the count it was taken at (0 before). */
  score(pair: number): number {
    return this.#doubles[(pair * WIDTH) / 2 + SCORE];
  }

  scoredAt(pair: number): number {
    return this.#words[pair * WIDTH + SCORED_AT];
  }

  setScore(pair: number, score: number, count: number): void {
    this.#doubles[(pair * WIDTH) / 2 + SCORE] = score;
    this.#words[pair * WIDTH + SCORED_AT] = count;
  }

  /** The newest flows of a pair that began after `sinceUs`, oldest first. */
  read(pair: number, most: number, sinceUs: number): { times: number[]; sizes: number[] } {
    const times: number[] = [];
    const sizes: number[] = [];
    for (let event = this.#words[pair * WIDTH + LAST]; this.#holds(event) && times.length < most; ) {
      const at = event % this.#events;
      if (this.#timeUs[at] < sinceUs) break;
      times.push(this.#timeUs[at]);
      sizes.push(this.#size[at]);
      event = this.#before[at];
    }
    return { times: times.reverse(), sizes: sizes.reverse() };
  }

  #holds(event: number): boolean {
    return event >= 0 && event >= this.#next - this.#events;
  }

  /** The number of a pair; -1 when it is not remembered. */
  find(low: number, high: number): number {
    const { entries, mask } = this.#index;
    const words = this.#words;
    for (let place = low & mask; entries[2 * place + 1] !== 0; place = (place + 1) & mask) {
      const pair = entries[2 * place + 1] - 1;
      if (entries[2 * place] === low && words[pair * WIDTH + HIGH] === high) return pair;
    }
    return -1;
  }

  #append(low: number, high: number): number {
    if (this.#pairs >= this.#mostPairs) this.#evict();
    this.#reserve(this.#pairs + 1);
    const pair = this.#pairs++;
    const row = pair * WIDTH;
    this.#words.fill(0, row, row + WIDTH);
    this.#words[row + LOW] = low;
    this.#words[row + HIGH] = high;
    this.#words[row + LAST] = -1;
    this.#index.enter(low, pair);
    return pair;
  }

  #reserve(pairs: number): void {
    this.#index.reserve(pairs);
    if (pairs * WIDTH <= this.#words.length) return;
    const old = this.#doubles;
    this.#doubles = takeDoubles(2 * Math.max(old.length, (pairs * WIDTH) / 2));
    this.#words = new Int32Array(this.#doubles.buffer, 0, 2 * this.#doubles.length);
    this.#doubles.set(old);
    giveBack(old);
  }

  /** The half of the pairs that was silent for longest goes. */
  #evict(): void {
    this.moves++;
    const lasts = takeDoubles(this.#pairs);
    for (let pair = 0; pair < this.#pairs; pair++) lasts[pair] = this.#words[pair * WIDTH + LAST];
    const middle = nthSmallest(lasts, this.#pairs >> 1);
    const before = this.#pairs;
    this.#pairs = 0;
    for (let pair = 0; pair < before; pair++) {
      if (lasts[pair] > middle) copyRow(this.#words, pair * WIDTH, this.#pairs++ * WIDTH);
      else if (this.#holds(lasts[pair])) this.evicted++;
    }
    giveBack(lasts);
    this.#index.clear(before);
    this.#index.enterAll(this.#words, WIDTH, this.#pairs);
  }

  clear(): void {
    this.moves++;
    this.#next = 0;
    this.#pairs = 0;
    this.#index.clear();
  }

  save(out: StateWriter): void {
    const events = Math.min(this.#next, this.#events);
    for (const value of [this.#next, this.#pairs, this.evicted]) out.number(value);
    for (const ring of [this.#timeUs, this.#size, this.#before]) out.array(ring, 0, events);
    out.array(this.#words, 0, this.#pairs * WIDTH);
  }

  restore(state: StateReader): void {
    this.clear();
    const [next, pairs, evicted] = [state.number(), state.number(), state.number()];
    if (!(pairs <= this.#mostPairs)) throw damaged(`${pairs} pairs are too many`);
    for (const ring of [this.#timeUs, this.#size, this.#before]) state.into(ring);
    this.#reserve(pairs);
    if (state.into(this.#words) !== pairs * WIDTH) throw damaged('pairs and their number differ');
    this.#next = next;
    this.#pairs = pairs;
    this.evicted = evicted;
    this.#index.enterAll(this.#words, WIDTH, pairs);
  }
}

function copyRow(words: Int32Array, from: number, to: number): void {
  for (let k = 0; k < WIDTH; k++) words[to + k] = words[from + k];
}
