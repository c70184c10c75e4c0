import type { LineWriter } from '../core/output.ts';
import { formatUs } from '../core/time.ts';
import { formatDuration, formatNumber } from '../core/units.ts';
import { formatFlags, protocolName } from '../model/field.ts';
import type { FlowBatch } from '../model/flow-batch.ts';
import { FLOW_COLUMNS, type FlowObject } from '../model/flow-fields.ts';
import { FlowFormatter } from '../model/flow-json.ts';
import type { Names } from '../model/names.ts';
import { table } from './table.ts';

/** Where flow records go. */
export interface FlowOutput {
  /** @param file the input that the records are of, where it is one */
  write(batch: FlowBatch, file: string | undefined): void;
  end(): void;
}

export type FlowFormat = 'json' | 'csv' | 'table';
export const FLOW_FORMATS: readonly FlowFormat[] = ['json', 'csv', 'table'];

export function createFlowOutput(format: FlowFormat, out: LineWriter, names: Names): FlowOutput {
  if (format === 'json') return new JsonOutput(out, names);
  if (format === 'csv') return new CsvOutput(out, names);
  return new TableOutput(out, names);
}

/** Bytes of lines that are written together. */
const FLUSH_AT = 1 << 16;

class JsonOutput implements FlowOutput {
  readonly #out: LineWriter;
  readonly #format: FlowFormatter;

  constructor(out: LineWriter, names: Names) {
    this.#out = out;
    this.#format = new FlowFormatter(names);
  }

  write(batch: FlowBatch, file: string | undefined): void {
    for (let n = 0; n < batch.length; n++) {
      if (this.#format.jsonLine(batch, n, file) >= FLUSH_AT) this.end();
    }
  }

  end(): void {
    this.#out.bytes(this.#format.takeLines());
  }
}

class CsvOutput implements FlowOutput {
  readonly #out: LineWriter;
  readonly #format: FlowFormatter;

  constructor(out: LineWriter, names: Names) {
    this.#out = out;
    this.#format = new FlowFormatter(names);
    out.line(FLOW_COLUMNS.join(','));
  }

  write(batch: FlowBatch, file: string | undefined): void {
    for (let n = 0; n < batch.length; n++) this.#out.line(this.#format.csv(batch, n, file));
  }

  end(): void {}
}

const HEADER = [
  'start',
  'duration',
  'proto',
  'source',
  '',
  'destination',
  'packets',
  'bytes',
  'back',
  'bytes',
  'flags',
];
/** Records that are aligned together: small captures as one table, large ones without waiting for their end. */
const PAGE = 1000;

/** Aligned columns for people, a page at a time, and a line of totals. */
class TableOutput implements FlowOutput {
  readonly #out: LineWriter;
  readonly #format: FlowFormatter;
  #page: string[][] = [];
  #flows = 0;
  #packets = 0;
  #octets = 0;
  #startUs = Number.POSITIVE_INFINITY;
  #endUs = Number.NEGATIVE_INFINITY;

  constructor(out: LineWriter, names: Names) {
    this.#out = out;
    this.#format = new FlowFormatter(names);
  }

  write(batch: FlowBatch, _file: string | undefined): void {
    for (let n = 0; n < batch.length; n++) {
      const flow = this.#format.object(batch, n);
      this.#add(batch, n, flow);
      this.#page.push(cells(flow, batch.endUs[n] - batch.startUs[n]));
      if (this.#page.length === PAGE) this.#printPage();
    }
  }

  #add(batch: FlowBatch, n: number, flow: FlowObject): void {
    this.#flows++;
    this.#packets += (flow.packetDeltaCount ?? 0) + (flow.reversePacketDeltaCount ?? 0);
    this.#octets += (flow.octetDeltaCount ?? 0) + (flow.reverseOctetDeltaCount ?? 0);
    if (batch.endUs[n] === 0) return;
    this.#startUs = Math.min(this.#startUs, batch.startUs[n]);
    this.#endUs = Math.max(this.#endUs, batch.endUs[n]);
  }

  #printPage(): void {
    for (const line of table(HEADER, this.#page)) this.#out.line(line);
    this.#page = [];
  }

  end(): void {
    if (this.#page.length > 0) this.#printPage();
    const counts = `${this.#flows} flows, ${formatNumber(this.#packets)} packets, ${formatNumber(this.#octets)}B`;
    const span = Number.isFinite(this.#startUs)
      ? `, ${formatDuration(this.#endUs - this.#startUs)} from ${formatUs(this.#startUs)} to ${formatUs(this.#endUs)}`
      : '';
    this.#out.line(`${counts}${span}`);
  }
}

function cells(flow: FlowObject, durationUs: number): string[] {
  const isTcp = flow.tcpControlBits !== undefined;
  return [
    flow.flowStart ?? '-',
    formatDuration(durationUs),
    flow.protocolIdentifier === undefined ? (flow.layers?.at(-1) ?? '-') : protocolName(flow.protocolIdentifier),
    endpoint(flow.sourceAddress ?? flow.sourceMacAddress, flow.sourceTransportPort ?? icmpKind(flow)),
    '->',
    endpoint(flow.destinationAddress ?? flow.destinationMacAddress, flow.destinationTransportPort),
    String(flow.packetDeltaCount ?? '-'),
    String(flow.octetDeltaCount ?? '-'),
    String(flow.reversePacketDeltaCount ?? '-'),
    String(flow.reverseOctetDeltaCount ?? '-'),
    isTcp ? formatFlags((flow.tcpControlBits ?? 0) | (flow.reverseTcpControlBits ?? 0)) : '',
  ];
}

const icmpKind = (flow: FlowObject): string | undefined =>
  flow.icmpType === undefined ? undefined : `${flow.icmpType}.${flow.icmpCode}`;

/** IPv6 addresses stand in brackets before a port (RFC 3986, section 3.2.2). */
function endpoint(address: string | undefined, port: number | string | undefined): string {
  if (address === undefined) return '-';
  if (port === undefined) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
