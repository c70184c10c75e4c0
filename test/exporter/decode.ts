import { Metrics } from '../../src/core/metrics.ts';
import { Decoder } from '../../src/decode/decode.ts';
import { type Elements, ExporterDecoder, type ExporterOptions, type RecordKind } from '../../src/exporter/exporter.ts';
import type { FlowBatch } from '../../src/model/flow-batch.ts';
import type { FlowObject } from '../../src/model/flow-fields.ts';
import { FlowFormatter } from '../../src/model/flow-json.ts';
import { Names } from '../../src/model/names.ts';

export interface Row {
  kind: RecordKind;
  flow: FlowObject;
  elements: Elements;
}

/** A decoder that keeps every row: with elements, and beside it one that gives batches, as the daemon has it. */
export function decoder(options: Partial<ExporterOptions> = {}) {
  const names = new Names();
  const metrics = new Metrics();
  const rows: Row[] = [];
  const flows: FlowObject[] = [];
  const format = new FlowFormatter(names);
  const frames = new Decoder({ names }, { metrics: new Metrics() });
  const told = new ExporterDecoder(
    { names, frames, ...options },
    {
      metrics: new Metrics(),
      onFlows: () => {},
      onRecord: (kind, batch, row, elements) => rows.push({ kind, flow: format.object(batch, row), elements }),
    },
  );
  const batched = new ExporterDecoder(
    { names, frames, ...options },
    {
      metrics,
      onFlows: (batch: FlowBatch) => {
        for (let n = 0; n < batch.length; n++) flows.push(format.object(batch, n));
      },
    },
  );
  const decode = (data: Uint8Array, receivedUs = Number.NaN, address = '192.0.2.1', port = 9995): boolean => {
    const isOurs = batched.decode(data, 0, data.length, address, port, receivedUs);
    batched.flush();
    told.decode(data, 0, data.length, address, port, receivedUs);
    return isOurs;
  };
  return { decode, rows, flows, metrics, batched, told, names };
}

/** Bytes from numbers: `[bytes, value]` a field, big-endian. */
export function bytesOf(fields: readonly (readonly [number, number])[]): Uint8Array {
  const out: number[] = [];
  for (const [length, value] of fields) {
    for (let i = length - 1; i >= 0; i--) out.push(Math.floor(value / 256 ** i) % 256);
  }
  return Uint8Array.from(out);
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** A set of v9 or IPFIX: id, length and what it holds. */
export function set(id: number, ...parts: Uint8Array[]): Uint8Array {
  const body = concat(...parts);
  return concat(
    bytesOf([
      [2, id],
      [2, body.length + 4],
    ]),
    body,
  );
}

/** A template record: id, then `[element, length]` or `[element, length, PEN]`. */
export function templateRecord(id: number, fields: readonly (readonly number[])[]): Uint8Array {
  const specifiers = fields.map(([element, length, pen]) =>
    pen === undefined
      ? bytesOf([
          [2, element],
          [2, length],
        ])
      : bytesOf([
          [2, element | 0x8000],
          [2, length],
          [4, pen],
        ]),
  );
  return concat(
    bytesOf([
      [2, id],
      [2, fields.length],
    ]),
    ...specifiers,
  );
}

export function ipfix(sequence: number, domain: number, ...sets: Uint8Array[]): Uint8Array {
  const body = concat(...sets);
  return concat(
    bytesOf([
      [2, 10],
      [2, 16 + body.length],
      [4, EXPORT_TIME],
      [4, sequence],
      [4, domain],
    ]),
    body,
  );
}

export function netflow9(sequence: number, source: number, uptimeMs: number, ...sets: Uint8Array[]): Uint8Array {
  return concat(
    bytesOf([
      [2, 9],
      [2, sets.length],
      [4, uptimeMs],
      [4, EXPORT_TIME],
      [4, sequence],
      [4, source],
    ]),
    ...sets,
  );
}

/** 2020-09-13T12:26:40Z. */
export const EXPORT_TIME = 1_600_000_000;

/** A template of both addresses, octets and packets, a record of it, and the datagrams that bring them. */
export const V4 = [
  [8, 4],
  [12, 4],
  [1, 4],
  [2, 4],
] as const;
export const record = (octets: number): Uint8Array =>
  bytesOf([
    [4, 1],
    [4, 2],
    [4, octets],
    [4, 1],
  ]);
export const template = ipfix(0, 1, set(2, templateRecord(256, V4)));
export const data = (octets: number): Uint8Array => ipfix(0, 1, set(256, record(octets)));
