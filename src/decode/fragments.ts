import { finish, mix } from '../core/hash.ts';
import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import { HAS_ICMP, HAS_PORTS, ICMP, IS_ANSWER, IS_ICMP_ERROR, META, PORTS, SRC } from '../model/packet-rows.ts';

/** Words of an entry; its two words of time are a Float64 of the same buffer. */
const WORDS = 16;
const ADDRESSES = 8;
const ID = 8;
const PROTOCOL = 9;
const SAVED_PORTS = 10;
const SAVED_ICMP = 11;
const SAVED_META = 12;
const USED = 13;
const TIME_F64 = 7;
const WAYS = 4;
/** How long fragments of one datagram may be apart: the reassembly time of RFC 8200, section 4.5. */
const LIFETIME_US = 60e6;
/** What a later fragment has from the first one. */
const INHERITED = 0xff | HAS_PORTS | HAS_ICMP | IS_ANSWER | IS_ICMP_ERROR;

/** A fragment as the table sees it: its row (addresses, ports) and what the IP header says of the datagram. */
export interface Fragment {
  readonly words: Int32Array;
  readonly row: number;
  readonly timeUs: number;
  readonly fragmentId: number;
  readonly fragmentProtocol: number;
}

/**
 * First fragments by (source, destination, identification, protocol), so that later ones take their ports; those that
 * come before it wait in `EarlyFragments`. Bounded: sets of four, the oldest leaves.
 */
export class FragmentTable implements Stateful {
  #evicted = 0;
  readonly #mask: number;
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;

  /** Room for `capacity` datagrams, a power of two. */
  constructor(capacity: number) {
    this.#mask = capacity / WAYS - 1;
    this.#words = new Int32Array(capacity * WORDS);
    this.#doubles = new Float64Array(this.#words.buffer);
  }

  /** Keeps what the row of a first fragment says. */
  remember(fragment: Fragment): void {
    const entry = this.#place(fragment);
    const words = this.#words;
    const { words: row, row: at } = fragment;
    for (let i = 0; i < ADDRESSES; i++) words[entry + i] = row[at + SRC + i];
    words[entry + ID] = fragment.fragmentId;
    words[entry + PROTOCOL] = fragment.fragmentProtocol;
    words[entry + SAVED_PORTS] = row[at + PORTS];
    words[entry + SAVED_ICMP] = row[at + ICMP];
    words[entry + SAVED_META] = row[at + META] & INHERITED;
    words[entry + USED] = 1;
    this.#doubles[entry / 2 + TIME_F64] = fragment.timeUs;
  }

  /** Gives a later fragment's row the ports of the first one; false when none is known. */
  inherit(fragment: Fragment): boolean {
    const set = this.#set(fragment);
    for (let way = 0; way < WAYS; way++) {
      const entry = set + way * WORDS;
      if (this.#words[entry + USED] === 0 || !this.#matches(entry, fragment)) continue;
      if (!this.#alive(entry, fragment.timeUs)) return false;
      const { words, row } = fragment;
      words[row + PORTS] = this.#words[entry + SAVED_PORTS];
      words[row + ICMP] = this.#words[entry + SAVED_ICMP];
      words[row + META] = (words[row + META] & ~0xff) | this.#words[entry + SAVED_META];
      return true;
    }
    return false;
  }

  #set({ words, row, fragmentId, fragmentProtocol }: Fragment): number {
    let hash = mix(fragmentId, fragmentProtocol);
    for (let i = 0; i < ADDRESSES; i++) hash = mix(hash, words[row + SRC + i]);
    return (finish(hash) & this.#mask) * WAYS * WORDS;
  }

  #matches(entry: number, { words, row, fragmentId, fragmentProtocol }: Fragment): boolean {
    if (this.#words[entry + ID] !== fragmentId || this.#words[entry + PROTOCOL] !== fragmentProtocol) return false;
    for (let i = 0; i < ADDRESSES; i++) if (this.#words[entry + i] !== words[row + SRC + i]) return false;
    return true;
  }

  #alive(entry: number, timeUs: number): boolean {
    return Math.abs(timeUs - this.#doubles[entry / 2 + TIME_F64]) <= LIFETIME_US;
  }

  /** The entry of the same datagram, a free one, or the oldest. */
  #place(fragment: Fragment): number {
    const set = this.#set(fragment);
    let oldest = set;
    for (let way = 0; way < WAYS; way++) {
      const entry = set + way * WORDS;
      if (this.#words[entry + USED] === 0 || this.#matches(entry, fragment)) return entry;
      if (this.#doubles[entry / 2 + TIME_F64] < this.#doubles[oldest / 2 + TIME_F64]) oldest = entry;
    }
    if (this.#alive(oldest, fragment.timeUs)) this.#evicted++;
    return oldest;
  }

  save(out: StateWriter): void {
    out.array(this.#words);
  }

  /** A table of another size begins empty: places depend on it. */
  restore(state: StateReader): void {
    const words = state.array(Int32Array);
    if (words.length === this.#words.length) this.#words.set(words);
    else this.#words.fill(0);
  }

  /** First fragments that left before their time since the last call. */
  takeEvicted(): number {
    const taken = this.#evicted;
    this.#evicted = 0;
    return taken;
  }
}
