import { icmpCounterpart } from '../model/icmp-pairs.ts';
import { BAD, type Dialect, type Verdict } from './dialect.ts';
import * as F from './fields.ts';
import { column } from './fields.ts';
import type { LogRow } from './log-row.ts';
import { CONN_STATES, STATE_FLAGS } from './zeek-history.ts';

const ICMP = 1;
const ICMP6 = 58;

const ENDS: Record<string, F.Column> = {
  orig_h: column(F.SOURCE, F.ADDRESS),
  orig_p: column(F.SOURCE_PORT, F.PORT),
  resp_h: column(F.DESTINATION, F.ADDRESS),
  resp_p: column(F.DESTINATION_PORT, F.PORT),
};
/** In JSON the record `id` is flat (`id.orig_h`) or an object of its own; some stores allow no dots in names. */
const IDS = Object.fromEntries(
  Object.entries(ENDS).flatMap(([name, own]) => [
    [`id.${name}`, own],
    [`id/${name}`, own],
    [`id_${name}`, own],
  ]),
);

/**
 * Zeek's conn.log (docs.zeek.org, `Conn::Info`). `orig_pkts`, `orig_ip_bytes` are the forward direction, `resp_...` the
 * reverse one. The bytes are those of IP packets, so there are no layer 2 counts.
 */
export const zeek: Dialect = {
  name: 'zeek',
  unset: ['-', '(empty)'],
  columns: {
    ...IDS,
    ts: column(F.START, F.TIME_OR_MASK),
    duration: column(F.DURATION, F.SECONDS),
    proto: column(F.PROTOCOL, F.PROTOCOL_NAME),
    ip_proto: column(F.DOMAIN, F.COUNT),
    conn_state: column(F.STATE, F.WORD, { words: CONN_STATES }),
    history: column(F.HISTORY, F.HISTORY_LETTERS),
    orig_pkts: column(F.PACKETS, F.COUNT),
    orig_ip_bytes: column(F.OCTETS, F.COUNT),
    resp_pkts: column(F.R_PACKETS, F.COUNT),
    resp_ip_bytes: column(F.R_OCTETS, F.COUNT),
    vlan: column(F.VLAN, F.COUNT),
    orig_l2_addr: column(F.SOURCE_MAC, F.MAC),
    resp_l2_addr: column(F.DESTINATION_MAC, F.MAC),
    _path: column(F.KIND, F.WORD, { words: ['conn'] }),
  },
  finish,
};

function finish(row: LogRow): Verdict {
  const { values } = row;
  if (values[F.KIND] === -1) return 'other_log';
  if (!(row.has(F.SOURCE) && row.has(F.DESTINATION))) return BAD;
  if (row.has(F.DOMAIN)) values[F.PROTOCOL] = values[F.DOMAIN] <= 255 ? values[F.DOMAIN] : -1;
  values[F.DOMAIN] = Number.NaN;
  values[F.OPENER] = 1;
  giveFlags(row);
  if (values[F.PROTOCOL] === ICMP || values[F.PROTOCOL] === ICMP6) giveIcmp(row);
  return null;
}

function giveFlags({ values }: LogRow): void {
  if (Number.isNaN(values[F.HISTORY]) && values[F.STATE] >= 0) values[F.HISTORY] = STATE_FLAGS[values[F.STATE]];
  const packed = values[F.HISTORY];
  if (Number.isNaN(packed)) return;
  values[F.FLAGS] = packed & 255;
  values[F.R_FLAGS] = (packed >>> 8) & 255;
}

/** Ports of ICMP are the type, and the code or the type of the answer that belongs to it. */
function giveIcmp(row: LogRow): void {
  const { values, addresses } = row;
  const type = values[F.SOURCE_PORT];
  if (Number.isNaN(type)) return;
  const ipv6 = values[F.PROTOCOL] === ICMP6 || addresses[2] !== 0xffff;
  values[F.ICMP_TYPE] = type;
  values[F.ICMP_CODE] = icmpCounterpart(type, ipv6) >= 0 ? 0 : values[F.DESTINATION_PORT];
}
