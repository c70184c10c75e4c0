import { giveBack } from '../../core/buffer-pool.ts';
import { nthSmallest } from '../../core/nth-smallest.ts';
import type { Stateful, StateReader, StateWriter } from '../../core/state.ts';
import type { Deferral } from '../deferral.ts';
import type { DeferredRows } from '../deferred-rows.ts';
import type { EventLog } from '../event-log.ts';
import { touched, touchPlaces, touchRows } from '../find-code.ts';
import { AT_ONCE, FingerprintSet } from '../fingerprint-set.ts';
import { KeyedTable } from '../keyed-table.ts';
import type { Pane } from '../pane.ts';
import type { WindowView } from '../window-view.ts';
import {
  FAILED,
  FURTHER,
  furtherPrints,
  gatherHashes,
  gatherTimes,
  HASHES,
  LIKELIHOODS,
  PLACES,
  printsOf,
  TIMES,
  writePrint,
} from './contact-turn.ts';

/** Sources whose walk is remembered (56 bytes each), and contacts. */
const MOST_WALKS = 1 << 19;
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
/** A source is known by 64 bits: the hash of its key, and another one. */
const KEY_WORDS = 1;
/** How far a walk went by a contact that is not the first. */
const NOT_NEW = Number.NEGATIVE_INFINITY;
/** What rounding takes from a level. */
const SLACK = 1e-6;

