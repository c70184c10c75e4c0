import { Sha1Lanes } from '../core/sha1-lanes.ts';
import { communityDigest, communityMessage, MESSAGE_VIEW } from './community-id.ts';
import { type FlowBatch, HAS_ICMP, HAS_PORTS } from './flow-batch.ts';

/** Protocols whose ports are part of a Community ID: TCP, UDP, SCTP. */
const PORTS_IN_ID = new Set([6, 17, 132]);
const DIGEST = new Int32Array(5);

/** Digest of the Community ID of row `n`, which has IP addresses; overwritten by the next call. */
export function digestOf(batch: FlowBatch, n: number): Int32Array {
  communityDigest(messageOf(batch, n), DIGEST);
  return DIGEST;
}

/** Writes what is hashed; its length. */
function messageOf(batch: FlowBatch, n: number): number {
  const protocol = batch.protocolIdentifier[n];
  const isIcmp = (batch.meta[n] & HAS_ICMP) !== 0;
  const hasPorts = (batch.meta[n] & HAS_PORTS) !== 0 && PORTS_IN_ID.has(protocol);
  return communityMessage(
    protocol,
    batch.sourceAddress,
    4 * n,
    batch.destinationAddress,
    4 * n,
    isIcmp ? batch.icmpTypeCode[n] >>> 8 : batch.sourceTransportPort[n],
    isIcmp ? batch.icmpTypeCode[n] & 255 : batch.destinationTransportPort[n],
    isIcmp || hasPorts,
  );
}

/** Digests of a batch's rows one after another, from row 0 on: four are made at once. */
export class FlowDigests {
  readonly #lanes = Sha1Lanes.create();
  readonly #digest = new Int32Array(5);

  /** As `digestOf`; `n` goes up by one from call to call. */
  next(batch: FlowBatch, n: number): Int32Array {
    const lanes = this.#lanes;
    if (lanes === null) return digestOf(batch, n);
    if ((n & 3) === 0) {
      for (let lane = 0; lane < 4 && n + lane < batch.length; lane++) {
        lanes.take(lane, MESSAGE_VIEW, messageOf(batch, n + lane));
      }
      lanes.run();
    }
    lanes.digest(n & 3, this.#digest);
    return this.#digest;
  }
}
