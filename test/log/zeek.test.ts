import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readLog } from './read.ts';

const DATA = join(import.meta.dirname, '../../../shared/data');
const LOGS = existsSync(DATA) ? globSync(join(DATA, '{zeek,zat-zeek}/**/conn.log')).sort() : [];

/** Zeek's own rows, read the plain way: header names to texts, `-` left out. */
function rowsOf(text: string): Record<string, string>[] {
  if (text.startsWith('{')) {
    return text
      .trim()
      .split('\n')
      .map((line) => {
        const row = JSON.parse(line) as Record<string, unknown>;
        return Object.fromEntries(Object.entries(row).map(([key, value]) => [key, String(value)]));
      });
  }
  const lines = text.trimEnd().split('\n');
  const names = lines
    .find((line) => line.startsWith('#fields'))!
    .split('\t')
    .slice(1);
  return lines
    .filter((line) => !line.startsWith('#'))
    .map((line) =>
      Object.fromEntries(
        line
          .split('\t')
          .map((value, i) => [names[i], value])
          .filter(([, value]) => value !== '-'),
      ),
    );
}

const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
const NUMBERS: Record<string, number> = { tcp: 6, udp: 17, icmp: 1 };

describe.skipIf(LOGS.length === 0)('conn.log files of Zeek itself (../shared/data)', () => {
  it.each(LOGS)('%s: every row is one flow with its own numbers', async (path) => {
    const text = readFileSync(path, 'utf8');
    const rows = rowsOf(text);
    const { flows, reader } = await readLog(text, { piece: 1000 });
    expect(reader.error).toBeNull();
    expect(flows.length).toBe(rows.length);
    rows.forEach((row, i) => {
      const flow = flows[i];
      expect(flow.sourceAddress).toBe(row['id.orig_h']);
      expect(flow.destinationAddress).toBe(row['id.resp_h']);
      expect(flow.packetDeltaCount).toBe(number(row['orig_pkts']));
      expect(flow.octetDeltaCount).toBe(number(row['orig_ip_bytes']));
      expect(flow.reversePacketDeltaCount).toBe(number(row['resp_pkts']));
      expect(flow.reverseOctetDeltaCount).toBe(number(row['resp_ip_bytes']));
      expect(flow.layer2OctetDeltaCount).toBeUndefined();
      if (row['proto'] === 'tcp' || row['proto'] === 'udp') {
        expect(flow.sourceTransportPort).toBe(Number(row['id.orig_p']));
        expect(flow.destinationTransportPort).toBe(Number(row['id.resp_p']));
      }
      const protocol = number(row['ip_proto']) ?? NUMBERS[row['proto']];
      const isIPv6 = row['id.orig_h'].includes(':');
      expect(flow.protocolIdentifier).toBe(protocol === 1 && isIPv6 ? 58 : protocol);
      if (row['ts'].startsWith('X')) expect(flow.flowStart).toBeUndefined();
      else {
        const startMs = Math.round(Number(row['ts']) * 1e3);
        const endMs = Math.round((Number(row['ts']) + (number(row['duration']) ?? 0)) * 1e3);
        expect(Math.abs(Date.parse(flow.flowStart!) - startMs)).toBeLessThanOrEqual(1);
        expect(Math.abs(Date.parse(flow.flowEnd!) - endMs)).toBeLessThanOrEqual(1);
      }
    });
  });
});

const HEADER = '#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n';
const FIELDS = [
  'ts',
  'uid',
  'id.orig_h',
  'id.orig_p',
  'id.resp_h',
  'id.resp_p',
  'proto',
  'duration',
  'conn_state',
  'history',
];
const COUNTS = ['orig_pkts', 'orig_ip_bytes', 'resp_pkts', 'resp_ip_bytes'];
const log = (...rows: string[]): string =>
  `${HEADER}#fields\t${[...FIELDS, ...COUNTS].join('\t')}\n${rows.map((row) => `${row.replaceAll(' ', '\t')}\n`).join('')}`;

describe('conn.log', () => {
  it('what a row does not say is absent', async () => {
    const { flows } = await readLog(log('1379288667.706265 C1 192.0.2.1 1 192.0.2.2 2 tcp - S0 S - - - -'));
    expect(flows[0]).not.toHaveProperty('packetDeltaCount');
    expect(flows[0]).not.toHaveProperty('octetDeltaCount');
    expect(flows[0]).not.toHaveProperty('reversePacketDeltaCount');
    expect(flows[0].flowEnd).toBe('2013-09-15T23:44:27.706265Z');
    expect(flows[0].tcpControlBits).toBe(2);
  });

  it('ICMP has type and code; a type that belongs to another is no code', async () => {
    const { flows } = await readLog(
      log(
        '1.0 C1 192.0.2.1 8 192.0.2.2 0 icmp 0.1 OTH - 1 84 1 84',
        '2.0 C2 192.0.2.1 3 192.0.2.2 13 icmp - OTH - 1 72 0 0',
        '3.0 C3 :: 135 ff02::1:ff00:3 136 icmp - OTH - 2 144 0 0',
      ),
    );
    expect(flows.map((flow) => [flow.protocolIdentifier, flow.icmpType, flow.icmpCode])).toEqual([
      [1, 8, 0],
      [1, 3, 13],
      [58, 135, 0],
    ]);
  });

  it('a row that is cut at its end is damage, the rows before it are good', async () => {
    const whole = log(
      '1.0 C1 192.0.2.1 1 192.0.2.2 2 udp 0.1 SF Dd 1 84 1 84',
      '2.0 C1 192.0.2.1 1 192.0.2.2 2 udp 0.1 SF Dd 1 84 1 84',
    );
    for (const cut of [1, 2, 10, 30]) {
      const { flows, reader } = await readLog(whole.slice(0, -cut));
      expect(flows.length).toBe(1);
      expect(reader.error).toMatchObject({ code: 'log.row', message: expect.stringContaining('line 8') });
    }
  });

  it("bad rows are counted with the first one's line, and a log that begins again goes on", async () => {
    const good = '1.0 C1 192.0.2.1 1 192.0.2.2 2 udp 0.1 SF Dd 1 84 1 84';
    const text = log(good, good.replace('192.0.2.1', '192.0.2'), good) + log(good);
    const { flows, reader } = await readLog(text, { piece: 7 });
    expect(flows.length).toBe(3);
    expect(reader.badRows).toBe(1);
    expect(reader.error?.message).toContain('line 8');
  });

  it('another log of Zeek is none', async () => {
    await expect(readLog('#separator \\x09\n#path\tdns\n#fields\tts\tuid\tquery\n')).rejects.toThrow('no log');
  });
});
