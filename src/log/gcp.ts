import { BAD, type Dialect, type Verdict } from './dialect.ts';
import * as F from './fields.ts';
import { type Column, column } from './fields.ts';
import type { LogRow } from './log-row.ts';

const COLUMNS: Readonly<Record<string, Column>> = {
  'connection/src_ip': column(F.SOURCE, F.ADDRESS),
  'connection/src_port': column(F.SOURCE_PORT, F.PORT),
  'connection/dest_ip': column(F.DESTINATION, F.ADDRESS),
  'connection/dest_port': column(F.DESTINATION_PORT, F.PORT),
  'connection/protocol': column(F.PROTOCOL, F.PROTOCOL_NAME),
  start_time: column(F.START, F.TIME),
  end_time: column(F.END, F.TIME),
  packets_sent: column(F.PACKETS, F.COUNT),
  bytes_sent: column(F.OCTETS, F.COUNT),
};

/**
 * Google's VPC flow logs (cloud.google.com/vpc/docs/about-flow-logs-records): one direction a record, with 64-bit numbers
 * as texts. A flow between two machines of one network is reported by both (`reporter`).
 */
export const gcp: Dialect = {
  name: 'gcp',
  columns: {
    ...COLUMNS,
    ...Object.fromEntries(Object.entries(COLUMNS).map(([path, own]) => [`jsonPayload/${path}`, own])),
  },
  finish,
};

function finish(row: LogRow): Verdict {
  return row.has(F.SOURCE) && row.has(F.DESTINATION) ? null : BAD;
}
