import { formatAddress } from '../model/address.ts';
import { type FlowBatch, HAS_IP } from '../model/flow-batch.ts';

/** Addresses counted at once; when there are more, the smaller half leaves. */
const LIMIT = 65_536;

export interface Talker {
  address: string;
  sent: number;
  received: number;
  flows: number;
}

/** Who carried most, for the summary at the end of a run: exact while addresses are few, the large ones always. */
export class Talkers {
  #totals = new Map<string, Talker>();

  add(batch: FlowBatch): void {
    for (let row = 0; row < batch.length; row++) {
      if ((batch.meta[row] & HAS_IP) === 0) continue;
      const forward = batch.octetDeltaCount[row];
      const reverse = batch.reverseOctetDeltaCount[row];
      this.#count(formatAddress(batch.sourceAddress, 4 * row), forward, reverse);
      this.#count(formatAddress(batch.destinationAddress, 4 * row), reverse, forward);
    }
    if (this.#totals.size > LIMIT) this.#shrink();
  }

  /** Adds what another one counted. */
  join(other: Talkers): void {
    for (const { address, sent, received, flows } of other.#totals.values()) {
      this.#count(address, sent, received, flows);
    }
    if (this.#totals.size > LIMIT) this.#shrink();
  }

  top(count: number): Talker[] {
    return [...this.#totals.values()].sort(larger).slice(0, count);
  }

  #count(address: string, sent: number, received: number, flows = 1): void {
    let talker = this.#totals.get(address);
    if (talker === undefined) {
      talker = { address, sent: 0, received: 0, flows: 0 };
      this.#totals.set(address, talker);
    }
    talker.sent += sent;
    talker.received += received;
    talker.flows += flows;
  }

  #shrink(): void {
    this.#totals = new Map(this.top(LIMIT / 2).map((talker) => [talker.address, talker]));
  }
}

function larger(a: Talker, b: Talker): number {
  return b.sent + b.received - a.sent - a.received || (a.address < b.address ? -1 : 1);
}
