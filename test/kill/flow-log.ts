import { join } from 'node:path';
import { jsonLines, weir } from '../support/cli.ts';
import { ROOT } from '../support/replay.ts';
import { FIXTURES } from './rotated-set.ts';

interface Row {
  flowStart: string;
  flowEnd: string;
  sourceAddress?: string;
  destinationAddress?: string;
  sourceTransportPort?: number;
  destinationTransportPort?: number;
  protocolIdentifier?: number;
  packetDeltaCount: number;
  octetDeltaCount: number;
  reversePacketDeltaCount?: number;
  reverseOctetDeltaCount?: number;
}

const PROTOCOLS: Record<number, string> = { 6: 'tcp', 17: 'udp' };

/** The flows of the same recordings as Zeek tells of them: JSON, each when it is over. */
export async function flowLog(): Promise<string[]> {
  const paths = FIXTURES.map((path) => join(ROOT, 'fixtures', path));
  const { stdout } = await weir(['flows', '--json', ...paths]);
  const rows = jsonLines<Row>(stdout).filter(({ protocolIdentifier = 0 }) => protocolIdentifier in PROTOCOLS);
  return rows
    .map((row) => ({ row, end: seconds(row.flowEnd) }))
    .sort((a, b) => a.end - b.end)
    .map(({ row }, i) => JSON.stringify(zeekRow(row, i)));
}

function zeekRow(row: Row, i: number): Record<string, unknown> {
  return {
    ts: seconds(row.flowStart),
    uid: `C${i}`,
    'id.orig_h': row.sourceAddress,
    'id.orig_p': row.sourceTransportPort,
    'id.resp_h': row.destinationAddress,
    'id.resp_p': row.destinationTransportPort,
    proto: PROTOCOLS[row.protocolIdentifier ?? 0],
    duration: Math.round(1e6 * (seconds(row.flowEnd) - seconds(row.flowStart))) / 1e6,
    conn_state: row.reversePacketDeltaCount ? 'SF' : 'S0',
    history: row.reversePacketDeltaCount ? 'ShADadFf' : 'S',
    orig_pkts: row.packetDeltaCount,
    orig_ip_bytes: row.octetDeltaCount,
    resp_pkts: row.reversePacketDeltaCount ?? 0,
    resp_ip_bytes: row.reverseOctetDeltaCount ?? 0,
  };
}

function seconds(time: string): number {
  return Math.floor(Date.parse(time) / 1000) + Number(`0${/\.\d+/.exec(time)?.[0] ?? ''}`);
}
