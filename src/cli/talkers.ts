import { formatAddress } from '../model/address.ts';
import { AddressIndex } from '../model/address-index.ts';
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
  #addresses = new AddressIndex(FIRST_ROOM);
  #sent = new Float64Array(FIRST_ROOM);
  #received = new Float64Array(FIRST_ROOM);
  #flows = new Float64Array(FIRST_ROOM);

  add(batch: FlowBatch): void {
    for (let row = 0; row < batch.length; row++) {
      if ((batch.meta[row] & HAS_IP) === 0) continue;
      const forward = batch.octetDeltaCount[row];
      const reverse = batch.reverseOctetDeltaCount[row];
      this.#count(batch.sourceAddress, 4 * row, forward, reverse, 1);
      this.#count(batch.destinationAddress, 4 * row, reverse, forward, 1);
    }
    if (this.#addresses.length > LIMIT) this.#shrink();
  }

  /** Adds what another one counted. */
  join(other: Talkers): void {
    for (let row = 0; row < other.#addresses.length; row++) this.#take(other, row);
    if (this.#addresses.length > LIMIT) this.#shrink();
  }

  top(count: number): Talker[] {
    return this.#largest()
      .slice(0, count)
      .map((row) => ({
        address: formatAddress(this.#addresses.words, 4 * row),
        sent: this.#sent[row],
        received: this.#received[row],
        flows: this.#flows[row],
      }));
  }

  #take(other: Talkers, row: number): void {
    this.#count(other.#addresses.words, 4 * row, other.#sent[row], other.#received[row], other.#flows[row]);
  }

  #count(words: Int32Array, at: number, sent: number, received: number, flows: number): void {
    const row = this.#addresses.row(words, at);
    if (row === this.#sent.length) this.#grow();
    this.#sent[row] += sent;
    this.#received[row] += received;
    this.#flows[row] += flows;
  }

  #grow(): void {
    const grown = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const fresh = new Float64Array(2 * old.length);
      fresh.set(old);
      return fresh;
    };
    this.#sent = grown(this.#sent);
    this.#received = grown(this.#received);
    this.#flows = grown(this.#flows);
  }

  /** Rows, the largest first; of equal ones the lower address. */
  #largest(): number[] {
    const totals = Float64Array.from(
      { length: this.#addresses.length },
      (_, row) => this.#sent[row] + this.#received[row],
    );
    const rows = Array.from({ length: this.#addresses.length }, (_, row) => row);
    return rows.sort((a, b) => totals[b] - totals[a] || this.#compare(a, b));
  }

  #compare(a: number, b: number): number {
    const { words } = this.#addresses;
    let word = 0;
    while (word < 3 && words[4 * a + word] === words[4 * b + word]) word++;
    return (words[4 * a + word] >>> 0) - (words[4 * b + word] >>> 0);
  }

  #shrink(): void {
    const kept = new Talkers();
    for (const row of this.#largest().slice(0, LIMIT / 2)) kept.#take(this, row);
    this.#addresses = kept.#addresses;
    this.#sent = kept.#sent;
    this.#received = kept.#received;
    this.#flows = kept.#flows;
  }
}
