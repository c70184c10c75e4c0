import { isMapped } from '../model/address.ts';
import {
  BIFLOW,
  ESTABLISHED,
  FIRST,
  type FlowBatch,
  HAS_ICMP,
  HAS_IP,
  HAS_OUTER,
  HAS_PORTS,
  INITIATOR_KNOWN,
  IS_IPV6,
  LAST,
  NO_LAYER2,
  NO_OCTETS,
  NO_PACKETS,
  NO_PROTOCOL,
  UNASKED,
} from '../model/flow-batch.ts';
import type { Names } from '../model/names.ts';
import { readAddress } from './address-text.ts';
import * as F from './fields.ts';
import { protocolNumber } from './protocol-names.ts';
import * as V from './values.ts';
import { BEGAN_WITH_ANSWER, packHistory } from './zeek-history.ts';

const SYN = 2;
const ACK = 16;
const TCP = 6;
const UDP = 17;
const TCP_LETTERS = 0x746370;
const UDP_LETTERS = 0x756470;
const ICMP = 1;
const ICMP6 = 58;
/** Stands in the column when nobody knows the protocol (255 is reserved by IANA). */
const UNKNOWN_PROTOCOL = 255;
const WITH_PORTS = new Uint8Array(256);
for (const protocol of [6, 17, 33, 132, 136]) WITH_PORTS[protocol] = 1;

/** One row of a log while its values come in. It is used again for the next. */
export class LogRow {
  readonly values = new Float64Array(F.FIELD_COUNT);
  readonly addresses = new Int32Array(16);
  /** Exporter of rows that name none. */
  readonly #exporter: number;
  readonly #names: Names;
  readonly #protocols = new Map<string, number>();

  constructor(names: Names, exporter: string | undefined) {
    this.#names = names;
    this.#exporter = exporter === undefined ? 0 : names.exporters.intern(exporter);
    this.reset();
  }

  reset(): void {
    this.values.fill(Number.NaN);
  }

  has(field: number): boolean {
    return !Number.isNaN(this.values[field]);
  }

  /** Takes the text `from <= i < to` as the column's value; false when it is none. */
  put(column: F.Column, bytes: Uint8Array, from: number, to: number): boolean {
    const { field, syntax } = column;
    if (syntax === F.ADDRESS) {
      if (!readAddress(bytes, from, to, this.addresses, 4 * (field - F.SOURCE))) return false;
      this.values[field] = 1;
      return true;
    }
    const value = this.#read(column, syntax, bytes, from, to);
    if (Number.isNaN(value)) return syntax === F.TIME_OR_MASK && isMask(bytes, from, to);
    this.values[field] = value * column.scale;
    return true;
  }

