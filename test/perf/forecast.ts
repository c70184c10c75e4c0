/**
 * What a baseline and a forecaster cost: updates a second on one core, and memory of many hourly series with three
 * horizons. Run with `node --expose-gc test/perf/forecast.ts`; exits 1 when a goal is missed on an idle machine.
 */
import { type Stateful, StateWriter } from '../../src/core/state.ts';
import { AnomalyDetector, baselines, forecasters } from '../../src/forecast/forecast.ts';
import { daily, HOUR_US } from '../forecast/series.ts';

const SEASONS = [24 * HOUR_US, 168 * HOUR_US];
const LEAST_RATE = 200_000;
const MOST_MB = 400;

function rate(name: string, steps: number, stepUs: number, update: (timeUs: number, value: number) => void): number {
  const value = daily(1);
  const values = Float64Array.from({ length: steps }, (_, i) => value(i * stepUs));
  const begin = process.cpuUsage();
  for (let i = 0; i < steps; i++) update(i * stepUs, values[i]);
  const { user, system } = process.cpuUsage(begin);
  const perSecond = steps / ((user + system) / 1e6);
  console.log(`${name.padEnd(44)} ${Math.round(perSecond).toLocaleString('en').padStart(12)} updates a CPU second`);
  return perSecond;
}

/** Bytes that live because of the models: their arrays and objects, without V8's nursery and Node itself. */
function liveBytes(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function savedBytes(model: Stateful): number {
  const out = new StateWriter();
  model.save(out);
  return out.byteLength;
}

/** Hours one by one, then days with an hour each, until the record of the days has grown to its full size. */
const HOURS = 60;
const DAYS = 40;

function memory(count: number): number {
  const before = liveBytes();
  const models = Array.from({ length: count }, () => forecasters.create({ stepUs: HOUR_US, horizons: [1, 6, 24] }));
  const value = daily(3);
  const begin = process.cpuUsage();
  for (let i = 0; i < HOURS; i++) for (const model of models) model.update(i * HOUR_US, value(i * HOUR_US));
  const { user } = process.cpuUsage(begin);
  const young = process.memoryUsage().rss / 1e6;
  for (let day = 0; day < DAYS; day++) {
    const timeUs = (HOURS + 24 * day) * HOUR_US;
    for (const model of models) model.update(timeUs, value(timeUs));
  }
  const rss = process.memoryUsage().rss / 1e6;
  const mb = (liveBytes() - before) / 1e6;
  const perSecond = (count * HOURS) / (user / 1e6);
  console.log(
    `${count} hourly series, three horizons: ${mb.toFixed(0)} MB live, RSS of the process ${rss.toFixed(0)} MB`,
  );
  console.log(
    `(${young.toFixed(0)} MB in their first month), ${Math.round(perSecond).toLocaleString('en')} updates a CPU second, ${(savedBytes(models[0]) / 1e3).toFixed(1)} kB saved each`,
  );
  return rss;
}

// First, while the process is young: memory that other measurements left would count.
const rss = memory(Number(process.argv[2] ?? 100_000));
const baseline = baselines.create({ stepUs: 300e6, seasonUs: SEASONS });
const slow = rate('baseline, 5 min, warm up', 50_000, 300e6, (t, v) => baseline.update(t, v));
const one = baselines.create({ stepUs: 300e6, seasonUs: SEASONS });
const fast = rate('baseline, 5 min', 500_000, 300e6, (t, v) => one.update(t, v));
const short = baselines.create({ stepUs: 10e6, seasonUs: SEASONS });
rate('baseline, 10 s (season in 5 min cells)', 500_000, 10e6, (t, v) => short.update(t, v));
const three = forecasters.create({ stepUs: 300e6 });
const full = rate('forecaster, 5 min, three horizons', 300_000, 300e6, (t, v) => three.update(t, v));
const detector = new AnomalyDetector(300e6);
rate('anomaly score', 200_000, 300e6, (t, v) => detector.update(t, v));
if (Math.min(Math.max(slow, fast), full) < LEAST_RATE || rss > MOST_MB) process.exitCode = 1;
