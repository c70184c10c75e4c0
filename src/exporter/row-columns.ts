import type { FlowBatch } from '../model/flow-batch.ts';

export type NumberColumn = Float64Array | Int32Array | Uint16Array | Uint8Array;

/** What records say that is no column of a batch: needed to finish a row, then gone. Indexed as the batch's rows. */
export class RowScratch {
  readonly start: Float64Array;
  readonly end: Float64Array;
  readonly duration: Float64Array;
  readonly boot: Float64Array;
  readonly sampler: Float64Array;
  readonly interval: Float64Array;
  readonly space: Float64Array;
  readonly size: Float64Array;
  readonly population: Float64Array;
  readonly rate: Float64Array;
  readonly icmpType: Float64Array;
  readonly icmpCode: Float64Array;
  readonly event: Float64Array;

  constructor(capacity: number) {
    this.start = new Float64Array(capacity);
    this.end = new Float64Array(capacity);
    this.duration = new Float64Array(capacity);
    this.boot = new Float64Array(capacity);
    this.sampler = new Float64Array(capacity);
    this.interval = new Float64Array(capacity);
    this.space = new Float64Array(capacity);
    this.size = new Float64Array(capacity);
    this.population = new Float64Array(capacity);
    this.rate = new Float64Array(capacity);
    this.icmpType = new Float64Array(capacity);
    this.icmpCode = new Float64Array(capacity);
    this.event = new Float64Array(capacity);
  }
}

type KeysOf<T, V> = { [K in keyof T]: T[K] extends V ? K : never }[keyof T];
export type BatchColumn = Exclude<
  KeysOf<FlowBatch, NumberColumn>,
  'sourceAddress' | 'destinationAddress' | 'outerSourceAddress' | 'outerDestinationAddress'
>;
export type ScratchColumn = keyof RowScratch;

/** Columns that exporters fill, with what stands there when they do not. */
export const DEFAULTS: readonly (readonly [BatchColumn, number])[] = [
  ['packetDeltaCount', 0],
  ['octetDeltaCount', 0],
  ['layer2OctetDeltaCount', 0],
  ['reversePacketDeltaCount', 0],
  ['reverseOctetDeltaCount', 0],
  ['reverseLayer2OctetDeltaCount', 0],
  ['sourceMacAddress', -1],
  ['destinationMacAddress', -1],
  ['vlanId', -1],
  ['ingressInterface', -1],
  ['egressInterface', -1],
  ['layers', 0],
  ['dnsName', 0],
  ['sni', 0],
  ['sourceAs', -1],
  ['destinationAs', -1],
  ['sourceTransportPort', 0],
  ['destinationTransportPort', 0],
  ['tcpControlBits', 0],
  ['reverseTcpControlBits', 0],
  ['icmpTypeCode', 0],
  ['dnsType', 0],
  ['protocolIdentifier', 0],
  ['ipClassOfService', 0],
  ['flowEndReason', 0],
];
