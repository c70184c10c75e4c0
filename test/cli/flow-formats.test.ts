import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FlowObject } from '../../src/model/flow-fields.ts';
import { hex } from '../decode/frames.ts';
import { eth, INNER, INNER6, ip4, overGre, udp } from '../decode/packets.ts';
import { type Packet, writePcap } from '../source/writer.ts';
import { jsonLines, weir } from '../support/cli.ts';

/** What is written in another form is read back and held against the JSON form. */
const at = (seconds: number, frame: string): Packet => ({ ticks: BigInt(Math.round(seconds * 1e6)), data: hex(frame) });
const PACKETS = [
  at(100.25, eth(0x0800, ip4(17, udp(5000, 9, '00'), 'c0000201', 'c0000202'))),
  at(100.5, eth(0x0800, ip4(17, udp(9, 5000, '0000'), 'c0000202', 'c0000201'))),
  at(101, eth(0x86dd, INNER6)),
  at(102.000001, `020000000002 020000000001 8100 0007 0800 ${INNER}`),
  at(103, overGre('0000 0800', INNER)),
  at(104, eth(0x0800, ip4(1, '0800 0000 0001 0001'))),
  at(105, eth(0x0806, '0001 0800 06 04 0001 020000000001 c0000201 000000000000 c0000202')),
];
const folder = mkdtempSync(join(tmpdir(), 'weir-formats-'));
const capture = join(folder, 'all.pcap');
let flows: FlowObject[] = [];

beforeAll(async () => {
  writeFileSync(capture, writePcap(PACKETS));
  flows = jsonLines<FlowObject>((await weir(['flows', capture, '--json'])).stdout);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function written(name: string, ...args: string[]): Promise<string> {
  const path = join(folder, name);
  const { code, stderr } = await weir(['flows', capture, '--output', path, ...args]);
  expect([code, stderr]).toEqual([0, '']);
  return path;
}

/** Only the fields named, where they are there. */
function only(flow: FlowObject, fields: readonly (keyof FlowObject)[]): Partial<FlowObject> {
  return Object.fromEntries(fields.flatMap((field) => (field in flow ? [[field, flow[field]]] : [])));
}

/** IPFIX messages of a file. */
function* messages(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += bytes.readUInt16BE(start + 2)) {
    expect(bytes.readUInt16BE(start)).toBe(10);
    yield bytes.subarray(start, start + bytes.readUInt16BE(start + 2));
  }
}

const ENDS = ['sourceAddress', 'destinationAddress', 'sourceTransportPort', 'destinationTransportPort'] as const;
const COUNTS = ['packetDeltaCount', 'octetDeltaCount', 'reversePacketDeltaCount', 'reverseOctetDeltaCount'] as const;
const MACS = ['sourceMacAddress', 'destinationMacAddress'] as const;

describe('weir flows --output', () => {
  test('ipfix: a collector reads the same records', async () => {
    const path = await written('flows.ipfix');
    const parts = [...messages(readFileSync(path))].map((message, i) => {
      writeFileSync(`${path}.${i}`, message);
      return `${path}.${i}`;
    });
    const { code, stdout } = await weir(['flows', ...parts, '--datagrams', '--json']);
    expect(code).toBe(0);
    const fields = [
      ...ENDS,
      ...COUNTS,
      ...MACS,
      'flowStart',
      'flowEnd',
      'protocolIdentifier',
      'icmpType',
      'icmpCode',
      'layer2OctetDeltaCount',
      'reverseLayer2OctetDeltaCount',
      'tcpControlBits',
      'reverseTcpControlBits',
      'vlanId',
      'flowEndReason',
    ] as const;
    const back = jsonLines<FlowObject>(stdout);
    expect(back.map((flow) => only(flow, fields))).toEqual(flows.map((flow) => only(flow, fields)));
  });

  test('parquet: a row a record, with the columns of the JSON form', async () => {
    const path = await written('flows.parquet');
    const connection = await (await DuckDBInstance.create()).connect();
    const fields = [...ENDS, ...COUNTS, 'communityId', 'vlanId', 'flowEndReason'] as const;
    const rows = await connection.runAndReadAll(`SELECT ${fields.join()}, layers, flowStart::VARCHAR FROM '${path}'`);
    expect(rows.getRowsJson()).toEqual(
      flows.map((flow) => [
        ...fields.map((field) => (flow[field] === undefined ? null : String(flow[field]))),
        flow.layers,
        flow.flowStart!.replace('T', ' ').replace(/\.?0*Z$/, ''),
      ]),
    );
    connection.closeSync();
  });

  test('nfdump: its CSV, which the log reader reads', async () => {
    const path = await written('flows.nfdump');
    const { code, stdout } = await weir(['flows', path, '--json']);
    expect(code).toBe(0);
    const fields = [...ENDS, ...COUNTS, ...MACS, 'protocolIdentifier', 'icmpType', 'icmpCode'] as const;
    // It cannot say that an answer was waited for and none came.
    const expected = flows
      .filter((flow) => flow.protocolIdentifier !== undefined)
      .map((flow) =>
        Object.fromEntries(Object.entries(flow).filter(([name, value]) => !name.startsWith('reverse') || value > 0)),
      );
    expect(jsonLines<FlowObject>(stdout).map((flow) => only(flow, fields))).toEqual(
      expected.map((flow) => only(flow, fields)),
    );
  });

  test('--format wins over the ending; an unknown ending and parquet without a file are refused', async () => {
    const path = await written('flows.out', '--format', 'csv');
    expect(readFileSync(path, 'utf8').split('\n')[0]).toMatch(/^file,flowStart/);
    expect((await weir(['flows', capture, '--output', join(folder, 'x.doc')])).code).toBe(2);
    expect((await weir(['flows', capture, '--format', 'parquet'])).code).toBe(2);
  });
});

describe('weir flows --filter', () => {
  test.each([
    ['tcp and vlan == 7', 1],
    ['dst port 5000', 1],
    ['net 10.0.0.0/8', 2],
  ])('%s', async (filter, count) => {
    const { code, stdout, stderr } = await weir(['flows', capture, '--json', '--filter', filter]);
    expect([code, stderr]).toEqual([0, '']);
    expect(jsonLines(stdout)).toHaveLength(count);
  });

  test('says what is wrong with a condition, and where', async () => {
    const { code, stderr } = await weir(['flows', capture, '--filter', 'tcp and prt 5']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/--filter:1:9/);
  });
});
