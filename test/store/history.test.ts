import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Metrics } from '../../src/core/metrics.ts';
import { StateReader, StateWriter } from '../../src/core/state.ts';
import { parseTimeUs } from '../../src/core/time.ts';
import { parseAddress, parsePrefix } from '../../src/model/address.ts';
import {
  BIFLOW,
  createFlowBatch,
  type FlowBatch,
  HAS_IP,
  HAS_PORTS,
  INITIATOR_KNOWN,
} from '../../src/model/flow-batch.ts';
import { Names } from '../../src/model/names.ts';
import type { Predicate } from '../../src/model/plan.ts';
import { applyRetention, History, HistoryReader } from '../../src/store/store.ts';

const START = parseTimeUs('2026-11-24T03:59:58Z');
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-history-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Flow {
  from: string;
  to: string;
  port: number;
  bytes: number;
  reverse: number;
  at: number;
}

const FLOWS: Flow[] = [
  { from: '192.0.2.1', to: '198.51.100.9', port: 443, bytes: 1000, reverse: 90_000, at: 0 },
  { from: '192.0.2.2', to: '198.51.100.9', port: 443, bytes: 500, reverse: 0, at: 1 },
  { from: '2001:db8::1', to: '2001:db8:1::53', port: 53, bytes: 70, reverse: 150, at: 3 },
  { from: '192.0.2.77', to: '203.0.113.5', port: 22, bytes: 4000, reverse: 4000, at: 4 },
];

function put(batch: FlowBatch, flow: Flow, names: Names): void {
  const row = batch.length++;
  batch.clearRow(row);
  batch.startUs[row] = START + flow.at * 1e6;
  batch.endUs[row] = START + flow.at * 1e6 + 500_000;
  parseAddress(flow.from, batch.sourceAddress, 4 * row);
  parseAddress(flow.to, batch.destinationAddress, 4 * row);
  batch.meta[row] = HAS_IP | HAS_PORTS | BIFLOW | INITIATOR_KNOWN;
  batch.protocolIdentifier[row] = 6;
  batch.sourceTransportPort[row] = 40_000;
  batch.destinationTransportPort[row] = flow.port;
  batch.packetDeltaCount[row] = 10;
  batch.octetDeltaCount[row] = flow.bytes;
  batch.reversePacketDeltaCount[row] = flow.reverse > 0 ? 8 : 0;
  batch.reverseOctetDeltaCount[row] = flow.reverse;
  batch.layers[row] = names.layers.intern('eth ipv4 tcp');
}

async function write(flushRows: number): Promise<HistoryReader> {
  const names = new Names();
  const history = new History({ path: folder, writer: 'test', flushRows }, { names, metrics: new Metrics() });
  await history.start();
  for (const flow of FLOWS) {
    const batch = createFlowBatch(4);
    put(batch, flow, names);
    history.flows(batch);
    await history.settle();
  }
  history.series('total.in.bps', START, 1000);
  history.series('total.in.bps', START + 60e6, 2000);
  await history.stop();
  return new HistoryReader(folder);
}

const all = { predicate: { op: 'true' } as Predicate, sinceUs: -Infinity, untilUs: Infinity, limit: 100 };
const net = (field: string, text: string): Predicate => ({ op: 'net', field, nets: [parsePrefix(text)!] });

describe('history', () => {
  it('gives back every record, IPv4 and IPv6, in order of time, across hours', async () => {
    const rows = await (await write(1)).flows(all);
    expect(rows.map((row) => [row['sourceAddress'], row['destinationAddress'], row['octetDeltaCount']])).toEqual(
      FLOWS.map((flow) => [flow.from, flow.to, flow.bytes]),
    );
    expect(rows[0]['flowStart']).toBe(START);
    expect(rows[0]['layers']).toBe('eth ipv4 tcp');
  });

  it('replaces its own files when the same writer runs again', async () => {
    await write(2);
    expect(await (await write(3)).flows(all)).toHaveLength(FLOWS.length);
  });

  it('filters either direction and cuts time', async () => {
    const reader = await write(100);
    const inbound = await reader.flows({ ...all, predicate: net('dst.ip', '192.0.2.0/24') });
    expect(inbound.map((row) => row['sourceAddress'])).toEqual(['192.0.2.1', '192.0.2.77']);
    const six = await reader.flows({ ...all, predicate: net('src.ip', '2001:db8:1::/48') });
    expect(six).toHaveLength(1);
    const late = await reader.flows({ ...all, sinceUs: START + 3.9e6 });
    expect(late.map((row) => row['destinationTransportPort'])).toEqual([22]);
  });

  it('adds up both directions by key, the largest first', async () => {
    const reader = await write(100);
    const by = [{ field: 'dst.ip', prefix: { ipv4: 24, ipv6: 48 } }];
    const top = await reader.top({ ...all, by, order: 'bytes' });
    expect(top.map((row) => [row.key['dst.ip'], row.bytes, row.flows])).toEqual([
      ['192.0.2.0/24', 94_000, 0],
      ['203.0.113.0/24', 4000, 1],
      ['198.51.100.0/24', 1500, 2],
      ['2001:db8::/48', 150, 0],
      ['2001:db8:1::/48', 70, 1],
    ]);
  });

  it('keeps `not` true where the field is absent', async () => {
    const reader = await write(100);
    const predicate: Predicate = { op: 'not', arg: { op: 'in', field: 'icmp.type', values: [8], ranges: [] } };
    expect(await reader.flows({ ...all, predicate })).toHaveLength(FLOWS.length);
  });

  it('lists and reads series', async () => {
    const reader = await write(100);
    expect((await reader.seriesNames()).map((row) => [row.series, row.points])).toEqual([['total.in.bps', 2]]);
    expect((await reader.series('total.in.bps')).map((row) => row.value)).toEqual([1000, 2000]);
  });

  it('answers nothing for an empty folder', async () => {
    expect(await new HistoryReader(folder).flows(all)).toEqual([]);
  });
});

