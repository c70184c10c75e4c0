import { IPV4_WORD_2 } from '../model/address.ts';
import * as F from './fields.ts';
import type { LogRow } from './log-row.ts';

/** Wire types of protobuf (protobuf.dev, "Encoding"). */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** Field numbers of a message, by our fields. */
export type ProtoNumbers = Readonly<Record<string, number>>;

const FIELDS = {
  samplingInterval: F.SAMPLING,
  exporter: F.EXPORTER,
  observationDomainId: F.DOMAIN,
  timeReceived: F.HISTORY,
  flowStart: F.START,
  flowEnd: F.END,
  octetDeltaCount: F.OCTETS,
  packetDeltaCount: F.PACKETS,
  sourceAddress: F.SOURCE,
  destinationAddress: F.DESTINATION,
  protocolIdentifier: F.PROTOCOL,
  sourceTransportPort: F.SOURCE_PORT,
  destinationTransportPort: F.DESTINATION_PORT,
  ingressInterface: F.IN_IF,
  egressInterface: F.OUT_IF,
  sourceMacAddress: F.SOURCE_MAC,
  destinationMacAddress: F.DESTINATION_MAC,
  vlanId: F.VLAN,
  ipClassOfService: F.TOS,
  tcpControlBits: F.FLAGS,
  icmpType: F.ICMP_TYPE,
  icmpCode: F.ICMP_CODE,
  bgpSourceAsNumber: F.SOURCE_AS,
  bgpDestinationAsNumber: F.DESTINATION_AS,
} as const;
type ProtoField = keyof typeof FIELDS;

/** GoFlow2's `pb/flow.proto`: times in nanoseconds (110 to 112), before that in seconds (2, 38, 5). */
export const GOFLOW2_NUMBERS = {
  samplingInterval: 3,
  exporter: 11,
  observationDomainId: 70,
  timeReceived: 110,
  flowStart: 111,
  flowEnd: 112,
  octetDeltaCount: 9,
  packetDeltaCount: 10,
  sourceAddress: 6,
  destinationAddress: 7,
  protocolIdentifier: 20,
  sourceTransportPort: 21,
  destinationTransportPort: 22,
  ingressInterface: 18,
  egressInterface: 19,
  sourceMacAddress: 27,
  destinationMacAddress: 28,
  vlanId: 29,
  ipClassOfService: 23,
  tcpControlBits: 26,
  icmpType: 31,
  icmpCode: 32,
  bgpSourceAsNumber: 14,
  bgpDestinationAsNumber: 15,
} as const;

/** Akvorado's `flow-5.proto`. Later versions number the columns of their own schema: give those with `numbers`. */
export const AKVORADO_NUMBERS = {
  timeReceived: 2,
  samplingInterval: 4,
  exporter: 6,
  flowStart: 7,
  flowEnd: 8,
  octetDeltaCount: 9,
  packetDeltaCount: 10,
  sourceAddress: 11,
  destinationAddress: 12,
  protocolIdentifier: 14,
  sourceTransportPort: 15,
  destinationTransportPort: 16,
  ingressInterface: 17,
  egressInterface: 18,
  ipClassOfService: 19,
  tcpControlBits: 22,
  icmpType: 23,
  icmpCode: 24,
  bgpSourceAsNumber: 29,
  bgpDestinationAsNumber: 30,
  vlanId: 38,
} as const;

export const PROTO_FIELDS = Object.keys(FIELDS) as ProtoField[];

/** Reads flow messages of protobuf whose field numbers are known. Fields that are not there are 0, as proto3 has it. */
export class ProtoRecord {
  readonly #fields: Int16Array;
  readonly #names: (words: Int32Array) => number;
  readonly #exporter = new Int32Array(4);
  #at = 0;

  constructor(numbers: ProtoNumbers, exporter: (words: Int32Array) => number) {
    this.#names = exporter;
    this.#fields = new Int16Array(1 + Math.max(...Object.values(numbers))).fill(-1);
    for (const [name, number] of Object.entries(numbers)) this.#fields[number] = FIELDS[name as ProtoField];
  }

