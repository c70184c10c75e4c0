import { finish, mix } from '../core/hash.ts';
import type { Stateful, StateReader, StateWriter } from '../core/state.ts';

const WORDS = 6;
const NAME = 4;
const AGE = 5;
const WAYS = 4;

/**
 * The last name that DNS gave for an address: address -> id in `Names.names`. Bounded: sets of four, in which the one
 * that was named longest ago leaves.
 */
export class AddressNames implements Stateful {
  #evicted = 0;
  readonly #sets: number;
  readonly #words: Int32Array;
  #age = 0;

  /** Room for `capacity` addresses, a power of two. */
  constructor(capacity: number) {
    this.#sets = capacity / WAYS;
    this.#words = new Int32Array(capacity * WORDS);
  }

  /** Notes that the four words at `at` are called `name`, an id above 0. */
  set(address: Int32Array, at: number, name: number): void {
    const table = this.#words;
    const entry = this.#place(address, at);
    for (let i = 0; i < 4; i++) table[entry + i] = address[at + i];
    table[entry + NAME] = name;
    table[entry + AGE] = this.#age++ | 0;
  }

  /** Id of the last name of the address at `at`; 0 when none is known. */
  get(address: Int32Array, at: number): number {
    const set = this.#set(address, at);
    for (let way = 0; way < WAYS; way++) {
      const entry = set + way * WORDS;
      if (this.#words[entry + NAME] !== 0 && this.#matches(entry, address, at)) return this.#words[entry + NAME];
    }
    return 0;
  }

  #set(address: Int32Array, at: number): number {
    let hash = 0;
    for (let i = 0; i < 4; i++) hash = mix(hash, address[at + i]);
    return (finish(hash) & (this.#sets - 1)) * WAYS * WORDS;
  }

  #matches(entry: number, address: Int32Array, at: number): boolean {
    const table = this.#words;
    for (let i = 0; i < 4; i++) if (table[entry + i] !== address[at + i]) return false;
    return true;
  }

  /** The entry of the same address, a free one, or the oldest of the set. */
  #place(address: Int32Array, at: number): number {
    const table = this.#words;
    const set = this.#set(address, at);
    let oldest = set;
    for (let way = 0; way < WAYS; way++) {
      const entry = set + way * WORDS;
      if (table[entry + NAME] === 0 || this.#matches(entry, address, at)) return entry;
      // Ages wrap after 2^32 names; their difference does not.
      if (((table[entry + AGE] - table[oldest + AGE]) | 0) < 0) oldest = entry;
    }
    this.#evicted++;
    return oldest;
  }

  save(out: StateWriter): void {
    out.number(this.#age);
    out.array(this.#words);
  }

  /** A table of another size begins empty: places depend on it. */
  restore(state: StateReader): void {
    this.#age = state.number();
    const words = state.array(Int32Array);
    if (words.length === this.#words.length) this.#words.set(words);
    else this.#words.fill(0);
  }

  /** Addresses whose name was given up for another's since the last call. */
  takeEvicted(): number {
    const taken = this.#evicted;
    this.#evicted = 0;
    return taken;
  }
}
