import { BAD, type Dialect, type Verdict } from './dialect.ts';
import * as F from './fields.ts';
import { column } from './fields.ts';
import type { LogRow } from './log-row.ts';

/** Columns by GoFlow2's names since version 2 (`-format json`). */
const SNAKE = {
  sampler_address: column(F.EXPORTER, F.NAME),
  observation_domain_id: column(F.DOMAIN, F.COUNT),
  sampling_rate: column(F.SAMPLING, F.COUNT),
  time_received_ns: column(F.HISTORY, F.NANOSECONDS),
  time_flow_start_ns: column(F.START, F.NANOSECONDS),
  time_flow_end_ns: column(F.END, F.NANOSECONDS),
  bytes: column(F.OCTETS, F.COUNT),
  packets: column(F.PACKETS, F.COUNT),
  src_addr: column(F.SOURCE, F.ADDRESS),
  dst_addr: column(F.DESTINATION, F.ADDRESS),
  proto: column(F.PROTOCOL, F.PROTOCOL_NAME),
  src_port: column(F.SOURCE_PORT, F.PORT),
  dst_port: column(F.DESTINATION_PORT, F.PORT),
  in_if: column(F.IN_IF, F.COUNT),
  out_if: column(F.OUT_IF, F.COUNT),
  src_mac: column(F.SOURCE_MAC, F.MAC),
  dst_mac: column(F.DESTINATION_MAC, F.MAC),
  src_vlan: column(F.STATE, F.COUNT),
  vlan_id: column(F.VLAN, F.COUNT),
  ip_tos: column(F.TOS, F.COUNT),
  tcp_flags: column(F.FLAGS, F.FLAG_LETTERS),
  icmp_type: column(F.ICMP_TYPE, F.COUNT),
  icmp_code: column(F.ICMP_CODE, F.COUNT),
  src_as: column(F.SOURCE_AS, F.COUNT),
  dst_as: column(F.DESTINATION_AS, F.COUNT),
} as const;

/** Version 1 wrote the names of its protobuf fields, with times in seconds or milliseconds. */
const CAMEL = {
  SamplerAddress: SNAKE.sampler_address,
  ObservationDomainID: SNAKE.observation_domain_id,
  SamplingRate: SNAKE.sampling_rate,
  TimeReceived: column(F.HISTORY, F.TIME),
  TimeFlowStart: column(F.START, F.TIME),
  TimeFlowEnd: column(F.END, F.TIME),
  TimeFlowStartMs: column(F.START, F.TIME),
  TimeFlowEndMs: column(F.END, F.TIME),
  TimeFlowStartNs: column(F.START, F.NANOSECONDS),
  TimeFlowEndNs: column(F.END, F.NANOSECONDS),
  Bytes: SNAKE.bytes,
  Packets: SNAKE.packets,
  SrcAddr: SNAKE.src_addr,
  DstAddr: SNAKE.dst_addr,
  Proto: SNAKE.proto,
  SrcPort: SNAKE.src_port,
  DstPort: SNAKE.dst_port,
  InIf: SNAKE.in_if,
  OutIf: SNAKE.out_if,
  SrcMac: SNAKE.src_mac,
  DstMac: SNAKE.dst_mac,
  SrcVlan: SNAKE.src_vlan,
  VlanId: SNAKE.vlan_id,
  IPTos: SNAKE.ip_tos,
  TCPFlags: SNAKE.tcp_flags,
  IcmpType: SNAKE.icmp_type,
  IcmpCode: SNAKE.icmp_code,
  SrcAS: SNAKE.src_as,
  DstAS: SNAKE.dst_as,
} as const;

/** GoFlow2's JSON, one message a line. Counts are as the exporter sampled them; a rate of 0 is one that nobody knows. */
export const goflow2: Dialect = { name: 'goflow2', columns: { ...SNAKE, ...CAMEL }, finish };

const NOTHING_AT_ZERO = [F.VLAN, F.SOURCE_MAC, F.DESTINATION_MAC, F.SOURCE_AS, F.DESTINATION_AS, F.IN_IF, F.OUT_IF];

function finish(row: LogRow): Verdict {
  const { values } = row;
  if (!(row.has(F.SOURCE) && row.has(F.DESTINATION)))
    return row.has(F.PACKETS) || row.has(F.OCTETS) ? 'no_address' : BAD;
  const received = values[F.HISTORY];
  values[F.HISTORY] = Number.NaN;
  if (!(values[F.START] > 0)) values[F.START] = values[F.END] > 0 ? values[F.END] : received;
  if (!(values[F.END] > 0)) values[F.END] = values[F.START];
  if (!(values[F.VLAN] > 0)) values[F.VLAN] = values[F.STATE];
  for (let k = 0; k < NOTHING_AT_ZERO.length; k++) {
    const field = NOTHING_AT_ZERO[k];
    if (values[field] === 0) values[field] = Number.NaN;
  }
  return null;
}