const ONE = new Int32Array(2);

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
  readonly #walks = new KeyedTable(KEY_WORDS, FRESH_WALK);

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
    const { events } = pane.pairs[this.#pair];
    if (events === null || events.length === 0) return;
    const { deferred, keys } = pane;
    const evictions = this.#evictions;
    const order = events.inOrder(false);
    const prints = deferred === null ? printsOf(keys) : deferred.words;
    for (let from = 0; from < order.length; from += AT_ONCE) {
      const to = Math.min(order.length, from + AT_ONCE);
      this.#touch(prints, events, order, from, to);
      gatherTimes(events.moment, order, from, to);
      this.#walk(prints, events.key, events.print, order, from, to);
      if (deferred === null) this.#fillTables(keys, events.key, order, from, to);
      else this.#raise(deferred, deferral, events, order, from, to);
    }
    giveBack(order);
    if (deferred === null) giveBack(prints);
    if (this.#level >= 0 && this.#evictions !== evictions) this.#settleLevels(keys);
    this.dropped += this.#seen.evicted;
    this.#seen.evicted = 0;
  }

  #fillTables(keys: KeyedTable, rows: Int32Array, order: Int32Array, from: number, to: number): void {
    for (let k = from; k < to; k++) {
      const likelihood = LIKELIHOODS[k - from];
      if (likelihood !== NOT_NEW) this.#note(keys, rows[order[k]], this.#steps(likelihood));
    }
  }

  #raise(
    rows: DeferredRows,
    deferral: Deferral | null,
    { key, size }: EventLog,
    order: Int32Array,
    from: number,
    to: number,
  ): void {
    const least = this.#failure * ((deferral?.least(this.#level) ?? 0) - SLACK);
    for (let k = from; k < to; k++) {
      const likelihood = LIKELIHOODS[k - from];
      if (likelihood === NOT_NEW) continue;
      const i = order[k];
      size[i] = FIRST_CONTACT;
      if (likelihood >= least) deferral?.raise(rows, rows.words[2 * key[i]], this.#level, this.#steps(likelihood));
    }
  }

  #note({ doubles, stride, first }: KeyedTable, key: number, level: number): void {
    doubles[key * stride + first + this.#contacts]++;
    if (this.#level >= 0) doubles[key * stride + first + this.#level] = level;
  }

  /** Keys that made contacts while they were in no table learn how far their walks went. */
  settle({ keys, deferred, pairs }: Pane): void {
    const { events } = pairs[this.#pair];
    if (deferred === null || events === null || keys.count === 0) return;
    const rows = new KeyedTable(KEY_WORDS, []);
    const prints = printsOf(keys);
    for (let row = 0; row < keys.count; row++) rows.take(prints, 2 * row);
    giveBack(prints);
    for (let i = 0; i < events.length; i++) {
      if (events.size[i] !== FIRST_CONTACT) continue;
      const at = 2 * events.key[i];
      const row = deferred.isHot(deferred.words[at]) ? rows.find(deferred.words, at) : -1;
      if (row >= 0) this.#note(keys, row, this.#levelOf(deferred.words, at));
    }
  }

  /** Looks at where the keys' walks and further contacts stand: see `FingerprintSet.touch`. */
  #touch(prints: Int32Array, events: EventLog, order: Int32Array, from: number, to: number): void {
    const { index, words, doubles, stride, first } = this.#walks;
    gatherHashes(prints, events.key, order, from, to);
    touchPlaces(index.entries, index.mask, 0, to - from, HASHES, PLACES);
    touched.sum ^= touchRows(words, 2 * stride, 0, to - from, PLACES);
    this.#seen.touch(FURTHER, furtherPrints(doubles, stride, first + PRINT, events.print, order, from, to));
  }

  /** Applies contacts `from` .. `to`: how far each walk has gone comes to `LIKELIHOODS`. No double is handed over, which would have to be boxed. */
  #walk(prints: Int32Array, keys: Int32Array, tuples: Int32Array, order: Int32Array, from: number, to: number): void {
    for (let k = from; k < to; k = (k + 1) | 0) {
      const i = order[k];
      const at = keys[i] << 1;
      const known = this.#walks.find(prints, at);
      if (known < 0) this.#step(this.#begin(prints, at, tuples[i], k - from), k - from);
      else if (this.#isNew(known, tuples[i], prints[at], k - from)) this.#step(known, k - from);
      else LIKELIHOODS[k - from] = NOT_NEW;
    }
  }

  #isNew(row: number, print: number, hash: number, k: number): boolean {
    const { doubles, stride, first } = this.#walks;
    const d = row * stride + first;
    if (doubles[d + PRINT] !== print) return this.#seen.seeAt(print, hash, TIMES, k);
    const knownUs = doubles[d + SEEN];
    if (TIMES[k] > knownUs) doubles[d + SEEN] = TIMES[k];
    return TIMES[k] - knownUs > this.#keepUs;
  }

  #begin(prints: Int32Array, at: number, print: number, k: number): number {
    const walks = this.#walks;
    if (walks.count >= this.#most) this.#evict(TIMES[k]);
    const row = walks.take(prints, at);
    const d = row * walks.stride + walks.first;
    walks.doubles[d + PRINT] = print;
    walks.doubles[d + SEEN] = TIMES[k];
    return row;
  }

  #step(row: number, k: number): void {
    const { doubles, stride, first } = this.#walks;
    const d = row * stride + first;
    if (TIMES[k] - doubles[d + LAST] > this.#keepUs) doubles[d + LIKELIHOOD] = 0;
    doubles[d + LAST] = TIMES[k];
    doubles[d + LIKELIHOOD] += FAILED[k] === 1 ? this.#failure : this.#success;
    if (doubles[d + LIKELIHOOD] <= this.#floor) doubles[d + LIKELIHOOD] = 0;
    LIKELIHOODS[k] = doubles[d + LIKELIHOOD];
  }

  /** Walks are sums of two logarithms: the last digits are noise. */
  #steps(likelihood: number): number {
    return Math.max(0, Math.round((1e6 * likelihood) / this.#failure) / 1e6);
  }

  /** Some walks of this pane's keys were forgotten before it ended. */
  #settleLevels(keys: KeyedTable): void {
    for (let row = 0; row < keys.count; row++) {
      const at = row * keys.stride + keys.first;
      if (keys.doubles[at + this.#level] > 0) keys.doubles[at + this.#level] = this.#levelOfKey(keys, row);
    }
  }

  #levelOfKey(keys: KeyedTable, row: number): number {
    writePrint(keys, row, ONE, 0);
    return this.#levelOf(ONE, 0);
  }

  #levelOf(prints: Int32Array, at: number): number {
    const walks = this.#walks;
    const walk = walks.find(prints, at);
    return walk < 0 ? 0 : this.#steps(walks.doubles[walk * walks.stride + walks.first + LIKELIHOOD]);
  }

  /** Forgets what is over; when that is little, the walks that went least far. */
  #evict(nowUs: number): void {
    const walks = this.#walks;
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
    this.#walks.save(out);
  }

  restore(state: StateReader): void {
    this.dropped = state.number();
    this.#seen.restore(state);
    this.#walks.restore(state);
  }

  /** "Failed first contacts more than a healthy host has", of keys that made a contact in the window. */
  write(view: WindowView, out: Float64Array, width: number, column: number): void {
    const { keys } = view;
    for (let i = 0; i < view.length; i++) {
      const row = view.rows[i];
      if (!(keys.doubles[row * keys.stride + keys.first + this.#contacts] > 0)) continue;
      out[i * width + column] = this.#levelOfKey(keys, row);
    }
  }
}
