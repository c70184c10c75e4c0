import { writeFileSync } from 'node:fs';
import { messageOf, WeirError } from '../core/errors.ts';
import type { LineWriter } from '../core/output.ts';
import { formatUs } from '../core/time.ts';
import { formatDuration, formatNumber, parseDurationUs, parseQuantity } from '../core/units.ts';
import { fanChart, plotForecast, reconcile } from '../forecast/forecast.ts';
import type { Capacity, LoadForecast, WhatIf } from '../model/series.ts';
import { type Grid, type ModelOptions, modelMaker } from './forecast-model.ts';
import type { SeriesFile } from './series-file.ts';
import { table } from './table.ts';

export interface PathOptions extends ModelOptions {
  horizon: string;
  capacity?: string;
  reach: string;
  growth?: string;
  add?: string;
  plot?: boolean;
  png?: string;
  reconcile?: boolean;
  json?: boolean;
}

const PICTURE = { width: 960, height: 320 };

/** What a command does with each series, and when all were there. */
export interface Answer {
  series(out: LineWriter, series: SeriesFile, grid: Grid): void;
  end(out: LineWriter): void;
}

interface Told {
  file: string;
  values: Float64Array;
  stepUs: number;
  forecast: LoadForecast;
  capacity: Capacity | null;
  limit: number | null;
}

/**
 * The path of a load with its bands, and when a capacity is reached. With `reconcile` the first series is the sum of the
 * others, and all are told at the end, adding up.
 */
export function pathAnswer(options: PathOptions, parent: SeriesFile | null): Answer {
  const horizonUs = parseDurationUs(options.horizon);
  if (!(horizonUs > 0)) throw new WeirError('usage.horizon', `--horizon ${options.horizon} is no duration`);
  const threshold = thresholdOf(options);
  const whatIf = whatIfOf(options);
  const make = modelMaker(options, parent);
  const held: Told[] = [];
  const tell = (out: LineWriter, told: Told) => {
    const { file, values, stepUs, forecast, capacity } = told;
    if (options.png !== undefined) {
      writePicture(options.png, fanChart({ ...PICTURE, values, stepUs, forecast, limit: threshold }));
    }
    if (options.json) out.json(jsonOf(file, values.length, forecast, capacity, whatIf));
    else print(out, { ...told, whatIf, plot: options.plot ?? false });
  };
  return {
    series(out, series, grid) {
      const model = make(series, grid);
      const first = model.forecast(1);
      const forecast = model.forecast(Math.max(1, Math.round(horizonUs / first.stepUs)), whatIf);
      const capacity =
        threshold === null ? null : model.capacity(threshold, Math.max(horizonUs, YEAR_US), undefined, whatIf);
      const { file, stepUs } = series;
      const told = { file, values: grid.values, stepUs, forecast, capacity, limit: threshold };
      if (options.reconcile) held.push(told);
      else tell(out, told);
    },
    end(out) {
      for (const told of held.length > 0 ? addingUp(held) : []) tell(out, told);
    },
  };
}

function addingUp([whole, ...parts]: Told[]): Told[] {
  const added = reconcile(
    whole.forecast,
    parts.map(({ forecast }) => forecast),
  );
  return [whole, ...parts].map((told, i) => ({ ...told, forecast: i === 0 ? added.whole : added.parts[i - 1] }));
}

function writePicture(path: string, picture: Buffer): void {
  try {
    writeFileSync(path, picture);
  } catch (cause) {
    throw new WeirError('usage.png', `--png ${path}: ${messageOf(cause)}`, { cause });
  }
}

/** 1/3, 0.33 and 33%. */
export function shareOf(text: string): number {
  const [top, bottom] = text.split('/').map(Number);
  if (bottom !== undefined) return top / bottom;
  return parseQuantity(text)?.value ?? Number.NaN;
}

const YEAR_US = 365 * 86_400e6;

function thresholdOf(options: PathOptions): number | null {
  if (options.capacity === undefined) return null;
  const capacity = parseQuantity(options.capacity);
  const reach = shareOf(options.reach);
  if (!capacity || !(capacity.value > 0)) {
    throw new WeirError('usage.capacity', `--capacity ${options.capacity} is no amount`, { hint: '1Gbps, 40M' });
  }
  if (!(reach > 0)) throw new WeirError('usage.reach', `--reach ${options.reach} is no share`, { hint: '90%, 0.9' });
  return capacity.value * reach;
}

