import type { Stateful, StateReader, StateWriter } from '../core/state.ts';

/**
 * Flow records and slices, column by column. One row is a biflow (RFC 5103): the forward direction is the
 * initiator's, `reverse...` the answer's. A slice is what a flow did in one second of event time; a record is all
 * that it did until it ended. Both have the same columns, so every later room reads one type.
 */
const COLUMNS = {
  /** First and last packet's event time, microseconds. */
  startUs: Float64Array,
  endUs: Float64Array,
  /** Scaled by the sampling interval where the exporter sampled. */
  packetDeltaCount: Float64Array,
  octetDeltaCount: Float64Array,
  layer2OctetDeltaCount: Float64Array,
  reversePacketDeltaCount: Float64Array,
  reverseOctetDeltaCount: Float64Array,
  reverseLayer2OctetDeltaCount: Float64Array,
  /** N of 1:N; 1 unsampled, 0 unknown. */
  samplingInterval: Float64Array,
  observationDomainId: Float64Array,
  /** 48-bit MAC addresses, -1 without. */
  sourceMacAddress: Float64Array,
  destinationMacAddress: Float64Array,
  /** The bits below. */
  meta: Int32Array,
  vlanId: Int32Array,
  ingressInterface: Int32Array,
  egressInterface: Int32Array,
  /** Ids in `Names`. */
  layers: Int32Array,
  dnsName: Int32Array,
  sni: Int32Array,
  exporter: Int32Array,
  sourceAs: Int32Array,
  destinationAs: Int32Array,
  sourceTransportPort: Uint16Array,
  destinationTransportPort: Uint16Array,
  tcpControlBits: Uint16Array,
  reverseTcpControlBits: Uint16Array,
  /** Type in the high byte, code in the low one: of the forward direction. */
  icmpTypeCode: Uint16Array,
  dnsType: Uint16Array,
  protocolIdentifier: Uint8Array,
  ipClassOfService: Uint8Array,
  /** IPFIX 136: 1 idle, 2 active, 3 end of flow, 4 forced end, 5 lack of resources; 0 in slices. */
  flowEndReason: Uint8Array,
} as const;

/** Bits of `meta`. */
export const HAS_IP = 1;
export const HAS_PORTS = 2;
export const HAS_ICMP = 4;
export const HAS_OUTER = 8;
/** The row counts as a flow: a flow's first slice, or a record of a unidirectional exporter. */
export const FIRST = 16;
/** `reverse...` is known (packets or a pairing exporter); without it the row is one direction only. */
export const BIFLOW = 32;
/** Both directions carried data or TCP's ACK so far. */
export const ESTABLISHED = 64;
/** The flow began with an answer and no request was seen. */
export const UNASKED = 128;
/** ARP: addresses are sender and target, no protocol. */
export const IS_ARP = 256;
export const IS_ICMP_ERROR = 512;
/** Taken in a flow whose forward direction is the initiator's; off where the source does not know. */
export const INITIATOR_KNOWN = 1024;
export const IS_DNS_RESPONSE = 2048;
/** The flow's last slice: it ended with it. */
export const LAST = 4096;
/** The innermost IP header is IPv6. */
export const IS_IPV6 = 8192;
/** The first packet was a SYN-ACK and its receiver sent nothing yet, so it is the destination that opened the flow. */
export const OPENED_BY_DESTINATION = 1 << 14;
/** What a log or an exporter did not say: the column is 0 and prints as absent. */
export const NO_PACKETS = 1 << 15;
export const NO_OCTETS = 1 << 16;
export const NO_LAYER2 = 1 << 17;
export const NO_PROTOCOL = 1 << 18;
/** What an interface carried one way between two readings of its octet counter. */
export const COUNTERS = 1 << 19;

type Columns = typeof COLUMNS;
type ColumnName = keyof Columns;
const NAMES = Object.keys(COLUMNS) as ColumnName[];

type ColumnViews = { readonly [K in ColumnName]: InstanceType<Columns[K]> };

/** Bytes that a batch of `capacity` rows needs: all columns and four addresses of 16 bytes a row. */
export function byteSize(capacity: number): number {
  return NAMES.reduce((sum, name) => sum + COLUMNS[name].BYTES_PER_ELEMENT * capacity, 64 * capacity);
}

const ADDRESSES = ['sourceAddress', 'destinationAddress', 'outerSourceAddress', 'outerDestinationAddress'] as const;
/** What a column has that nobody filled, where it is not 0. */
const DEFAULTS: Partial<Record<ColumnName, number>> = {
  samplingInterval: 1,
  sourceMacAddress: -1,
  destinationMacAddress: -1,
  vlanId: -1,
  ingressInterface: -1,
  egressInterface: -1,
  sourceAs: -1,
  destinationAs: -1,
};
const WORDS = [0, 1, 2, 3];
/** Fewer rows are copied faster one by one than column by column. */
const FEW_ROWS = 16;

/** Compiled from the list of columns: a loop over their names takes a microsecond a row, longer than reading a log's row. */
const clearColumns = compile(
  'batch, row',
  NAMES.map((name) => `batch.${name}[row] = ${DEFAULTS[name] ?? 0};`),
  (name, word) => `batch.${name}[4 * row + ${word}] = 0;`,
) as (batch: FlowBatch, row: number) => void;

