import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FlowObject } from '../../src/model/flow-fields.ts';
import { hex } from '../decode/frames.ts';
import { eth, INNER, ip4, overGre, udp } from '../decode/packets.ts';
import { type Packet, writePcap } from '../source/writer.ts';
import { jsonLines, weir } from '../support/cli.ts';

const at = (seconds: number, frame: string): Packet => ({ ticks: BigInt(seconds * 1e6), data: hex(frame) });
const ask = eth(0x0800, ip4(17, udp(5000, 9, '00'), 'c0000201', 'c0000202'));
const answer = eth(0x0800, ip4(17, udp(9, 5000, '0000'), 'c0000202', 'c0000201'));
const tunnelled = overGre('0000 0800', INNER);

const folder = mkdtempSync(join(tmpdir(), 'weir-flows-'));
const path = (name: string): string => join(folder, name);

beforeAll(() => {
  writeFileSync(path('a.pcap'), writePcap([at(100, ask), at(100.5, answer), at(103, tunnelled)]));
  writeFileSync(path('b.pcap'), writePcap([at(110, ask)]));
  writeFileSync(path('cut.pcap'), writePcap([at(100, ask), at(101, ask)]).subarray(0, -1));
  writeFileSync(path('words.txt'), 'no capture, only words');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const flows = async (...args: string[]): Promise<FlowObject[]> =>
  jsonLines<FlowObject>((await weir(['flows', '--json', ...args])).stdout);

describe('weir flows', () => {
  test('prints one JSON object a record', async () => {
    const { code, stdout, stderr } = await weir(['flows', path('a.pcap'), '--json']);
    expect([code, stderr]).toEqual([0, '']);
    const [first, second] = jsonLines<FlowObject>(stdout);
    expect(first).toMatchObject({
      file: path('a.pcap'),
      flowStart: '1970-01-01T00:01:40.000000Z',
      flowEnd: '1970-01-01T00:01:40.500000Z',
      sourceAddress: '192.0.2.1',
      destinationAddress: '192.0.2.2',
      sourceTransportPort: 5000,
      destinationTransportPort: 9,
      protocolIdentifier: 17,
      packetDeltaCount: 1,
      octetDeltaCount: 29,
      reversePacketDeltaCount: 1,
      reverseOctetDeltaCount: 30,
      layers: ['eth', 'ipv4', 'udp'],
    });
    expect(first).not.toHaveProperty('tcpControlBits');
    expect(second).toMatchObject({
      sourceAddress: '10.0.0.1',
      outerSourceAddress: '192.0.2.1',
      outerDestinationAddress: '192.0.2.2',
      tcpControlBits: 2,
    });
  });

  test('merges files by time, or meters each by itself', async () => {
    const merged = await flows(path('b.pcap'), path('a.pcap'));
    expect(merged.map((flow) => [flow.file, flow.packetDeltaCount, flow.reversePacketDeltaCount])).toEqual([
      [undefined, 2, 1],
      [undefined, 1, 0],
    ]);
    const apart = await flows('--per-file', path('b.pcap'), path('a.pcap'));
    expect(apart.map((flow) => [flow.file, flow.packetDeltaCount])).toEqual([
      [path('b.pcap'), 1],
      [path('a.pcap'), 1],
      [path('a.pcap'), 1],
    ]);
  });

  test('cuts at the timeouts that were asked for', async () => {
    const files = [path('a.pcap'), path('b.pcap')];
    const idle = await flows('--idle-timeout', '5s', ...files);
    expect(idle.map((flow) => [flow.packetDeltaCount, flow.flowEndReason])).toEqual([
      [1, 1],
      [1, 1],
      [1, 4],
    ]);
    const active = await flows('--active-timeout', '5s', ...files);
    expect(active.filter((flow) => flow.protocolIdentifier === 17).map((flow) => flow.flowEndReason)).toEqual([2, 4]);
  });

  test('stays outside of tunnels when told to', async () => {
    const [, outer] = await flows('--no-tunnels', path('a.pcap'));
    expect(outer).toMatchObject({ sourceAddress: '192.0.2.1', protocolIdentifier: 47 });
    expect(outer).not.toHaveProperty('outerSourceAddress');
  });

  test('reads the same with the second reader', async () => {
    expect(await flows('--reader', 'pcap-parser', path('a.pcap'))).toEqual(await flows(path('a.pcap')));
  });

  test('writes CSV to a file by its ending', async () => {
    const { code, stdout } = await weir(['flows', path('a.pcap'), '-o', path('out.csv')]);
    expect([code, stdout]).toEqual([0, '']);
    const lines = readFileSync(path('out.csv'), 'utf8').trim().split('\n');
    expect(lines[0]).toMatch(/^file,flowStart,flowEnd,sourceAddress,/);
    expect(lines).toHaveLength(3);
    expect(lines[1]).toContain(',192.0.2.1,192.0.2.2,5000,9,17,');
  });

  test('prints an aligned table with totals for people', async () => {
    const { stdout } = await weir(['flows', path('a.pcap')]);
    const lines = stdout.trim().split('\n');
    expect(lines[1]).toMatch(/udp\s+192\.0\.2\.1:5000\s+->\s+192\.0\.2\.2:9\s+1\s+29\s+1\s+30$/);
    expect(lines[2]).toMatch(/tcp\s+10\.0\.0\.1:1234\s+->\s+10\.0\.0\.2:80\s+1\s+40\s+0\s+0\s+\.S\.\.\.\.\.\.$/);
    expect(lines.at(-1)).toMatch(/^2 flows, 3 packets, 99B, 3s from /);
  });

  test('exits with 3 for damaged input, 4 for none, 2 for wrong usage', async () => {
    const cut = await weir(['flows', path('cut.pcap'), '--json']);
    expect([cut.code, jsonLines(cut.stdout)[0]['packetDeltaCount']]).toEqual([3, 1]);
    expect(cut.stderr).toContain('cut.pcap');
    const partly = await weir(['flows', path('words.txt'), path('b.pcap'), '--json']);
    expect([partly.code, jsonLines(partly.stdout).length]).toEqual([3, 1]);
    expect((await weir(['flows', path('words.txt')])).code).toBe(4);
    for (const wrong of [[], ['--idle-timeout', 'soon', 'x'], ['--output', 'x.doc', 'x'], ['--max-flows', '0', 'x']]) {
      expect((await weir(['flows', ...wrong])).code).toBe(2);
    }
  });

  test('says how many flows a full table let go', async () => {
    const { stdout, stderr } = await weir(['flows', path('a.pcap'), '--max-flows', '1', '--json']);
    expect(jsonLines<FlowObject>(stdout).map((flow) => flow.flowEndReason)).toEqual([5, 4]);
    expect(stderr).toContain('the flow table was full: 1');
  });
});