function whatIfOf({ growth, add }: PathOptions): WhatIf {
  const factor = growth === undefined ? 1 : Number(growth.replace(/^x|x$/i, ''));
  const amount = add === undefined ? 0 : (parseQuantity(add)?.value ?? Number.NaN);
  if (!(factor >= 0 && factor <= 1000)) {
    throw new WeirError('usage.growth', `--growth ${growth} is no factor`, { hint: 'x2, 0.5' });
  }
  if (!Number.isFinite(amount)) throw new WeirError('usage.add', `--add ${add} is no amount`, { hint: '200Mbps' });
  return { growth: factor, add: amount };
}

function jsonOf(file: string, n: number, forecast: LoadForecast, capacity: Capacity | null, whatIf: WhatIf) {
  const points = forecast.points.map(({ timeUs, ...rest }) => ({ time: formatUs(timeUs), ...rest }));
  const head = { series: file, step: forecast.stepUs / 1e6, n, learned: forecast.learned };
  const asked = whatIf.growth === 1 && whatIf.add === 0 ? {} : { whatIf };
  return { ...head, ...asked, points, ...(capacity ? { capacity: { ...capacityJson(capacity), whatIf } } : {}) };
}

function capacityJson(capacity: Capacity) {
  const date = (us: number | null) => (us === null ? null : formatUs(us));
  const { etaUs, loUs, hiUs } = capacity.trend;
  return {
    threshold: capacity.threshold,
    probability: capacity.probability,
    date: date(capacity.etaUs),
    lo: date(capacity.loUs),
    hi: date(capacity.hiUs),
    trend: { date: date(etaUs), lo: date(loUs), hi: date(hiUs) },
    horizonDays: capacity.horizonUs / 86_400e6,
  };
}

const LEAST_HISTORY_US = 21 * 86_400e6;
/** Rows of the printed table, at most; every so many steps one is shown. */
const MOST_ROWS = 24;

interface Printed extends Told {
  whatIf: WhatIf;
  plot: boolean;
}

function print(out: LineWriter, { file, values, stepUs, forecast, capacity, limit, whatIf, plot }: Printed): void {
  const { points, learned } = forecast;
  out.line(
    `${file}: ${values.length} values, a step is ${formatDuration(stepUs)}${learned ? '' : ' (still learning)'}`,
  );
  const condition = whatIfText(whatIf);
  if (condition !== '') out.line(condition);
  if (points.length === 0) out.line('too few values for a forecast');
  else if (plot) for (const line of plotForecast(values, stepUs, forecast, limit)) out.line(line);
  else for (const line of pointTable(forecast)) out.line(line);
  if (!capacity) return;
  if (values.length * stepUs < LEAST_HISTORY_US) out.line('too short a history for a date: it takes three weeks');
  else out.line([condition, capacityText(capacity)].filter((text) => text !== '').join(' '));
}

function whatIfText({ growth = 1, add = 0 }: WhatIf): string {
  const parts = [
    ...(growth === 1 ? [] : [`it grows ${formatNumber(growth)} times as fast`]),
    ...(add === 0 ? [] : [`${formatNumber(add)} are added`]),
  ];
  return parts.length > 0 ? `if ${parts.join(' and ')}:` : '';
}

function pointTable({ points }: LoadForecast): string[] {
  const every = Math.ceil(points.length / MOST_ROWS);
  const shown = points.filter((_, i) => (i + 1) % every === 0 || i === 0);
  return table(
    ['time', 'expected', '80 % from', 'to', '95 % from', 'to'],
    shown.map((p) => [
      formatUs(p.timeUs).slice(0, 16),
      ...[p.expected, p.low80, p.high80, p.low95, p.high95].map(formatNumber),
    ]),
  );
}

function capacityText(capacity: Capacity): string {
  const day = (us: number | null) => (us === null ? 'later' : formatUs(us).slice(0, 10));
  const reach = formatNumber(capacity.threshold);
  const horizon = `${Math.round(capacity.horizonUs / 86_400e6)} days`;
  if (capacity.etaUs === null) {
    return `${reach} is reached within ${horizon} with probability ${(100 * capacity.probability).toFixed(0)} %`;
  }
  return `${reach} is first reached on ${day(capacity.etaUs)} (95 %: ${day(capacity.loUs)} to ${day(capacity.hiUs)}), to stay on ${day(capacity.trend.etaUs)}; within ${horizon} with ${(100 * capacity.probability).toFixed(0)} %`;
}
