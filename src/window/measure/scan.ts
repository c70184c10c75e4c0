import { giveBack } from '../../core/buffer-pool.ts';
import type { Stateful, StateReader, StateWriter } from '../../core/state.ts';
import { BIFLOW, FIRST, INITIATOR_KNOWN, IS_ICMP_ERROR, UNASKED } from '../../model/flow-batch.ts';
import { touched, touchPlaces, touchRows } from '../find-code.ts';
import { AT_ONCE, FingerprintSet } from '../fingerprint-set.ts';
import { KeyedTable } from '../keyed-table.ts';
import { both } from '../layout.ts';
import { nthSmallest } from '../nth-smallest.ts';
import type { Pane } from '../pane.ts';
import type { WindowView } from '../window-view.ts';
import type { MeasureCode, MeasureCompiler } from './measure.ts';

const SYN = 2;
const RST = 4;
const ACK = 16;
/** Sources whose walk is remembered (about 60 bytes each), and contacts. */
const MOST_WALKS = 1 << 18;
const MOST_CONTACTS = 1 << 20;
/** Accumulators of a walk. */
const LIKELIHOOD = 0;
const LAST = 1;

const FRESH = `(meta[i]&${FIRST | UNASKED | IS_ICMP_ERROR})===${FIRST}`;
const OPENED = `(meta[i]&${INITIATOR_KNOWN})!==0&&(r&1)===0`;
const LONE = `proto[i]!==6||(flags[r]&${SYN | ACK})===${SYN}`;
/** Flows that a SYN-ACK began are `unasked`, so the initiator of a contact is always the first direction. */
const CONTACT = `(${FRESH}&&((meta[i]&${BIFLOW})!==0?${OPENED}:(${LONE})))`;
const TCP_ANSWER = `(flags[r^1]&${SYN})!==0||((flags[r]&${SYN})===0&&(flags[r^1]&${ACK | RST})===${ACK})`;
const ANSWERED = `((meta[i]&${BIFLOW})!==0&&(proto[i]===6?${TCP_ANSWER}:packets[r^1]>0))`;

/**
 * Scan detection by threshold random walk (Jung et al., "Fast Portscan Detection Using Sequential Hypothesis Testing",
 * 2004) over first contacts. Contacts of a pane are applied when it closes, in the order of time, so the order in which
 * rows came does not matter; of two at the same time the answered one comes first.
 */
export const scan: MeasureCompiler = (measure, where, layout, context): MeasureCode => {
  const amounts = [
    { code: `2*startUs[i]+(${ANSWERED}?0:1)`, merge: 'min' as const },
    { code: '0', merge: 'max' as const },
  ];
  const pair = layout.pair(measure.of, both(CONTACT, where), { amounts, log: true, loose: true });
  const contacts = layout.keep('sum');
  // Where the window is one pane, the walk's end is known when the pane closes.
  const level = context.single ? layout.keep('own') : -1;
  const walks = new Walks(measure.params, { pair, contacts, level }, context.maxKeys);
  const dropped = context.dropped('scan');
  const common = {
    paneClosed(pane: Pane): void {
      walks.learn(pane);
      dropped.value = walks.dropped;
    },
    memory: walks,
  };
  if (level >= 0) return { ...common, value: `D[d+${level}]`, peak: `D[d+${level}]` };
  return { ...common, value: '0', finish: (view, out, width, column) => walks.write(view, out, width, column) };
};

const HASHES = new Int32Array(AT_ONCE);
const PLACES = new Int32Array(AT_ONCE);

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

class Walks implements Stateful {
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

  learn(pane: Pane): void {
    this.#walks ??= new KeyedTable(pane.keys.keyWords, [0, 0]);
    const { events } = pane.pairs[this.#pair];
    if (events === null || events.length === 0) return;
    const evictions = this.#evictions;
    const order = events.inOrder();
    for (let from = 0; from < order.length; from += AT_ONCE) {
      const to = Math.min(order.length, from + AT_ONCE);
      this.#seen.touch(events.print, order, from, to);
      this.#touchWalks(pane.keys, events.key, order, from, to);
      for (let k = from; k < to; k++) {
        const i = order[k];
        this.#contact(pane.keys, events.key[i], events.print[i], events.moment[i]);
      }
    }
    giveBack(order);
    if (this.#level >= 0 && this.#evictions !== evictions) this.#settleLevels(pane.keys);
    this.dropped += this.#seen.evicted;
    this.#seen.evicted = 0;
  }

  /** Looks at where the keys' walks stand: see `FingerprintSet.touch`. */
  #touchWalks(keys: KeyedTable, rows: Int32Array, order: Int32Array, from: number, to: number): void {
    const { index, words, stride } = this.#walks as KeyedTable;
    gatherHashes(keys.words, 2 * keys.stride, rows, order, from, to);
    touchPlaces(index.entries, index.mask, 0, to - from, HASHES, PLACES);
    touched.sum ^= touchRows(words, 2 * stride, 0, to - from, PLACES);
  }

  /** @param moment twice the time, plus one when nobody answered */
  #contact(keys: KeyedTable, key: number, print: number, moment: number): void {
    const timeUs = Math.floor(moment / 2);
    if (!this.#seen.see(print, keys.hash(key), timeUs, timeUs)) return;
    keys.doubles[key * keys.stride + keys.first + this.#contacts]++;
    this.#step(keys, key, timeUs, moment % 2 === 1);
  }

  #step(keys: KeyedTable, key: number, timeUs: number, failed: boolean): void {
    const walks = this.#walks as KeyedTable;
    const at = 2 * key * keys.stride;
    let row = walks.find(keys.words, at);
    if (row < 0) {
      if (walks.count >= this.#most) this.#evict(timeUs);
      row = walks.take(keys.words, at);
    }
    const d = row * walks.stride + walks.first;
    const { doubles } = walks;
    if (timeUs - doubles[d + LAST] > this.#keepUs) doubles[d + LIKELIHOOD] = 0;
    doubles[d + LAST] = timeUs;
    doubles[d + LIKELIHOOD] += failed ? this.#failure : this.#success;
    if (doubles[d + LIKELIHOOD] <= this.#floor) doubles[d + LIKELIHOOD] = 0;
    if (this.#level >= 0) keys.doubles[at / 2 + keys.first + this.#level] = this.#steps(doubles[d + LIKELIHOOD]);
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
    this.#walks = keyWords < 0 ? null : new KeyedTable(keyWords, [0, 0]);
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
