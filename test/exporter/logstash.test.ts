import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decoder } from './decode.ts';

/** Datagrams of 25 vendors with what logstash's codec says of them: counts of all records, values of one or more. */
const DATA = resolve(import.meta.dirname, '../../../shared/data/netflow-logstash');

interface Case {
  context: string;
  packets_in_order: string[];
  expected_event_count: number | null;
  expected_events: { netflow: Record<string, unknown> }[];
}

/** NetFlow's names for IANA's. */
const NAMES: Readonly<Record<string, string>> = {
  ipv4_src_addr: 'sourceIPv4Address',
  ipv4_dst_addr: 'destinationIPv4Address',
  ipv4_next_hop: 'ipNextHopIPv4Address',
  bgp_ipv4_next_hop: 'bgpNextHopIPv4Address',
  ipv4_src_prefix: 'sourceIPv4Prefix',
  input_snmp: 'ingressInterface',
  output_snmp: 'egressInterface',
  in_pkts: 'packetDeltaCount',
  in_bytes: 'octetDeltaCount',
  out_pkts: 'postPacketDeltaCount',
  out_bytes: 'postOctetDeltaCount',
  in_permanent_bytes: 'octetTotalCount',
  l4_src_port: 'sourceTransportPort',
  l4_dst_port: 'destinationTransportPort',
  tcp_flags: 'tcpControlBits',
  protocol: 'protocolIdentifier',
  src_tos: 'ipClassOfService',
  src_as: 'bgpSourceAsNumber',
  dst_as: 'bgpDestinationAsNumber',
  src_mask: 'sourceIPv4PrefixLength',
  dst_mask: 'destinationIPv4PrefixLength',
  direction: 'flowDirection',
  flow_end_reason: 'flowEndReason',
  in_src_mac: 'sourceMacAddress',
  in_dst_mac: 'destinationMacAddress',
  out_src_mac: 'postSourceMacAddress',
  out_dst_mac: 'postDestinationMacAddress',
  src_vlan: 'vlanId',
  dst_vlan: 'postVlanId',
  sampling_algorithm: 'samplingAlgorithm',
  sampling_interval: 'samplingInterval',
  flow_sampler_id: 'samplerId',
  engine_type: 'engineType',
  engine_id: 'engineId',
  scope_system: 'scopeSystem',
  total_bytes_exp: 'exportedOctetTotalCount',
  total_pkts_exp: 'exportedMessageTotalCount',
  total_flows_exp: 'exportedFlowRecordTotalCount',
  flow_active_timeout: 'flowActiveTimeout',
  flow_inactive_timeout: 'flowIdleTimeout',
  ip_protocol_version: 'ipVersion',
  conn_id: 'flowId',
  xlate_src_addr_ipv4: 'postNATSourceIPv4Address',
  xlate_dst_addr_ipv4: 'postNATDestinationIPv4Address',
  xlate_src_port: 'postNAPTSourceTransportPort',
  xlate_dst_port: 'postNAPTDestinationTransportPort',
  rev_flow_delta_bytes: 'responderOctets',
  src_traffic_index: 'srcTrafficIndex',
  dst_traffic_index: 'dstTrafficIndex',
  flows: 'deltaFlowCount',
  ip_dscp: 'ipDiffServCodePoint',
  ipv4_ident: 'fragmentIdentification',
  tcp_src_port: 'tcpSourcePort',
  udp_dst_port: 'udpDestinationPort',
  event_time_msec: 'observationTimeMilliseconds',
  flow_start_msec: 'flowStartMilliseconds',
};

/** Their NAT fields are Cisco's own numbers, ours are hex then. */
const OWN_NUMBERS = new Set(['fw_event', 'fw_ext_event', 'ingress_acl_id', 'egress_acl_id', 'username', 'icmp_type']);

function comparable(value: unknown, found: unknown): unknown {
  if (typeof value === 'number' && typeof found === 'string' && /^\d{4}-/.test(found)) return Date.parse(found);
  if (typeof value === 'number' && typeof found === 'string' && /^[0-9a-f]+$/.test(found))
    return Number.parseInt(found, 16);
  return found;
}

/** Fields of an expected event that the row says otherwise, or not at all although it has a name for them. */
function differences(expected: Record<string, unknown>, elements: Record<string, unknown>): string[] {
  return Object.entries(expected).flatMap(([name, value]) => {
    const ours = NAMES[name] ?? name;
    if (OWN_NUMBERS.has(name) || !(ours in elements)) return [];
    const found = comparable(value, elements[ours]);
    return found === value ? [] : [`${name}: ${value} is ${found}`];
  });
}

/** What a row must have at least to be compared at all. */
function sharesFields(expected: Record<string, unknown>, elements: Record<string, unknown>): boolean {
  return Object.keys(expected).filter((name) => (NAMES[name] ?? name) in elements).length >= 5;
}

describe.skipIf(!existsSync(DATA))('datagrams of 25 vendors (../shared/data/netflow-logstash)', () => {
  const cases: Case[] = existsSync(DATA) ? JSON.parse(readFileSync(join(DATA, 'EXPECTED.json'), 'utf8')) : [];
  it.each(cases.map((one) => [one.context, one] as const))('%s', (_, one) => {
    const { decode, rows, batched } = decoder();
    for (const file of one.packets_in_order) decode(readFileSync(join(DATA, file)));
    if (one.expected_event_count !== null) expect(rows.length).toBe(one.expected_event_count);
    for (const { netflow } of one.expected_events) {
      const candidates = rows.filter((row) => sharesFields(netflow, row.elements));
      const found = candidates.map((row) => differences(netflow, row.elements));
      expect(found.sort((a, b) => a.length - b.length)[0]).toEqual([]);
    }
    expect(batched.waiting).toBe(0);
  });
});
