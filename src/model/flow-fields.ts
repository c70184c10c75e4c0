import { communityText } from './community-id.ts';
import type { TextCache } from './text-cache.ts';

/** A flow record as `weir flows --json` prints it. What a record does not have is not there. */
export interface FlowObject {
  file?: string;
  flowStart?: string;
  flowEnd?: string;
  sourceAddress?: string;
  destinationAddress?: string;
  sourceTransportPort?: number;
  destinationTransportPort?: number;
  protocolIdentifier?: number;
  icmpType?: number;
  icmpCode?: number;
  packetDeltaCount?: number;
  octetDeltaCount?: number;
  layer2OctetDeltaCount?: number;
  reversePacketDeltaCount?: number;
  reverseOctetDeltaCount?: number;
  reverseLayer2OctetDeltaCount?: number;
  tcpControlBits?: number;
  reverseTcpControlBits?: number;
  vlanId?: number;
  ingressInterface?: number;
  egressInterface?: number;
  ipClassOfService?: number;
  flowEndReason?: number;
  communityId?: string;
  exporter?: string;
  observationDomainId?: number;
  /** Null where the exporter sampled and nobody knows how much. */
  samplingInterval?: number | null;
  layers?: string[];
  outerSourceAddress?: string;
  outerDestinationAddress?: string;
  sourceMacAddress?: string;
  destinationMacAddress?: string;
  bgpSourceAsNumber?: number;
  bgpDestinationAsNumber?: number;
  dnsQueryName?: string;
  dnsQueryType?: number;
  tlsServerName?: string;
  /** Half the 95 % interval of counts that are estimates from sampled packets, as a share of them. */
  relativeError?: number;
}

/** Columns of `--format csv`, in order. */
export const FLOW_COLUMNS: readonly (keyof FlowObject)[] = [
  'file',
  'flowStart',
  'flowEnd',
  'sourceAddress',
  'destinationAddress',
  'sourceTransportPort',
  'destinationTransportPort',
  'protocolIdentifier',
  'icmpType',
  'icmpCode',
  'packetDeltaCount',
  'octetDeltaCount',
  'layer2OctetDeltaCount',
  'reversePacketDeltaCount',
  'reverseOctetDeltaCount',
  'reverseLayer2OctetDeltaCount',
  'tcpControlBits',
  'reverseTcpControlBits',
  'vlanId',
  'ingressInterface',
  'egressInterface',
  'ipClassOfService',
  'flowEndReason',
  'communityId',
  'exporter',
  'observationDomainId',
  'samplingInterval',
  'layers',
  'outerSourceAddress',
  'outerDestinationAddress',
  'sourceMacAddress',
  'destinationMacAddress',
  'bgpSourceAsNumber',
  'bgpDestinationAsNumber',
  'dnsQueryName',
  'dnsQueryType',
  'tlsServerName',
  'relativeError',
];

export type FlowField = keyof FlowObject;

/** Takes the fields of a record in their published order; what a record does not have is not told. */
export interface FieldSink {
  number(field: FlowField, value: number): void;
  /** A text that may hold anything. */
  text(field: FlowField, value: string): void;
  /** Microseconds since the epoch. */
  time(field: FlowField, us: number): void;
  /** Four words (`address.ts`). */
  address(field: FlowField, words: Int32Array, at: number): void;
  /** 48 bits. */
  mac(field: FlowField, mac: number): void;
  /** Five words of SHA-1. */
  communityId(digest: Int32Array): void;
  /** Known to be unknown. */
  unknown(field: FlowField): void;
  /** Header stack by its id and its text, joined by blanks. */
  layers(id: number, text: string): void;
}

/** Sinks that keep texts: one method a kind of field, all but numbers through `put`. */
abstract class TextSink implements FieldSink {
  readonly #texts: TextCache;

  constructor(texts: TextCache) {
    this.#texts = texts;
  }

  protected abstract put(field: FlowField, value: unknown): void;

  number(field: FlowField, value: number): void {
    this.put(field, value);
  }

  text(field: FlowField, value: string): void {
    this.put(field, value);
  }

  time(field: FlowField, us: number): void {
    this.put(field, this.#texts.time(us));
  }

  address(field: FlowField, words: Int32Array, at: number): void {
    this.put(field, this.#texts.address(words, at));
  }

  mac(field: FlowField, mac: number): void {
    this.put(field, this.#texts.mac(mac));
  }

  communityId(digest: Int32Array): void {
    this.put('communityId', communityText(digest));
  }

  unknown(field: FlowField): void {
    this.put(field, null);
  }

  layers(_id: number, text: string): void {
    this.put('layers', text.split(' '));
  }
}

export class ObjectSink extends TextSink {
  readonly flow: Partial<Record<FlowField, unknown>> = {};

  protected put(field: FlowField, value: unknown): void {
    this.flow[field] = value;
  }
}

const COLUMN_INDEX = Object.fromEntries(FLOW_COLUMNS.map((field, at) => [field, at])) as Record<FlowField, number>;

export class CsvSink extends TextSink {
  readonly cells: string[] = new Array(FLOW_COLUMNS.length).fill('');

  protected put(field: FlowField, value: unknown): void {
    const text = Array.isArray(value) ? value.join(' ') : String(value ?? '');
    this.cells[COLUMN_INDEX[field]] = /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }
}