describe('series', () => {
  const hour = (i: number) => START + 2e6 + i * 300e6;

  it('are read at longer steps, and as measures of rules', async () => {
    const history = new History({ path: folder, writer: 'a' }, { names: new Names(), metrics: new Metrics() });
    await history.start();
    for (let i = 1; i <= 30; i++) {
      history.series('total.bps', hour(i), i);
      history.window(
        'flood',
        'dst.ip 192.0.2.7',
        hour(i - 1),
        hour(i),
        null,
        JSON.stringify({ pps: 2 * i, odd: null }),
      );
    }
    await history.stop();
    const reader = new HistoryReader(folder);
    const values = async (name: string) => (await reader.series(name)).map(({ timeUs, value }) => [timeUs, value]);
    expect(await values('total.bps')).toHaveLength(30);
    // Twelve steps, twelve more, and six that are just enough.
    expect(await values('total.bps@1h')).toEqual([
      [hour(12), 6.5],
      [hour(24), 18.5],
      [hour(36), 27.5],
    ]);
    expect((await values('rule/flood/dst.ip 192.0.2.7.pps')).slice(0, 2)).toEqual([
      [hour(1), 2],
      [hour(2), 4],
    ]);
    expect(await values('rule/flood/dst.ip 192.0.2.7.odd')).toEqual([]);
    expect(await values('rule/flood/dst.ip 192.0.2.7.pps@1h')).toHaveLength(3);
    reader.close();
  });

  it('stay longer than flows and windows, as long as there is room', async () => {
    const history = new History({ path: folder, writer: 'a' }, { names: new Names(), metrics: new Metrics() });
    await history.start();
    for (let day = 0; day < 50; day++) {
      history.series('total.bps', START + day * 86_400e6, day);
      history.window('r', 'k', START + day * 86_400e6, START + day * 86_400e6, null, '{}');
    }
    await history.stop();
    const nowUs = START + 50 * 86_400e6;
    const limits = { ageUs: 10 * 86_400e6, seriesAgeUs: 40 * 86_400e6, size: 1e12 };
    applyRetention(folder, limits, nowUs);
    const reader = new HistoryReader(folder);
    expect(await reader.series('total.bps')).toHaveLength(40);
    applyRetention(folder, { ...limits, size: 0 }, nowUs);
    expect(await reader.series('total.bps')).toHaveLength(0);
    reader.close();
  });
});

describe('a run that is interrupted', () => {
  const names = new Names();
  const open = (epoch: number, supersedes = 0) =>
    new History({ path: folder, writer: 'run', epoch, supersedes }, { names, metrics: new Metrics() });
  const point = (history: History, i: number) => history.series('total.bps', START + i * 1e6, i);
  const flow = (history: History, i: number) => {
    const batch = createFlowBatch(1);
    put(batch, { ...FLOWS[i % FLOWS.length], at: i }, names);
    history.flows(batch);
  };
  const stored = async () => {
    const reader = new HistoryReader(folder);
    const [points, flows] = [await reader.series('total.bps'), await reader.flows(all)];
    reader.close();
    return { points: points.map(({ value }) => value), flows: flows.map((row) => row['sourceAddress']) };
  };

  it('goes on with what a checkpoint holds: what was on its way replaces itself, what came after comes again', async () => {
    const first = open(0);
    await first.start();
    point(first, 1);
    flow(first, 1);
    const leaving = first.flush();
    point(first, 2);
    flow(first, 2);
    const state = new StateWriter();
    first.save(state);
    const saved = state.concat();
    first.next(1);
    await leaving;
    point(first, 3);
    await first.stop();
    const second = open(1);
    await second.start();
    second.restore(new StateReader(saved));
    point(second, 3);
    await second.stop();
    expect(await stored()).toEqual({ points: [1, 2, 3], flows: ['192.0.2.2', '2001:db8::1'] });
  });

  it('begins again: what it reads again replaces what was there, hour by hour', async () => {
    const first = open(0);
    await first.start();
    for (let i = 0; i < 6; i++) point(first, i);
    point(first, 4000);
    await first.stop();
    const second = open(1, 1);
    await second.start();
    for (let i = 0; i < 6; i++) point(second, i);
    await second.stop();
    expect((await stored()).points).toEqual([0, 1, 2, 3, 4, 5, 4000]);
  });
});
