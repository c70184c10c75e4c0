import type { Dialect, Verdict } from './dialect.ts';
import { BAD } from './dialect.ts';
import * as F from './fields.ts';
import { column } from './fields.ts';
import type { LogRow } from './log-row.ts';

const FLOW = 0;
const NETFLOW = 1;
const ALERT = 2;

/**
 * Suricata's EVE JSON (docs.suricata.io, "Eve JSON Format"): `flow` events are biflows, `netflow` events one direction
 * each. Both tell of the same traffic, so of a log with both only the kind that comes first is taken. `alert` events tell
 * of traffic that a flow event counts as well: they give no row. Suricata counts the bytes of whole frames.
 */
export function eve(): Dialect {
  let taken = -1;
  const finish = (row: LogRow): Verdict => {
    const kind = row.values[F.KIND];
    if (kind === ALERT) return 'alert';
    if (kind !== FLOW && kind !== NETFLOW) return Number.isNaN(kind) ? BAD : 'other_event';
    if (taken < 0) taken = kind;
    if (kind !== taken) return 'second_count';
    return finishFlow(row);
  };
  return { name: 'eve', columns: COLUMNS, finish };
}

const COLUMNS = {
  event_type: column(F.KIND, F.WORD, { words: ['flow', 'netflow', 'alert'] }),
  timestamp: column(F.HISTORY, F.TIME),
  src_ip: column(F.SOURCE, F.ADDRESS),
  src_port: column(F.SOURCE_PORT, F.PORT),
  dest_ip: column(F.DESTINATION, F.ADDRESS),
  dest_port: column(F.DESTINATION_PORT, F.PORT),
  proto: column(F.PROTOCOL, F.PROTOCOL_NAME),
  icmp_type: column(F.ICMP_TYPE, F.COUNT),
  icmp_code: column(F.ICMP_CODE, F.COUNT),
  vlan: column(F.VLAN, F.COUNT),
  'flow/pkts_toserver': column(F.PACKETS, F.COUNT),
  'flow/bytes_toserver': column(F.OCTETS, F.COUNT),
  'flow/pkts_toclient': column(F.R_PACKETS, F.COUNT),
  'flow/bytes_toclient': column(F.R_OCTETS, F.COUNT),
  'flow/start': column(F.START, F.TIME),
  'flow/end': column(F.END, F.TIME),
  'netflow/pkts': column(F.PACKETS, F.COUNT),
  'netflow/bytes': column(F.OCTETS, F.COUNT),
  'netflow/start': column(F.START, F.TIME),
  'netflow/end': column(F.END, F.TIME),
  'tcp/tcp_flags': column(F.STATE, F.FLAG_HEX),
  'tcp/tcp_flags_ts': column(F.FLAGS, F.FLAG_HEX),
  'tcp/tcp_flags_tc': column(F.R_FLAGS, F.FLAG_HEX),
  'ether/src_macs': column(F.SOURCE_MAC, F.MAC),
  'ether/dest_macs': column(F.DESTINATION_MAC, F.MAC),
} as const;

function finishFlow(row: LogRow): Verdict {
  const { values } = row;
  if (!(row.has(F.SOURCE) && row.has(F.DESTINATION))) return row.has(F.PACKETS) ? 'no_address' : BAD;
  if (!row.has(F.START)) values[F.START] = values[F.HISTORY];
  values[F.HISTORY] = Number.NaN;
  if (!row.has(F.FLAGS) && row.has(F.STATE)) values[F.FLAGS] = values[F.STATE];
  values[F.LAYER2] = values[F.OCTETS];
  values[F.R_LAYER2] = values[F.R_OCTETS];
  values[F.OPENER] = 1;
  return null;
}
