import { giveBack } from '../../core/buffer-pool.ts';
import type { Stateful, StateReader, StateWriter } from '../../core/state.ts';
import type { Deferral } from '../deferral.ts';
import type { EventLog } from '../event-log.ts';
import { touched, touchPlaces, touchRows } from '../find-code.ts';
import { AT_ONCE, FingerprintSet } from '../fingerprint-set.ts';
import { KeyedTable } from '../keyed-table.ts';
import { nthSmallest } from '../nth-smallest.ts';
import type { Pane } from '../pane.ts';
import type { WindowView } from '../window-view.ts';

/** Sources whose walk is remembered (about 60 bytes each), and contacts. */
const MOST_WALKS = 1 << 18;
const MOST_CONTACTS = 1 << 20;
/** What an event's size says of a contact that was a key's first with its tuple. */
const FIRST_CONTACT = 1;
/** Accumulators of a walk. */
const LIKELIHOOD = 0;
const LAST = 1;
/** The first contact, which most sources leave it at: its fingerprint, and when it was seen last. Further ones are in a set. */
const PRINT = 2;
const SEEN = 3;
const FRESH_WALK = [0, 0, 0, 0];

const HASHES = new Int32Array(AT_ONCE);
const PLACES = new Int32Array(AT_ONCE);
const FURTHER = new Int32Array(AT_ONCE);

function gatherHashes(
  words: Int32Array,
  stride: number,
  rows: Int32Array,
  order: Int32Array,
  from: number,
  to: number,
): void {
  for (let k = from; k < to; k = (k + 1) | 0) HASHES[k - from] = words[Math.imul(rows[order[k]], stride)];
}

/** Fingerprints of the events whose walk seems to have begun with another one. */
function furtherPrints(
  doubles: Float64Array,
  stride: number,
  print: number,
  prints: Int32Array,
  order: Int32Array,
  from: number,
  to: number,
): number {
  let n = 0;
  for (let k = from; k < to; k = (k + 1) | 0) {
    const row = PLACES[k - from] - 1;
    const low = prints[order[k]];
    if (row < 0 || doubles[row * stride + print] === low) continue;
    FURTHER[n] = low;
    n = (n + 1) | 0;
  }
  return n;
}

/** How far the random walk of each source has gone, and which contacts it made: what of `scan` outlives windows. */
export class Walks implements Stateful {
  dropped = 0;
  #evictions = 0;
  readonly #keepUs: number;
  readonly #failure: number;
  readonly #success: number;
  readonly #floor: number;
  readonly #pair: number;
  readonly #contacts: number;
  readonly #level: number;
  readonly #seen: FingerprintSet;
  readonly #most: number;
  #walks: KeyedTable | null = null;

  constructor(
    { t0, t1, b, a, keep }: Record<string, number>,
    { pair, contacts, level }: { pair: number; contacts: number; level: number },
    maxKeys: number,
  ) {
    this.#keepUs = keep;
    this.#failure = Math.log((1 - t1) / (1 - t0));
    this.#success = Math.log(t1 / t0);
    this.#floor = Math.log((1 - b) / (1 - a));
    this.#pair = pair;
    this.#contacts = contacts;
    this.#level = level;
    this.#most = Math.max(maxKeys, MOST_WALKS);
    this.#seen = new FingerprintSet(MOST_CONTACTS, keep);
  }