const copyColumns = compile(
  'batch, to, source, from',
  NAMES.map((name) => `batch.${name}[to] = source.${name}[from];`),
  (name, word) => `batch.${name}[4 * to + ${word}] = source.${name}[4 * from + ${word}];`,
) as (batch: FlowBatch, to: number, source: FlowBatch, from: number) => void;

function compile(parameters: string, columns: string[], address: (name: string, word: number) => string): unknown {
  const addresses = ADDRESSES.flatMap((name) => WORDS.map((word) => address(name, word)));
  return new Function(...parameters.split(', '), [...columns, ...addresses].join('\n'));
}

class Batch implements Stateful {
  readonly capacity: number;
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  readonly #bytes: Uint8Array;
  length = 0;
  /** 4 words a row each (`address.ts`): row `i` is at `4 * i`. */
  readonly sourceAddress: Int32Array;
  readonly destinationAddress: Int32Array;
  /** Outermost addresses of an opened tunnel; only with `HAS_OUTER`. */
  readonly outerSourceAddress: Int32Array;
  readonly outerDestinationAddress: Int32Array;

  constructor(capacity: number, buffer: ArrayBuffer | SharedArrayBuffer, start = 0) {
    this.capacity = capacity;
    this.buffer = buffer;
    this.#bytes = new Uint8Array(buffer, start, byteSize(capacity));
    let offset = start;
    const views = this as unknown as Record<string, unknown>;
    for (const name of NAMES) {
      const Type = COLUMNS[name];
      views[name] = new Type(this.buffer as ArrayBuffer, offset, capacity);
      offset += Type.BYTES_PER_ELEMENT * capacity;
      if (name === 'destinationAs') offset = this.#addresses(views, offset);
    }
    this.sourceAddress = views['sourceAddress'] as Int32Array;
    this.destinationAddress = views['destinationAddress'] as Int32Array;
    this.outerSourceAddress = views['outerSourceAddress'] as Int32Array;
    this.outerDestinationAddress = views['outerDestinationAddress'] as Int32Array;
  }

  /** The addresses stand between the 32-bit and the 16-bit columns, so every view is aligned. */
  #addresses(views: Record<string, unknown>, start: number): number {
    let offset = start;
    for (const name of ADDRESSES) {
      views[name] = new Int32Array(this.buffer as ArrayBuffer, offset, 4 * this.capacity);
      offset += 16 * this.capacity;
    }
    return offset;
  }

  /** Writes the defaults of a row that nobody filled: no addresses, no names, unsampled. */
  clearRow(row: number): void {
    clearColumns(this as unknown as FlowBatch, row);
  }

  /** Takes all rows of a batch of the same capacity. */
  copyAll(source: FlowBatch): void {
    this.length = source.length;
    if (2 * source.length > this.capacity) this.#bytes.set((source as Batch).#bytes);
    else this.copyRows(0, source as unknown as FlowBatch, 0, source.length);
  }

  /** Copies row `from` of another batch into row `to` of this one. */
  copyRow(to: number, source: FlowBatch, from: number): void {
    copyColumns(this as unknown as FlowBatch, to, source, from);
  }

  /** Copies `count` rows of another batch, from row `from` on, to row `to` and those behind it. */
  copyRows(to: number, source: FlowBatch, from: number, count: number): void {
    const own = this as unknown as FlowBatch;
    if (count < FEW_ROWS) {
      for (let row = 0; row < count; row++) copyColumns(own, to + row, source, from + row);
      return;
    }
    for (const name of NAMES) own[name].set(source[name].subarray(from, from + count), to);
    for (const name of ADDRESSES) own[name].set(source[name].subarray(4 * from, 4 * (from + count)), 4 * to);
  }

  save(out: StateWriter): void {
    const batch = this as unknown as FlowBatch;
    out.number(this.length);
    for (const name of NAMES) out.array(batch[name], 0, this.length);
    for (const addresses of this.#addressColumns()) out.array(addresses, 0, 4 * this.length);
  }

  /** The rows must fit; what stood behind them stays. */
  restore(state: StateReader): void {
    const batch = this as unknown as FlowBatch;
    this.length = state.number();
    for (const name of NAMES) state.into(batch[name]);
    for (const addresses of this.#addressColumns()) state.into(addresses);
  }

  #addressColumns(): Int32Array[] {
    return [this.sourceAddress, this.destinationAddress, this.outerSourceAddress, this.outerDestinationAddress];
  }
}

export type FlowBatch = Batch & ColumnViews;

/** A batch of `capacity` rows. */
export function createFlowBatch(capacity = 8192): FlowBatch {
  return new Batch(capacity, new ArrayBuffer(byteSize(capacity))) as FlowBatch;
}

/** Memory for a batch of `capacity` rows that several threads look at, each through its own `viewFlowBatch`. */
export function sharedFlowBuffer(capacity: number): SharedArrayBuffer {
  return new SharedArrayBuffer(byteSize(capacity));
}

/** @param start where in the buffer it lies, a multiple of eight */
export function viewFlowBatch(buffer: SharedArrayBuffer, capacity: number, start = 0): FlowBatch {
  return new Batch(capacity, buffer, start) as FlowBatch;
}

/** Takes rows as they fill; the batch is the giver's again when the call returns. */
export type FlowSink = (batch: FlowBatch) => void;