  /** True when the message was whole and tells of a flow; `row` is ready to be committed. */
  read(bytes: Uint8Array, from: number, to: number, row: LogRow): boolean {
    this.#at = from;
    const length = this.#varint(bytes, to);
    if (this.#at + length !== to) this.#at = from;
    while (this.#at < to) {
      const tag = this.#varint(bytes, to);
      const number = Math.floor(tag / 8);
      const field = number < this.#fields.length ? this.#fields[number] : -1;
      if (!this.#value(bytes, to, tag & 7, field, row)) return false;
    }
    return finish(row);
  }

  #value(bytes: Uint8Array, to: number, wireType: number, field: number, row: LogRow): boolean {
    if (wireType === VARINT) {
      const value = this.#varint(bytes, to);
      if (field >= 0) row.values[field] = value;
      return !Number.isNaN(value);
    }
    if (wireType === FIXED64 || wireType === FIXED32) {
      this.#at += wireType === FIXED64 ? 8 : 4;
      return this.#at <= to;
    }
    if (wireType !== BYTES) return false;
    const length = this.#varint(bytes, to);
    const start = this.#at;
    if (!(length <= to - start)) return false;
    this.#at += length;
    if (field === F.SOURCE || field === F.DESTINATION)
      return length === 0 || takeAddress(bytes, start, length, row, field);
    if (field === F.EXPORTER && copyAddress(bytes, start, length, this.#exporter, 0))
      row.values[field] = this.#names(this.#exporter);
    return true;
  }

  /** NaN when it does not end; bits above 2^53 lose their last digits, which times in nanoseconds can bear. */
  #varint(bytes: Uint8Array, to: number): number {
    let value = 0;
    let factor = 1;
    for (let k = 0; k < 10 && this.#at < to; k++) {
      const byte = bytes[this.#at++];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
    }
    this.#at = to;
    return Number.NaN;
  }
}

function takeAddress(bytes: Uint8Array, from: number, length: number, row: LogRow, field: number): boolean {
  if (!copyAddress(bytes, from, length, row.addresses, 4 * (field - F.SOURCE))) return false;
  row.values[field] = 1;
  return true;
}

function copyAddress(bytes: Uint8Array, from: number, length: number, words: Int32Array, at: number): boolean {
  if (length !== 4 && length !== 16) return false;
  const word = (i: number): number => (bytes[i] << 24) | (bytes[i + 1] << 16) | (bytes[i + 2] << 8) | bytes[i + 3];
  words[at] = 0;
  words[at + 1] = 0;
  words[at + 2] = IPV4_WORD_2;
  for (let k = 0; k < length; k += 4) words[at + 4 - (length - k) / 4] = word(from + k);
  return true;
}

const ZERO_IS_NOTHING = [F.IN_IF, F.OUT_IF, F.SOURCE_AS, F.DESTINATION_AS, F.SOURCE_MAC, F.DESTINATION_MAC, F.VLAN];
/** Times are told by their size: seconds, or nanoseconds. */
const NANOSECONDS = 1e15;

function finish(row: LogRow): boolean {
  const { values } = row;
  if (!(row.has(F.SOURCE) && row.has(F.DESTINATION))) return false;
  const received = values[F.HISTORY];
  values[F.HISTORY] = Number.NaN;
  if (!(values[F.START] > 0)) values[F.START] = values[F.END] > 0 ? values[F.END] : received;
  if (!(values[F.END] > 0)) values[F.END] = values[F.START];
  for (const field of [F.START, F.END])
    values[field] = values[field] > NANOSECONDS ? Math.floor(values[field] / 1e3) : values[field] * 1e6;
  for (const field of ZERO_IS_NOTHING) if (values[field] === 0) values[field] = Number.NaN;
  for (const field of [F.SOURCE_PORT, F.DESTINATION_PORT, F.PROTOCOL])
    if (Number.isNaN(values[field])) values[field] = 0;
  return true;
}
