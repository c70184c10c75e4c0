import { KeyIndex } from '../core/key-index.ts';
import { damaged, type Stateful, type StateReader, type StateWriter } from '../core/state.ts';

/**
 * Times and sizes of the flows of many pairs: one ring of events, each with the number of its pair's event before it.
 * What the ring overwrites is forgotten, so memory is bounded whatever the pairs do: 20 bytes an event, 44 a pair.
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
  /** Of each pair: second hash, number of the last event, events ever. */
  #high = new Int32Array(1024);
  #last = new Int32Array(1024);
  #count = new Int32Array(1024);
  /** Free for the owner: the score, and the count it was taken at. */
  score = new Float64Array(1024);
  scoredAt = new Int32Array(1024);
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

  /** Notes a flow; answers the number of its pair, good until the next new pair. */
  add(low: number, high: number, timeUs: number, size: number): number {
    if (this.#next > 0x7ffffff0) this.clear();
    const known = this.find(low, high);
    const pair = known >= 0 ? known : this.#append(low, high);
    const at = this.#next % this.#events;
    this.#timeUs[at] = timeUs;
    this.#size[at] = size;
    this.#before[at] = this.#last[pair];
    this.#last[pair] = this.#next++;
    this.#count[pair]++;
    return pair;
  }

  count(pair: number): number {
    return this.#count[pair];
  }

  /** The newest flows of a pair that began after `sinceUs`, oldest first. */
  read(pair: number, most: number, sinceUs: number): { times: number[]; sizes: number[] } {
    const times: number[] = [];
    const sizes: number[] = [];
    for (let event = this.#last[pair]; this.#holds(event) && times.length < most; ) {
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
    for (let place = low & mask; entries[2 * place + 1] !== 0; place = (place + 1) & mask) {
      const pair = entries[2 * place + 1] - 1;
      if (entries[2 * place] === low && this.#high[pair] === high) return pair;
    }
    return -1;
  }

  #append(low: number, high: number): number {
    if (this.#pairs >= this.#mostPairs) this.#evict();
    if (this.#pairs === this.#high.length) this.#grow();
    const pair = this.#pairs++;
    this.#high[pair] = high;
    this.#last[pair] = -1;
    this.#count[pair] = 0;
    this.score[pair] = 0;
    this.scoredAt[pair] = 0;
    this.#index.reserve(this.#pairs);
    this.#index.enter(low, pair);
    return pair;
  }

  #grow(): void {
    const wider = (column: Int32Array): Int32Array<ArrayBuffer> => {
      const fresh = new Int32Array(2 * column.length);
      fresh.set(column);
      return fresh;
    };
    this.#high = wider(this.#high);
    this.#last = wider(this.#last);
    this.#count = wider(this.#count);
    this.scoredAt = wider(this.scoredAt);
    const score = new Float64Array(2 * this.score.length);
    score.set(this.score);
    this.score = score;
  }

  /** The half of the pairs that was silent for longest goes. */
  #evict(): void {
    this.moves++;
    const middle = this.#last.slice(0, this.#pairs).sort()[this.#pairs >> 1];
    const lows = this.#lows();
    const before = this.#pairs;
    this.#pairs = 0;
    this.#index.clear(before);
    for (let pair = 0; pair < before; pair++) {
      if (this.#last[pair] <= middle) {
        if (this.#holds(this.#last[pair])) this.evicted++;
        continue;
      }
      const to = this.#pairs++;
      for (const column of [this.#high, this.#last, this.#count, this.scoredAt]) column[to] = column[pair];
      this.score[to] = this.score[pair];
      this.#index.enter(lows[pair], to);
    }
  }

  clear(): void {
    this.moves++;
    this.#next = 0;
    this.#pairs = 0;
    this.#index.clear();
  }

  /** First hash of each pair: it stands in the index only. */
  #lows(): Int32Array {
    const { entries } = this.#index;
    const lows = new Int32Array(this.#pairs);
    for (let at = 0; at < entries.length; at += 2) if (entries[at + 1] !== 0) lows[entries[at + 1] - 1] = entries[at];
    return lows;
  }

  save(out: StateWriter): void {
    const events = Math.min(this.#next, this.#events);
    for (const value of [this.#next, this.#pairs, this.evicted]) out.number(value);
    for (const ring of [this.#timeUs, this.#size, this.#before]) out.array(ring, 0, events);
    out.array(this.#lows());
    for (const column of this.#columns()) out.array(column, 0, this.#pairs);
  }

  restore(state: StateReader): void {
    this.clear();
    const [next, pairs, evicted] = [state.number(), state.number(), state.number()];
    if (!(pairs <= this.#mostPairs)) throw damaged(`${pairs} pairs are too many`);
    for (const ring of [this.#timeUs, this.#size, this.#before]) state.into(ring);
    const lows = state.array(Int32Array);
    while (this.#high.length < pairs) this.#grow();
    for (const column of this.#columns()) state.into(column);
    this.#next = next;
    this.#pairs = pairs;
    this.evicted = evicted;
    this.#index.reserve(pairs);
    for (let pair = 0; pair < pairs; pair++) this.#index.enter(lows[pair], pair);
  }

  #columns(): (Int32Array | Float64Array)[] {
    return [this.#high, this.#last, this.#count, this.scoredAt, this.score];
  }
}
