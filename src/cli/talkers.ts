import { finish, mix } from '../core/hash.ts';
import { KeyIndex } from '../core/key-index.ts';
import { formatAddress } from '../model/address.ts';
import { type FlowBatch, HAS_IP } from '../model/flow-batch.ts';

/** Addresses counted at once; when there are more, the smaller half leaves. */
const LIMIT = 65_536;
const FIRST_ROOM = 1024;

export interface Talker {
  address: string;
  sent: number;
  received: number;
  flows: number;
}

/** Who carried most, for the summary at the end of a run: exact while addresses are few, the large ones always. */
export class Talkers {
  #index = new KeyIndex(FIRST_ROOM);
  /** Four words of address a row. */
  #words = new Int32Array(4 * FIRST_ROOM);
  #sent = new Float64Array(FIRST_ROOM);
  #received = new Float64Array(FIRST_ROOM);
  #flows = new Float64Array(FIRST_ROOM);
  #rows = 0;

  add(batch: FlowBatch): void {
    for (let row = 0; row < batch.length; row++) {
      if ((batch.meta[row] & HAS_IP) === 0) continue;
      const forward = batch.octetDeltaCount[row];
      const reverse = batch.reverseOctetDeltaCount[row];
      this.#count(batch.sourceAddress, 4 * row, forward, reverse, 1);
      this.#count(batch.destinationAddress, 4 * row, reverse, forward, 1);
    }
    if (this.#rows > LIMIT) this.#shrink();
  }

  /** Adds what another one counted. */
  join(other: Talkers): void {
    for (let row = 0; row < other.#rows; row++) this.#take(other, row);
    if (this.#rows > LIMIT) this.#shrink();
  }

  top(count: number): Talker[] {
    return this.#largest()
      .slice(0, count)
      .map((row) => ({
        address: formatAddress(this.#words, 4 * row),
        sent: this.#sent[row],
        received: this.#received[row],
        flows: this.#flows[row],
      }));
  }

  #take(other: Talkers, row: number): void {
    this.#count(other.#words, 4 * row, other.#sent[row], other.#received[row], other.#flows[row]);
  }

  #count(words: Int32Array, at: number, sent: number, received: number, flows: number): void {
    const row = this.#find(words, at);
    this.#sent[row] += sent;
    this.#received[row] += received;
    this.#flows[row] += flows;
  }

  #find(words: Int32Array, at: number): number {
    const hash = finish(mix(mix(mix(mix(0, words[at]), words[at + 1]), words[at + 2]), words[at + 3]));
    const { entries, mask } = this.#index;
    const own = this.#words;
    for (let place = hash & mask; entries[2 * place + 1] !== 0; place = (place + 1) & mask) {
      if (entries[2 * place] !== hash) continue;
      const row = entries[2 * place + 1] - 1;
      const from = 4 * row;
      if (own[from + 3] !== words[at + 3] || own[from + 2] !== words[at + 2]) continue;
      if (own[from + 1] === words[at + 1] && own[from] === words[at]) return row;
    }
    return this.#enter(hash, words, at);
  }

  #enter(hash: number, words: Int32Array, at: number): number {
    const row = this.#rows++;
    if (row === this.#sent.length) this.#grow();
    for (let word = 0; word < 4; word++) this.#words[4 * row + word] = words[at + word];
    this.#index.reserve(this.#rows);
    this.#index.enter(hash, row);
    return row;
  }

  #grow(): void {
    const grown = <T extends Int32Array | Float64Array>(old: T, fresh: T): T => {
      fresh.set(old);
      return fresh;
    };
    this.#words = grown(this.#words, new Int32Array(2 * this.#words.length));
    this.#sent = grown(this.#sent, new Float64Array(2 * this.#sent.length));
    this.#received = grown(this.#received, new Float64Array(2 * this.#received.length));
    this.#flows = grown(this.#flows, new Float64Array(2 * this.#flows.length));
  }

  /** Rows, the largest first; of equal ones the lower address. */
  #largest(): number[] {
    const totals = Float64Array.from({ length: this.#rows }, (_, row) => this.#sent[row] + this.#received[row]);
    const rows = Array.from({ length: this.#rows }, (_, row) => row);
    return rows.sort((a, b) => totals[b] - totals[a] || this.#compare(a, b));
  }

  #compare(a: number, b: number): number {
    const words = this.#words;
    let word = 0;
    while (word < 3 && words[4 * a + word] === words[4 * b + word]) word++;
    return (words[4 * a + word] >>> 0) - (words[4 * b + word] >>> 0);
  }

  #shrink(): void {
    const kept = new Talkers();
    for (const row of this.#largest().slice(0, LIMIT / 2)) kept.#take(this, row);
    this.#index = kept.#index;
    this.#words = kept.#words;
    this.#sent = kept.#sent;
    this.#received = kept.#received;
    this.#flows = kept.#flows;
    this.#rows = kept.#rows;
  }
}