  /** Contacts of keys that are in no table yet raise their buckets instead. */
  learn(pane: Pane, deferral: Deferral | null): void {
    this.#walks ??= new KeyedTable(pane.keys.keyWords, FRESH_WALK);
    const { events } = pane.pairs[this.#pair];
    if (events === null || events.length === 0) return;
    const { deferred, keys } = pane;
    const evictions = this.#evictions;
    const order = events.inOrder();
    const least = deferral?.least(this.#level) ?? 0;
    const words = deferred === null ? keys.words : deferred.words;
    const width = deferred === null ? 2 * keys.stride : deferred.shape.width;
    for (let from = 0; from < order.length; from += AT_ONCE) {
      const to = Math.min(order.length, from + AT_ONCE);
      this.#touch(words, width, events, order, from, to);
      for (let k = from; k < to; k++) {
        const i = order[k];
        const at = events.key[i] * width;
        const level = this.#contact(words, at, events.print[i], events.moment[i]);
        if (level < 0) continue;
        if (deferred === null) this.#note(keys, events.key[i], level);
        else {
          events.size[i] = FIRST_CONTACT;
          if (level >= least) deferral?.raise(deferred, words[at], this.#level, level);
        }
      }
    }
    giveBack(order);
    if (this.#level >= 0 && this.#evictions !== evictions) this.#settleLevels(keys);
    this.dropped += this.#seen.evicted;
    this.#seen.evicted = 0;
  }

  #note({ doubles, stride, first }: KeyedTable, key: number, level: number): void {
    doubles[key * stride + first + this.#contacts]++;
    if (this.#level >= 0) doubles[key * stride + first + this.#level] = level;
  }

  /** Keys that made contacts while they were in no table learn how far their walks went. */
  settle({ keys, deferred, pairs }: Pane): void {
    const { events } = pairs[this.#pair];
    if (deferred === null || events === null) return;
    for (let i = 0; i < events.length; i++) {
      if (events.size[i] !== FIRST_CONTACT) continue;
      const at = events.key[i] * deferred.shape.width;
      const row = deferred.isHot(deferred.words[at]) ? keys.find(deferred.words, at) : -1;
      if (row >= 0) this.#note(keys, row, this.#levelOf(keys, row));
    }
  }

  /** Looks at where the keys' walks and further contacts stand: see `FingerprintSet.touch`. */
  #touch(keys: Int32Array, width: number, events: EventLog, order: Int32Array, from: number, to: number): void {
    const { index, words, doubles, stride, first } = this.#walks as KeyedTable;
    gatherHashes(keys, width, events.key, order, from, to);
    touchPlaces(index.entries, index.mask, 0, to - from, HASHES, PLACES);
    touched.sum ^= touchRows(words, 2 * stride, 0, to - from, PLACES);
    this.#seen.touch(FURTHER, furtherPrints(doubles, stride, first + PRINT, events.print, order, from, to));
  }

  /**
   * @param moment twice the time, plus one when nobody answered
   * @returns how far the walk has gone; -1 when the contact is not the first
   */
  #contact(words: Int32Array, at: number, print: number, moment: number): number {
    const timeUs = Math.floor(moment / 2);
    const walks = this.#walks as KeyedTable;
    const known = walks.find(words, at);
    if (known >= 0 && !this.#isNew(walks, known, print, words[at], timeUs)) return -1;
    const row = known >= 0 ? known : this.#begin(words, at, print, timeUs);
    return this.#step(walks, row, timeUs, moment % 2 === 1);
  }

  #isNew({ doubles, stride, first }: KeyedTable, row: number, print: number, hash: number, timeUs: number): boolean {
    const d = row * stride + first;
    if (doubles[d + PRINT] !== print) return this.#seen.see(print, hash, timeUs, timeUs);
    const knownUs = doubles[d + SEEN];
    if (timeUs > knownUs) doubles[d + SEEN] = timeUs;
    return timeUs - knownUs > this.#keepUs;
  }

  #begin(words: Int32Array, at: number, print: number, timeUs: number): number {
    const walks = this.#walks as KeyedTable;
    if (walks.count >= this.#most) this.#evict(timeUs);
    const row = walks.take(words, at);
    const d = row * walks.stride + walks.first;
    walks.doubles[d + PRINT] = print;
    walks.doubles[d + SEEN] = timeUs;
    return row;
  }

  #step({ doubles, stride, first }: KeyedTable, row: number, timeUs: number, failed: boolean): number {
    const d = row * stride + first;
    if (timeUs - doubles[d + LAST] > this.#keepUs) doubles[d + LIKELIHOOD] = 0;
    doubles[d + LAST] = timeUs;
    doubles[d + LIKELIHOOD] += failed ? this.#failure : this.#success;
    if (doubles[d + LIKELIHOOD] <= this.#floor) doubles[d + LIKELIHOOD] = 0;
    return this.#steps(doubles[d + LIKELIHOOD]);
  }

  /** Walks are sums of two logarithms: the last digits are noise. */
  #steps(likelihood: number): number {
    return Math.max(0, Math.round((1e6 * likelihood) / this.#failure) / 1e6);
  }

  /** Some walks of this pane's keys were forgotten before it ended. */
  #settleLevels(keys: KeyedTable): void {
    for (let row = 0; row < keys.count; row++) {
      const at = row * keys.stride + keys.first;
      if (keys.doubles[at + this.#level] > 0) keys.doubles[at + this.#level] = this.#levelOf(keys, row);
    }
  }

  #levelOf(keys: KeyedTable, row: number): number {
    const walks = this.#walks as KeyedTable;
    const walk = walks.find(keys.words, 2 * row * keys.stride);
    return walk < 0 ? 0 : this.#steps(walks.doubles[walk * walks.stride + walks.first + LIKELIHOOD]);
  }

  /** Forgets what is over; when that is little, the walks that went least far. */
  #evict(nowUs: number): void {
    const walks = this.#walks as KeyedTable;
    const scores = this.#scores(walks, nowUs);
    const before = walks.count;
    const middle = nthSmallest(scores, before >> 1);
    const marks = new Uint8Array(before);
    let room = middle > Number.NEGATIVE_INFINITY ? before >> 1 : 0;
    for (let row = 0; row < before; row++) {
      if (scores[row] > middle || (scores[row] === middle && room-- > 0)) marks[row] = 1;
    }
    walks.compact(marks);
    this.dropped += before - walks.count;
    this.#evictions++;
  }

  #scores({ doubles, stride, first, count }: KeyedTable, nowUs: number): Float64Array {
    const scores = new Float64Array(count);
    for (let row = 0; row < count; row++) {
      const d = row * stride + first;
      scores[row] = nowUs - doubles[d + LAST] > this.#keepUs ? Number.NEGATIVE_INFINITY : doubles[d + LIKELIHOOD];
    }
    return scores;
  }

  save(out: StateWriter): void {
    out.number(this.dropped);
    this.#seen.save(out);
    out.number(this.#walks === null ? -1 : this.#walks.keyWords);
    this.#walks?.save(out);
  }

  restore(state: StateReader): void {
    this.dropped = state.number();
    this.#seen.restore(state);
    const keyWords = state.number();
    this.#walks = keyWords < 0 ? null : new KeyedTable(keyWords, FRESH_WALK);
    this.#walks?.restore(state);
  }

  /** "Failed first contacts more than a healthy host has", of keys that made a contact in the window. */
  write(view: WindowView, out: Float64Array, width: number, column: number): void {
    const { keys } = view;
    const walks = this.#walks;
    if (walks === null) return;
    for (let i = 0; i < view.length; i++) {
      const row = view.rows[i];
      if (!(keys.doubles[row * keys.stride + keys.first + this.#contacts] > 0)) continue;
      out[i * width + column] = this.#levelOf(keys, row);
    }
  }
}
