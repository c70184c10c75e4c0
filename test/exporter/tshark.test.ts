import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { jsonLines, weir } from '../support/cli.ts';

/** Exports of other projects against tshark's decode of the same bytes: every record's addresses, ports and counts. */
const DATA = resolve(import.meta.dirname, '../../../shared/data');
const FILES = [
  'ipfixcol2/example_flows.ipfix',
  'netflow-graylog/netgraph-netflow5.pcap',
  'netflow-graylog/nprobe-netflow9.pcap',
];
const FIELDS = ['srcaddr', 'dstaddr', 'srcport', 'dstport', 'packets', 'octets'] as const;
const hasTshark = spawnSync('tshark', ['-v']).status === 0;

/** tshark's values of each field in the order of the records; it lists them a message. */
function theirs(path: string): Record<string, string[]> {
  const fields = FIELDS.flatMap((field) => ['-e', `cflow.${field}`]);
  const ports = ['2055', '9995', '5000'].flatMap((port) => ['-d', `udp.port==${port},cflow`]);
  const text = execFileSync('tshark', ['-r', path, ...ports, '-T', 'fields', ...fields], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const columns = text.split('\n').map((line) => line.split('\t').map((cell) => cell.split(',').filter(Boolean)));
  return Object.fromEntries(FIELDS.map((field, i) => [field, columns.flatMap((cells) => cells[i] ?? [])]));
}

describe.skipIf(!existsSync(DATA) || !hasTshark)('against tshark', () => {
  it.each(FILES)('%s', async (file) => {
    const path = resolve(DATA, file);
    const { stdout } = await weir(['flows', '--decode-flows', '--elements', '--json', path]);
    const rows = jsonLines<{ elements: Record<string, unknown> }>(stdout);
    const values = (name: string): string[] =>
      rows.flatMap(({ elements }) => (elements[name] === undefined ? [] : [String(elements[name])]));
    const want = theirs(path);
    expect(values('sourceIPv4Address')).toEqual(want['srcaddr']);
    expect(values('destinationIPv4Address')).toEqual(want['dstaddr']);
    expect(values('packetDeltaCount')).toEqual(want['packets']);
    expect(values('octetDeltaCount')).toEqual(want['octets']);
    expect(values('sourceTransportPort')).toEqual(want['srcport']);
    expect(values('destinationTransportPort')).toEqual(want['dstport']);
  });
});
