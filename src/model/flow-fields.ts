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
];

export type FlowField = keyof FlowObject;

/** Takes the fields of a record in their published order; what a record does not have is not told. */
export interface FieldSink {
  number(field: FlowField, value: number): void;
  /** A text that may hold anything. */
  text(field: FlowField, value: string): void;
  /** A text that needs no escape: addresses, times, base64. */
  plain(field: FlowField, value: string): void;
  /** Known to be unknown. */
  unknown(field: FlowField): void;
  /** Header stack by its id and its text, joined by blanks. */
  layers(id: number, text: string): void;
}

/** Header stacks whose JSON is remembered. */
const MOST_STACKS = 4096;

/** The start of each field in a JSON object, comma and colon included. */
const KEYS = Object.fromEntries(FLOW_COLUMNS.map((field) => [field, `,"${field}":`])) as Record<FlowField, string>;

export class JsonSink implements FieldSink {
  #line = '';
  readonly #stacks = new Map<number, string>();

  begin(): void {
    this.#line = '';
  }

  end(): string {
    return `{${this.#line.slice(1)}}`;
  }

  number(field: FlowField, value: number): void {
    this.#line += KEYS[field] + value;
  }

  text(field: FlowField, value: string): void {
    this.#line += KEYS[field] + JSON.stringify(value);
  }

  plain(field: FlowField, value: string): void {
    this.#line += `${KEYS[field]}"${value}"`;
  }

  unknown(field: FlowField): void {
    this.#line += `${KEYS[field]}null`;
  }

  layers(id: number, text: string): void {
    let stack = this.#stacks.get(id);
    if (stack === undefined) {
      if (this.#stacks.size === MOST_STACKS) this.#stacks.clear();
      stack = JSON.stringify(text.split(' '));
      this.#stacks.set(id, stack);
    }
    this.#line += KEYS.layers + stack;
  }
}

export class ObjectSink implements FieldSink {
  readonly flow: Partial<Record<FlowField, unknown>> = {};

  number(field: FlowField, value: number): void {
    this.flow[field] = value;
  }

  text(field: FlowField, value: string): void {
    this.flow[field] = value;
  }

  plain(field: FlowField, value: string): void {
    this.flow[field] = value;
  }

  unknown(field: FlowField): void {
    this.flow[field] = null;
  }

  layers(_id: number, text: string): void {
    this.flow.layers = text.split(' ');
  }
}

const COLUMN_INDEX = Object.fromEntries(FLOW_COLUMNS.map((field, at) => [field, at])) as Record<FlowField, number>;

export class CsvSink implements FieldSink {
  readonly cells: string[] = new Array(FLOW_COLUMNS.length).fill('');

  number(field: FlowField, value: number): void {
    this.cells[COLUMN_INDEX[field]] = String(value);
  }

  text(field: FlowField, value: string): void {
    this.cells[COLUMN_INDEX[field]] = /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
  }

  plain(field: FlowField, value: string): void {
    this.cells[COLUMN_INDEX[field]] = value;
  }

  unknown(_field: FlowField): void {}

  layers(_id: number, text: string): void {
    this.cells[COLUMN_INDEX.layers] = text;
  }
}
