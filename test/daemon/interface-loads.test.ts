import { expect, test } from 'vitest';
import { Metrics } from '../../src/core/metrics.ts';
import { StateReader, StateWriter } from '../../src/core/state.ts';
import { Feed } from '../../src/daemon/feed.ts';
import { Decoder } from '../../src/decode/decode.ts';
import { Engine } from '../../src/engine.ts';
import { ExporterDecoder } from '../../src/exporter/exporter.ts';
import type { CalendarOptions } from '../../src/forecast/forecast.ts';
import { Names } from '../../src/model/names.ts';
import { bytesOf } from '../exporter/decode.ts';

const STEP_US = 300e6;
const START_US = 5_900_000 * STEP_US;
const READING_US = 20e6;
const GIGABIT = 1e9;
const ALL_ONES = 2 ** 64;

interface Reading {
  uptimeMs: number;
  inOctets: number;
  outOctets: number;
}

const u64 = (value: number): [number, number][] =>
  value >= ALL_ONES
    ? [
        [4, 2 ** 32 - 1],
        [4, 2 ** 32 - 1],
      ]
    : [
        [4, Math.floor(value / 2 ** 32)],
        [4, value % 2 ** 32],
      ];

/** An sFlow version 5 datagram with the generic counters of interface 3 of agent 192.0.2.9. */
function datagram(sequence: number, { uptimeMs, inOctets, outOctets }: Reading): Uint8Array {
  const words = (...values: number[]): [number, number][] => values.map((value) => [4, value]);
  const packets = (n: number) => words(...Array.from({ length: n }, () => 0));
  const body = [
    ...words(3, 6),
    ...u64(GIGABIT),
    ...words(1, 3),
    ...u64(inOctets),
    ...packets(6),
    ...u64(outOctets),
    ...packets(6),
  ];
  const record = [...words(1, 88), ...body];
  const sample = [...words(sequence, 3, 1), ...record];
  const head = [...words(5, 1, 0xc0000209, 0, sequence, uptimeMs, 1), ...words(2, 4 * 3 + 8 + 88)];
  return bytesOf([...head, ...sample]);
}

/** An engine with datagrams going in through a source's feed, as in the daemon. */
function station(first?: CalendarOptions) {
  const points: { name: string; timeUs: number; value: number }[] = [];
  const names = new Names();
  const decoder = new Decoder({ names }, { metrics: new Metrics() });
  const make = (calendar = first) =>
    new Engine(
      { rules: { rules: [], home: [] }, calendar },
      { transition: () => {}, series: (name, timeUs, value) => points.push({ name, timeUs, value }) },
      { names, metrics: new Metrics() },
    );
  let engine = make();
  const lane = { name: 's', idleUs: 1e7, boundUs: 0, maxUs: 0, arrivedUs: 0, arrivedMaxUs: 0, done: false };
  const feed = new Feed(lane, { decoder, engine: () => engine, records: () => {} }, false);
  const exporters = new ExporterDecoder(
    { names, frames: decoder },
    {
      metrics: new Metrics(),
      onFlows: (batch) => feed.flows(batch),
      onSeries: (name, timeUs, value, facts) => feed.series(name, timeUs, value, facts),
    },
  );
  let sequence = 0;
  return {
    points,
    lane,
    engine: () => engine,
    give(timeUs: number, reading: Reading) {
      const data = datagram(++sequence, reading);
      expect(exporters.decode(data, 0, data.length, '192.0.2.1', 6343, timeUs)).toBe(true);
    },
    restart(calendar?: CalendarOptions) {
      const out = new StateWriter();
      engine.save(out);
      engine = make(calendar);
      engine.restore(new StateReader(out.concat()));
    },
  };
}

const IN = 'interface/192.0.2.9/3.in.bps';
const OUT = 'interface/192.0.2.9/3.out.bps';

