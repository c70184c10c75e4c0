import { BAD, type Dialect, type Verdict } from './dialect.ts';
import * as F from './fields.ts';
import { column } from './fields.ts';
import type { LogRow } from './log-row.ts';

/**
 * AWS VPC flow logs (docs.aws.amazon.com/vpc, "Flow log records"), versions 2 to 8 in the order of the header line. A row
 * is one direction; times are whole seconds. `srcaddr` and `dstaddr` are those of the network interface; the packet's own
 * (`pkt-srcaddr`) stand in for them when they are missing.
 */
export const vpc: Dialect = {
  name: 'vpc',
  columns: {
    'interface-id': column(F.EXPORTER, F.NAME),
    srcaddr: column(F.SOURCE, F.ADDRESS),
    dstaddr: column(F.DESTINATION, F.ADDRESS),
    'pkt-srcaddr': column(F.OUTER_SOURCE, F.ADDRESS),
    'pkt-dstaddr': column(F.OUTER_DESTINATION, F.ADDRESS),
    srcport: column(F.SOURCE_PORT, F.PORT),
    dstport: column(F.DESTINATION_PORT, F.PORT),
    protocol: column(F.PROTOCOL, F.PROTOCOL_NAME),
    packets: column(F.PACKETS, F.COUNT),
    bytes: column(F.OCTETS, F.COUNT),
    start: column(F.START, F.TIME),
    end: column(F.END, F.TIME),
    'tcp-flags': column(F.FLAGS, F.FLAG_LETTERS),
    action: column(F.STATE, F.WORD, { words: ['ACCEPT', 'REJECT'] }),
    'log-status': column(F.KIND, F.WORD, { words: ['OK', 'NODATA', 'SKIPDATA'] }),
  },
  finish,
};

/** The format of a log without a header line. */
export const VPC_DEFAULT =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status';

function finish(row: LogRow): Verdict {
  const { values, addresses } = row;
  if (values[F.KIND] > 0) return values[F.KIND] === 1 ? 'no_data' : 'skipped_data';
  if (!row.has(F.SOURCE)) {
    values[F.SOURCE] = values[F.OUTER_SOURCE];
    values[F.DESTINATION] = values[F.OUTER_DESTINATION];
    addresses.copyWithin(0, 8, 16);
  }
  values[F.OUTER_SOURCE] = Number.NaN;
  values[F.REFUSED] = values[F.STATE];
  if (values[F.PROTOCOL] === 1 || values[F.PROTOCOL] === 58) values[F.DESTINATION_PORT] = Number.NaN;
  if (row.has(F.SOURCE) && row.has(F.DESTINATION)) return null;
  return row.has(F.PACKETS) ? BAD : 'no_data';
}
