import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decoder, type Row } from './decode.ts';

const DATA = resolve(import.meta.dirname, '../../../shared/data/netflow-telegraf');

/** telegraf's line protocol: fields of every record, in any order. */
function expectedRecords(folder: string): Record<string, string>[] {
  const lines = readFileSync(join(DATA, folder, 'expected.out'), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => {
    const [, fields] = line.split(' ').length > 2 ? [0, line.slice(line.indexOf(' ') + 1)] : [0, line.split(' ')[1]];
    return Object.fromEntries(
      [...fields.matchAll(/(\w+)=("[^"]*"|[^,\s]+)/g)].map(([, name, value]) => [name, value.replace(/^"|"$|u$/g, '')]),
    );
  });
}

const PROTOCOLS: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp' };
const REASONS: Readonly<Record<number, string>> = {
  1: 'idle timeout',
  2: 'active timeout',
  3: 'end of flow',
  4: 'forced end',
};
const hex = (value: unknown, bytes: number): string =>
  `0x${Number(value)
    .toString(16)
    .padStart(2 * bytes, '0')}`;
const ms = (text: unknown): string => String(Date.parse(String(text)));

/** Our row in telegraf's words, as far as it has a word for it. */
function inTheirWords({ flow, elements }: Row): Record<string, string> {
  const words: Record<string, string> = {};
  const put = (name: string, value: unknown): void => {
    if (value !== undefined) words[name] = String(value);
  };
  put('src', flow.sourceAddress);
  put('dst', flow.destinationAddress);
  put('src_port', flow.sourceTransportPort);
  put('dst_port', flow.destinationTransportPort);
  put('protocol', PROTOCOLS[flow.protocolIdentifier ?? -1]);
  put('in_bytes', elements['octetDeltaCount'] ?? elements['ifInOctets']);
  put('in_packets', elements['packetDeltaCount']);
  put('in_total_bytes', elements['octetTotalCount']);
  put('in_total_packets', elements['packetTotalCount']);
  put('flow_end_reason', REASONS[flow.flowEndReason ?? 0]);
  put('src_tos', elements['ipClassOfService'] === undefined ? undefined : hex(elements['ipClassOfService'], 1));
  put('vlan_src', elements['vlanId']);
  for (const [name, element] of [
    ['type_29305_5', 'reverseIpClassOfService'],
    ['type_29305_85', 'reverseOctetTotalCount'],
    ['type_29305_86', 'reversePacketTotalCount'],
    ['type_29305_58', 'reverseVlanId'],
  ] as const) {
    const bytes = name === 'type_29305_5' ? 1 : name === 'type_29305_58' ? 2 : 4;
    put(name, elements[element] === undefined ? undefined : hex(elements[element], bytes));
  }
  for (const id of [21, 40]) {
    const value = elements[`6871:${id}`];
    put(`type_6871_${id}`, value === undefined ? undefined : `0x${value}`);
  }
  const reverse = elements['6871:16424'];
  put('type_6871_rev_40', reverse === undefined ? undefined : `0x${reverse}`);
  put('flow_start_ms', ms(flow.flowStart));
  put('flow_end_ms', ms(flow.flowEnd));
  put('first_switched', elements['flowStartSysUpTime']);
  put('last_switched', elements['flowEndSysUpTime']);
  put('bgp_src_as', elements['bgpSourceAsNumber']);
  put('bgp_dst_as', elements['bgpDestinationAsNumber']);
  put('src_mask', elements['sourceIPv4PrefixLength']);
  put('dst_mask', elements['destinationIPv4PrefixLength']);
  put('in_snmp', elements['ingressInterface'] ?? elements['ifIndex']);
  put('out_snmp', elements['egressInterface']);
  put('next_hop', elements['ipNextHopIPv4Address']);
  put('sampling_interval', elements['samplingInterval']);
  put('engine_type', elements['engineType']);
  put('agent_ip', flow.exporter);
  put('agent_subid', flow.observationDomainId);
  for (const [name, element] of [
    ['in_unicast_packets_total', 'ifInUcastPkts'],
    ['out_unicast_packets_total', 'ifOutUcastPkts'],
    ['in_mcast_packets_total', 'ifInMulticastPkts'],
    ['out_mcast_packets_total', 'ifOutMulticastPkts'],
    ['in_broadcast_packets_total', 'ifInBroadcastPkts'],
    ['out_broadcast_packets_total', 'ifOutBroadcastPkts'],
    ['in_errors', 'ifInErrors'],
    ['out_errors', 'ifOutErrors'],
    ['in_dropped_packets', 'ifInDiscards'],
    ['out_dropped_packets', 'ifOutDiscards'],
    ['in_unknown_protocol', 'ifInUnknownProtos'],
    ['out_bytes', 'ifOutOctets'],
    ['speed', 'ifSpeed'],
    ['interface', 'ifIndex'],
    ['interface_type', 'ifType'],
    ['promiscuous', 'ifPromiscuousMode'],
    ['port_name', 'port_name'],
  ] as const) {
    put(name, elements[element]);
  }
  return words;
}

/** Words that both have and that differ. */
function differences(theirs: Record<string, string>, ours: Record<string, string>): string[] {
  return Object.entries(theirs).flatMap(([name, value]) =>
    name in ours && ours[name] !== value ? [`${name}: ${value} is ${ours[name]}`] : [],
  );
}

describe.skipIf(!existsSync(DATA))('datagrams of telegraf (../shared/data/netflow-telegraf)', () => {
  const folders = existsSync(DATA) ? readdirSync(DATA).filter((name) => name.endsWith('_example')) : [];
  it.each(folders)('%s', (folder) => {
    const { decode, rows } = decoder();
    const files = readdirSync(join(DATA, folder)).filter((name) => name.endsWith('.bin'));
    for (const file of files.sort()) decode(readFileSync(join(DATA, folder, file)));
    const expected = expectedRecords(folder);
    expect(rows.length).toBe(expected.length);
    const words = rows.map(inTheirWords);
    for (const theirs of expected) {
      const best = words.map((ours) => differences(theirs, ours)).sort((a, b) => a.length - b.length)[0];
      expect(best).toEqual([]);
    }
  });
});
