import { firstRows } from '../core/first-rows.ts';
import { nthSmallest } from '../core/nth-smallest.ts';
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
  /** Rows of a batch's addresses. */
  #sources = new Int32Array(0);
  #destinations = new Int32Array(0);

  add(batch: FlowBatch): void {
    if (this.#sources.length < batch.length) {
      this.#sources = new Int32Array(batch.capacity);
      this.#destinations = new Int32Array(batch.capacity);
    }
    // Rows without an address count as one of zeros, which has no flows.
    this.#addresses.rows(batch.sourceAddress, batch.length, this.#sources, 0);
    this.#addresses.rows(batch.destinationAddress, batch.length, this.#destinations, 0);
    while (this.#sent.length < this.#addresses.length) this.#grow();
    for (let row = 0; row < batch.length; row++) {
      if ((batch.meta[row] & HAS_IP) === 0) continue;
      const forward = batch.octetDeltaCount[row];
      const reverse = batch.reverseOctetDeltaCount[row];
      this.#count(this.#sources[row], forward, reverse, 1);
      this.#count(this.#destinations[row], reverse, forward, 1);
    }
    if (this.#addresses.length > LIMIT) this.#shrink();
  }

  /** Adds what another one counted. */
  join(other: Talkers): void {
    for (let row = 0; row < other.#addresses.length; row++) this.#take(other, row);
    if (this.#addresses.length > LIMIT) this.#shrink();
  }

  /** The largest first; of equal ones the lower address. */
  top(count: number): Talker[] {
    const totals = this.#totals();
    const larger = (a: number, b: number): number => totals[b] - totals[a] || this.#compare(a, b);
    const rows = firstRows(totals.length, count + 1, larger).filter((row) => this.#flows[row] > 0);
    return rows.slice(0, count).map((row) => ({
      address: formatAddress(this.#addresses.words, 4 * row),
      sent: this.#sent[row],
      received: this.#received[row],
      flows: this.#flows[row],
    }));
  }

  #take(other: Talkers, from: number): void {
    const row = this.#addresses.row(other.#addresses.words, 4 * from);
    if (row === this.#sent.length) this.#grow();
    this.#count(row, other.#sent[from], other.#received[from], other.#flows[from]);
  }

  #count(row: number, sent: number, received: number, flows: number): void {
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

  #totals(): Float64Array {
    const totals = new Float64Array(this.#addresses.length);
    for (let row = 0; row < totals.length; row++) totals[row] = this.#sent[row] + this.#received[row];
    return totals;
  }

  #compare(a: number, b: number): number {
    const { words } = this.#addresses;
    let word = 0;
    while (word < 3 && words[4 * a + word] === words[4 * b + word]) word++;
    return (words[4 * a + word] >>> 0) - (words[4 * b + word] >>> 0);
  }

  /** The larger half stays; of equal ones those that came first. */
  #shrink(): void {
    const totals = this.#totals();
    const least = leastOf(totals, LIMIT / 2);
    let equal = LIMIT / 2;
    for (const total of totals) if (total > least) equal--;
    const kept = new Talkers();
    for (let row = 0; row < totals.length; row++) {
      if (totals[row] > least || (totals[row] === least && equal-- > 0)) kept.#take(this, row);
    }
    this.#addresses = kept.#addresses;
    this.#sent = kept.#sent;
    this.#received = kept.#received;
    this.#flows = kept.#flows;
  }
}

/** What the `count` largest totals have at least. */
function leastOf(totals: Float64Array, count: number): number {
  return totals.length <= count ? 0 : nthSmallest(totals, totals.length - count);
}
