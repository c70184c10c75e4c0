import { extname } from 'node:path';
import { WeirError } from '../core/errors.ts';
import type { LineWriter } from '../core/output.ts';
import { formatUs } from '../core/time.ts';
import { formatDuration, formatNumber } from '../core/units.ts';
import { formatFlags, protocolName } from '../model/field.ts';
import { createFlowBatch, type FlowBatch } from '../model/flow-batch.ts';
import { FLOW_COLUMNS, type FlowObject } from '../model/flow-fields.ts';
import { FlowFormatter } from '../model/flow-json.ts';
import type { Names } from '../model/names.ts';
import type { RecordFilter } from '../window/window.ts';
import { IpfixOutput } from './ipfix-output.ts';
import { JsonOutput } from './json-output.ts';
import { NfdumpOutput } from './nfdump-output.ts';
import { table } from './table.ts';

/** Where flow records go. */
export interface FlowOutput {
  /** @param file the input that the records are of, where it is one */
  write(batch: FlowBatch, file: string | undefined): void;
  end(): void | Promise<void>;
}

/** `nfdump` is the CSV that `nfdump -o csv` prints. */
export type FlowFormat = 'json' | 'csv' | 'parquet' | 'ipfix' | 'nfdump' | 'table';
export const FLOW_FORMATS: readonly FlowFormat[] = ['json', 'csv', 'parquet', 'ipfix', 'nfdump', 'table'];
const ENDINGS: Readonly<Record<string, FlowFormat>> = {
  '.json': 'json',
  '.ndjson': 'json',
  '.jsonl': 'json',
  '.csv': 'csv',
  '.parquet': 'parquet',
  '.ipfix': 'ipfix',
  '.nfdump': 'nfdump',
};

/** The format of a file by its ending. */
export function formatOfFile(path: string): FlowFormat | undefined {
  return ENDINGS[extname(path)];
}

/** Formats that bring a database are loaded only when they are asked for. @param path the file that `out` writes to, null for standard output */
export async function createFlowOutput(
  format: FlowFormat,
  out: LineWriter,
  names: Names,
  path: string | null,
): Promise<FlowOutput> {
  switch (format) {
    case 'json':
      return new JsonOutput(out, names);
    case 'csv':
      return new CsvOutput(out, names);
    case 'ipfix':
      return new IpfixOutput(out, names);
    case 'nfdump':
      return new NfdumpOutput(out, names);
    case 'parquet':
      return new (await import('./parquet-output.ts')).ParquetOutput(requirePath(path), names);
    case 'table':
      return new TableOutput(out, names);
  }
}

function requirePath(path: string | null): string {
  if (path !== null) return path;
  throw new WeirError('usage.output', 'parquet needs a file to write to', { hint: '--output flows.parquet' });
}

/** Records that are handed on together. */
const FILTERED_ROWS = 1024;

/** Lets those records through that a condition chooses. */
export class FilteredOutput implements FlowOutput {
  readonly #to: FlowOutput;
  readonly #filter: RecordFilter;
  readonly #chosen = createFlowBatch(FILTERED_ROWS);

  constructor(to: FlowOutput, filter: RecordFilter) {
    this.#to = to;
    this.#filter = filter;
  }

  write(batch: FlowBatch, file: string | undefined): void {
    const chosen = this.#chosen;
    this.#filter.each(batch, (row) => {
      chosen.copyRow(chosen.length++, batch, row);
      if (chosen.length === chosen.capacity) this.#give(file);
    });
    this.#give(file);
  }

  #give(file: string | undefined): void {
    if (this.#chosen.length > 0) this.#to.write(this.#chosen, file);
    this.#chosen.length = 0;
  }

  end(): void | Promise<void> {
    return this.#to.end();
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
