import { BAD, type Dialect, type Verdict } from './dialect.ts';
import * as F from './fields.ts';
import { column } from './fields.ts';
import type { LogRow } from './log-row.ts';

const COMMON = {
  proto: column(F.PROTOCOL, F.PROTOCOL_NAME),
  srcPort: column(F.SOURCE_PORT, F.PORT),
  dstPort: column(F.DESTINATION_PORT, F.PORT),
};
const START = column(F.START, F.TIME);
const END = column(F.END, F.TIME);
const PACKETS = column(F.PACKETS, F.COUNT);
const OCTETS = column(F.OCTETS, F.COUNT);
const R_PACKETS = column(F.R_PACKETS, F.COUNT);
const R_OCTETS = column(F.R_OCTETS, F.COUNT);
const FLAGS = column(F.FLAGS, F.FLAG_LETTERS);
const TOS = column(F.TOS, F.COUNT);
const SOURCE = column(F.SOURCE, F.ADDRESS);
const DESTINATION = column(F.DESTINATION, F.ADDRESS);

/**
 * nfdump's `-o csv` up to 1.7.2 (`ts,te,td,sa,...`), its later columns (`firstSeen,duration,...`, any that `-o csv:fmt`
 * chooses) and `-o csv-fast`. Its times are local time without an offset: they are taken as UTC (`TZ=UTC nfdump ...`).
 */
export const nfdumpCsv: Dialect = {
  name: 'nfdump-csv',
  columns: {
    ts: START,
    te: END,
    td: column(F.DURATION, F.SPAN),
    sa: SOURCE,
    da: DESTINATION,
    sp: column(F.SOURCE_PORT, F.PORT),
    dp: column(F.DESTINATION_PORT, F.PORT),
    pr: column(F.PROTOCOL, F.PROTOCOL_NAME),
    flg: FLAGS,
    stos: TOS,
    ipkt: PACKETS,
    ibyt: OCTETS,
    opkt: R_PACKETS,
    obyt: R_OCTETS,
    in: column(F.IN_IF, F.COUNT),
    out: column(F.OUT_IF, F.COUNT),
    sas: column(F.SOURCE_AS, F.COUNT),
    das: column(F.DESTINATION_AS, F.COUNT),
    svln: column(F.VLAN, F.COUNT),
    ismc: column(F.SOURCE_MAC, F.MAC),
    idmc: column(F.DESTINATION_MAC, F.MAC),
    ra: column(F.EXPORTER, F.NAME),
    ...COMMON,
    firstSeen: START,
    lastSeen: END,
    duration: column(F.DURATION, F.SPAN),
    srcAddr: SOURCE,
    dstAddr: DESTINATION,
    flags: FLAGS,
    tos: TOS,
    srcTos: TOS,
    packets: PACKETS,
    bytes: OCTETS,
    inPackets: PACKETS,
    inBytes: OCTETS,
    outPackets: R_PACKETS,
    outBytes: R_OCTETS,
    icmpTYpe: column(F.ICMP_TYPE, F.COUNT),
    icmpType: column(F.ICMP_TYPE, F.COUNT),
    icmpCode: column(F.ICMP_CODE, F.COUNT),
    input: column(F.IN_IF, F.COUNT),
    output: column(F.OUT_IF, F.COUNT),
    srcAS: column(F.SOURCE_AS, F.COUNT),
    dstAS: column(F.DESTINATION_AS, F.COUNT),
    srcAs: column(F.SOURCE_AS, F.COUNT),
    dstAs: column(F.DESTINATION_AS, F.COUNT),
    srcVlan: column(F.VLAN, F.COUNT),
    inSrcMac: column(F.SOURCE_MAC, F.MAC),
    inDstMac: column(F.DESTINATION_MAC, F.MAC),
    routerIP: column(F.EXPORTER, F.NAME),
    endReason: column(F.STATE, F.WORD, {
      words: ['', 'idle timeout', 'active timeout', 'end of flow', 'forced end', 'lack of resources'],
    }),
  },
  finish,
};

/** nfdump's `-o json` (an array, or objects one after another before 1.6.18) and `-o ndjson`. */
export const nfdumpJson: Dialect = {
  name: 'nfdump-json',
  columns: {
    type: column(F.KIND, F.WORD, { words: ['FLOW'] }),
    t_first: START,
    t_last: END,
    first: START,
    last: END,
    proto: COMMON.proto,
    src4_addr: SOURCE,
    dst4_addr: DESTINATION,
    src6_addr: SOURCE,
    dst6_addr: DESTINATION,
    src_addr: SOURCE,
    dst_addr: DESTINATION,
    src_port: COMMON.srcPort,
    dst_port: COMMON.dstPort,
    icmp_type: column(F.ICMP_TYPE, F.COUNT),
    icmp_code: column(F.ICMP_CODE, F.COUNT),
    tcp_flags: FLAGS,
    src_tos: TOS,
    in_packets: PACKETS,
    in_bytes: OCTETS,
    out_packets: R_PACKETS,
    out_bytes: R_OCTETS,
    input_snmp: column(F.IN_IF, F.COUNT),
    output_snmp: column(F.OUT_IF, F.COUNT),
    src_as: column(F.SOURCE_AS, F.COUNT),
    dst_as: column(F.DESTINATION_AS, F.COUNT),
    src_vlan: column(F.VLAN, F.COUNT),
    in_src_mac: column(F.SOURCE_MAC, F.MAC),
    in_dst_mac: column(F.DESTINATION_MAC, F.MAC),
    ip4_router: column(F.EXPORTER, F.NAME),
    ip6_router: column(F.EXPORTER, F.NAME),
  },
  finish,
};

/** Fields whose 0 only says that the exporter did not give them. */
const NOTHING_AT_ZERO = [F.IN_IF, F.OUT_IF, F.SOURCE_AS, F.DESTINATION_AS, F.VLAN, F.SOURCE_MAC, F.DESTINATION_MAC];

function finish(row: LogRow): Verdict {
  const { values } = row;
  if (values[F.KIND] === -1) return 'event';
  if (!(row.has(F.SOURCE) && row.has(F.DESTINATION))) return row.has(F.PACKETS) ? 'no_address' : BAD;
  if (!(values[F.R_PACKETS] > 0) && !(values[F.R_OCTETS] > 0)) {
    values[F.R_PACKETS] = Number.NaN;
    values[F.R_OCTETS] = Number.NaN;
  }
  if (values[F.STATE] > 0) values[F.END_REASON] = values[F.STATE];
  for (let k = 0; k < NOTHING_AT_ZERO.length; k++) {
    const field = NOTHING_AT_ZERO[k];
    if (values[field] === 0) values[field] = Number.NaN;
  }
  addFraction(row);
  return null;
}

/**
 * The old columns cut both times to seconds but keep the duration's milliseconds: when it disagrees with the whole seconds
 * it is the better of the two, and the end follows from it.
 */
function addFraction({ values }: LogRow): void {
  const [start, end, duration] = [values[F.START], values[F.END], values[F.DURATION]];
  if (start % 1e6 !== 0 || end % 1e6 !== 0 || !(duration % 1e6 > 0)) return;
  if (Math.abs(end - start - duration) < 1e6) values[F.END] = start + duration;
}