test('octet counters of sFlow become loads in bit/s, over wraps and restarts of weir', () => {
  const { points, give, engine, restart, lane } = station();
  let octets = 2 ** 32 - 5e6;
  for (let i = 0; i <= 60; i++) {
    give(START_US + i * READING_US, { uptimeMs: i * 20_000, inOctets: octets % 2 ** 32, outOctets: 7e12 + i * 2.5e6 });
    octets += 250_000 * 20;
    if (i === 20) restart();
  }
  const of = (name: string) => points.filter((point) => point.name === name);
  expect(of(IN).map(({ timeUs }) => (timeUs - START_US) / STEP_US)).toEqual([1, 2, 3, 4]);
  for (const { value } of of(IN)) expect(value).toBeCloseTo(2e6, 3);
  for (const { value } of of(OUT)) expect(value).toBeCloseTo(1e6, 3);
  expect(of(OUT)).toHaveLength(4);
  expect(engine().loads.get(IN)?.points).toBe(4);
  expect(lane.maxUs).toBe(START_US + 60 * READING_US);
});

test('a restart of the device, a long silence and counters that are not there are missing, not zero', () => {
  const { points, give, engine } = station();
  const out = { outOctets: ALL_ONES };
  // Ten minutes, a restart whose counters look like a wrap, ten minutes; an hour of silence; ten minutes.
  for (let i = 0; i <= 30; i++)
    give(START_US + i * READING_US, { uptimeMs: 1e9 + i, inOctets: 4e9 + i * 1000, ...out });
  for (let i = 31; i <= 60; i++) give(START_US + i * READING_US, { uptimeMs: i, inOctets: (i - 31) * 1000, ...out });
  for (let i = 240; i <= 270; i++) give(START_US + i * READING_US, { uptimeMs: i, inOctets: i * 1000, ...out });
  expect(points.map(({ name }) => name)).toEqual(points.map(() => IN));
  for (const { value } of points) expect(value).toBeCloseTo(400, 3);
  expect(points.map(({ timeUs }) => (timeUs - START_US) / STEP_US)).toEqual([1, 2, 3, 4, 17, 18]);
  const recent = engine().loads.get(IN)?.recent ?? [];
  expect(recent).toHaveLength(18);
  expect(recent.filter(Number.isNaN)).toHaveLength(12);
});

test('the load of an interface is forecast', () => {
  const { give, engine } = station();
  let octets = 0;
  for (let i = 0; i < 3 * 288; i++) {
    give(START_US + i * STEP_US, { uptimeMs: i * 300_000, inOctets: octets, outOctets: 0 });
    octets += Math.round(1e9 * (2 + Math.sin((2 * Math.PI * i) / 288)));
  }
  const series = engine().loads.get(IN)!;
  const { points, learned } = series.model.forecast(144);
  expect(learned).toBe(true);
  expect(points.at(-1)!.timeUs).toBe(series.lastUs + 144 * STEP_US);
  const half = 3 * 288 - 2 + 144;
  const truth = (8e9 * (2 + Math.sin((2 * Math.PI * half) / 288))) / 300;
  expect(Math.abs(points.at(-1)!.expected / truth - 1)).toBeLessThan(0.05);
});

test('loads follow the configured calendar; a new zone makes models learn anew what is kept, new holidays do not', () => {
  const zone = 'Asia/Kolkata';
  const { give, engine, restart } = station({ zone });
  let octets = 0;
  const run = (from: number, to: number) => {
    for (let i = from; i < to; i++) {
      give(START_US + i * STEP_US, { uptimeMs: i * 300_000, inOctets: octets, outOctets: 0 });
      octets += Math.round(1e9 * (2 + Math.sin((2 * Math.PI * i) / 288)));
    }
  };
  const forecast = () => engine().loads.get(IN)!.model.forecast(288);
  run(0, 3 * 288);
  const before = forecast();
  restart({ zone, holidays: ['2030-01-01'] });
  expect(forecast()).toEqual(before);
  for (const calendar of [{}, { holidays: ['2030-01-01'] }, { zone: 'Europe/Berlin' }]) {
    restart(calendar);
    const { points, learned } = forecast();
    expect(learned).toBe(true);
    expect(points.map(({ timeUs }) => timeUs)).toEqual(before.points.map(({ timeUs }) => timeUs));
    expect(points[143].expected / before.points[143].expected).toBeCloseTo(1, 2);
  }
  const holiday = new Date((START_US + 3 * 288 * STEP_US) / 1000).toISOString().slice(0, 10);
  restart({ holidays: [holiday] });
  const { points: kept } = engine().loads.get(IN)!;
  run(3 * 288, 3 * 288 + 12);
  expect(engine().loads.get(IN)?.points).toBe(kept + 12);
});