  #read(column: F.Column, syntax: number, bytes: Uint8Array, from: number, to: number): number {
    switch (syntax) {
      case F.COUNT: {
        const count = V.numberOf(bytes, from, to);
        return count >= 0 ? count : Number.NaN;
      }
      case F.TIME:
      case F.TIME_OR_MASK:
        return V.timeToUs(bytes, from, to);
      case F.NANOSECONDS:
        return V.nanosecondsToUs(bytes, from, to);
      case F.SECONDS:
        return V.secondsToUs(bytes, from, to);
      case F.SPAN:
        return V.durationToUs(bytes, from, to);
      case F.PORT:
        return V.portOf(bytes, from, to);
      case F.PROTOCOL_NAME:
        return this.#protocol(bytes, from, to);
      case F.FLAG_LETTERS:
        return V.flagsOf(bytes, from, to);
      case F.FLAG_HEX:
        return V.hexOf(bytes, from, to);
      case F.MAC:
        return V.macOf(bytes, from, to);
      case F.NAME:
        return this.#names.exporters.intern(V.textOf(bytes, from, Math.min(to, from + 255)));
      case F.WORD:
        return wordIndex(column.words, bytes, from, to);
      default:
        return packHistory(bytes, from, to);
    }
  }

  /** A number or a name; an unknown name is -1, not an error. */
  #protocol(bytes: Uint8Array, from: number, to: number): number {
    const number = V.digits(bytes, from, to);
    if (number >= 0) return number <= 255 ? number : Number.NaN;
    if (to - from === 3) {
      const letters = ((bytes[from] | 32) << 16) | ((bytes[from + 1] | 32) << 8) | (bytes[from + 2] | 32);
      if (letters === TCP_LETTERS) return TCP;
      if (letters === UDP_LETTERS) return UDP;
    }
    if (to - from > 64) return -1;
    const name = V.textOf(bytes, from, to);
    let known = this.#protocols.get(name);
    if (known === undefined) {
      known = protocolNumber(name);
      if (this.#protocols.size < 1024) this.#protocols.set(name, known);
    }
    return known;
  }

  /** Writes the row behind the last one of the batch, which has room. */
  commit(batch: FlowBatch): void {
    const row = batch.length++;
    batch.clearRow(row);
    this.#writeTimes(batch, row);
    this.#writeCounts(batch, row);
    batch.meta[row] = FIRST | LAST | this.#writeEnds(batch, row) | this.#directions(batch, row) | this.#absent();
    this.#writeRest(batch, row);
  }

  /** A start and a duration, both ends, or the one that there is. */
  #writeTimes(batch: FlowBatch, row: number): void {
    const { values } = this;
    let [start, end] = [values[F.START], values[F.END]];
    const duration = values[F.DURATION];
    if (Number.isNaN(end)) end = Number.isNaN(duration) ? start : start + duration;
    if (Number.isNaN(start)) start = Number.isNaN(duration) ? end : end - duration;
    if (Number.isNaN(start)) return;
    batch.startUs[row] = Math.min(start, end);
    batch.endUs[row] = Math.max(start, end);
  }

  #writeCounts(batch: FlowBatch, row: number): void {
    const { values } = this;
    const sampling = values[F.SAMPLING];
    const scale = Number.isNaN(sampling) ? 1 : Math.max(sampling, 1);
    batch.packetDeltaCount[row] = scale * orZero(values[F.PACKETS]);
    batch.octetDeltaCount[row] = scale * orZero(values[F.OCTETS]);
    batch.layer2OctetDeltaCount[row] = scale * orZero(values[F.LAYER2]);
    batch.reversePacketDeltaCount[row] = scale * orZero(values[F.R_PACKETS]);
    batch.reverseOctetDeltaCount[row] = scale * orZero(values[F.R_OCTETS]);
    batch.reverseLayer2OctetDeltaCount[row] = scale * orZero(values[F.R_LAYER2]);
    if (!Number.isNaN(sampling)) batch.samplingInterval[row] = sampling;
    batch.tcpControlBits[row] = orZero(values[F.FLAGS]);
    batch.reverseTcpControlBits[row] = orZero(values[F.R_FLAGS]);
  }

  /** Addresses, protocol and ports; the bits of `meta` that tell of them. */
  #writeEnds(batch: FlowBatch, row: number): number {
    const { values, addresses } = this;
    if (!(values[F.SOURCE] === 1 && values[F.DESTINATION] === 1)) return 0;
    for (let k = 0; k < 4; k++) {
      batch.sourceAddress[4 * row + k] = addresses[k];
      batch.destinationAddress[4 * row + k] = addresses[4 + k];
    }
    let meta = HAS_IP;
    const ipv6 = !isMapped(addresses, 0) || !isMapped(addresses, 4);
    if (ipv6) meta |= IS_IPV6;
    if (values[F.OUTER_SOURCE] === 1 && values[F.OUTER_DESTINATION] === 1) {
      for (let k = 0; k < 4; k++) {
        batch.outerSourceAddress[4 * row + k] = addresses[8 + k];
        batch.outerDestinationAddress[4 * row + k] = addresses[12 + k];
      }
      meta |= HAS_OUTER;
    }
    let protocol = values[F.PROTOCOL];
    if (!(protocol >= 0)) {
      batch.protocolIdentifier[row] = UNKNOWN_PROTOCOL;
      return meta | NO_PROTOCOL;
    }
    if (protocol === ICMP && ipv6) protocol = ICMP6;
    batch.protocolIdentifier[row] = protocol;
    if (protocol === ICMP || protocol === ICMP6) return meta | this.#writeIcmp(batch, row);
    if (WITH_PORTS[protocol] === 0 || !(values[F.SOURCE_PORT] < V.ICMP_PORT)) return meta;
    if (!(values[F.DESTINATION_PORT] < V.ICMP_PORT)) return meta;
    batch.sourceTransportPort[row] = values[F.SOURCE_PORT];
    batch.destinationTransportPort[row] = values[F.DESTINATION_PORT];
    return meta | HAS_PORTS;
  }

  /** Type and code have fields of their own or stand in the destination port (NetFlow v9, field 32: type * 256 + code). */
  #writeIcmp(batch: FlowBatch, row: number): number {
    const { values } = this;
    const port = values[F.DESTINATION_PORT];
    const type = values[F.ICMP_TYPE];
    if (!Number.isNaN(type)) batch.icmpTypeCode[row] = ((type & 255) << 8) | (orZero(values[F.ICMP_CODE]) & 255);
    else if (!Number.isNaN(port)) batch.icmpTypeCode[row] = port & 0xffff;
    else return 0;
    return HAS_ICMP;
  }

  /** What the row knows of its two directions. */
  #directions(batch: FlowBatch, row: number): number {
    const { values } = this;
    if (batch.protocolIdentifier[row] === TCP && Number.isNaN(values[F.FLAGS])) return this.#withoutFlags(batch, row);
    if (!(this.has(F.R_PACKETS) || this.has(F.R_OCTETS) || this.has(F.R_LAYER2))) return 0;
    let meta = BIFLOW;
    if (values[F.OPENER] === 1) meta |= INITIATOR_KNOWN;
    if (values[F.HISTORY] >= BEGAN_WITH_ANSWER) meta |= UNASKED;
    const both =
      batch.protocolIdentifier[row] === TCP
        ? (batch.tcpControlBits[row] & batch.reverseTcpControlBits[row] & ACK) !== 0
        : values[F.PACKETS] > 0 && values[F.R_PACKETS] > 0;
    return both ? meta | ESTABLISHED : meta;
  }

  /**
   * TCP of a log that tells no flags is no stray segment: it counts as a connection, unless it was refused, which befalls
   * those who ask, or was not answered.
   */
  #withoutFlags(batch: FlowBatch, row: number): number {
    const { values } = this;
    const isBiflow = this.has(F.R_PACKETS) || this.has(F.R_OCTETS) || this.has(F.R_LAYER2);
    const meta = (isBiflow ? BIFLOW : 0) | (isBiflow && values[F.OPENER] === 1 ? INITIATOR_KNOWN : 0);
    const answered = !isBiflow || values[F.R_PACKETS] > 0 || values[F.R_OCTETS] > 0;
    if (values[F.REFUSED] !== 1 && answered) return meta | ESTABLISHED;
    batch.tcpControlBits[row] = SYN;
    return meta;
  }

  #absent(): number {
    let meta = 0;
    if (!this.has(F.PACKETS)) meta |= NO_PACKETS;
    if (!this.has(F.OCTETS)) meta |= NO_OCTETS;
    if (!this.has(F.LAYER2)) meta |= NO_LAYER2;
    return meta;
  }

  #writeRest(batch: FlowBatch, row: number): void {
    const { values } = this;
    batch.exporter[row] = this.has(F.EXPORTER) ? values[F.EXPORTER] : this.#exporter;
    if (this.has(F.TOS)) batch.ipClassOfService[row] = values[F.TOS];
    if (this.has(F.VLAN)) batch.vlanId[row] = values[F.VLAN];
    if (this.has(F.IN_IF)) batch.ingressInterface[row] = values[F.IN_IF];
    if (this.has(F.OUT_IF)) batch.egressInterface[row] = values[F.OUT_IF];
    if (this.has(F.SOURCE_AS)) batch.sourceAs[row] = values[F.SOURCE_AS];
    if (this.has(F.DESTINATION_AS)) batch.destinationAs[row] = values[F.DESTINATION_AS];
    if (this.has(F.SOURCE_MAC)) batch.sourceMacAddress[row] = values[F.SOURCE_MAC];
    if (this.has(F.DESTINATION_MAC)) batch.destinationMacAddress[row] = values[F.DESTINATION_MAC];
    if (this.has(F.DOMAIN)) batch.observationDomainId[row] = values[F.DOMAIN];
    if (this.has(F.END_REASON)) batch.flowEndReason[row] = values[F.END_REASON];
  }
}

function orZero(value: number): number {
  return Number.isNaN(value) ? 0 : value;
}

/** A time that somebody masked: Zeek's own test logs have `XXXXXXXXXX.XXXXXX`. */
function isMask(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== 88 && bytes[i] !== 46) return false;
  return to > from;
}

function wordIndex(words: readonly string[], bytes: Uint8Array, from: number, to: number): number {
  for (let w = 0; w < words.length; w++) if (isWord(words[w], bytes, from, to)) return w;
  return -1;
}

function isWord(word: string, bytes: Uint8Array, from: number, to: number): boolean {
  if (word.length !== to - from) return false;
  for (let i = from; i < to; i++) if (bytes[i] !== word.charCodeAt(i - from)) return false;
  return true;
}
