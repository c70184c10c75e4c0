import type { Command } from 'commander';
import { requireConfig } from '../config.ts';
import { WeirError } from '../core/errors.ts';
import { EXIT_DAMAGED } from '../core/exit.ts';
import { LineWriter } from '../core/output.ts';
import { formatUs } from '../core/time.ts';
import { formatDuration, formatNumber, parseDurationUs, parseQuantity } from '../core/units.ts';
import { backtest, forecasters, type HorizonRecord, plotForecast } from '../forecast/forecast.ts';
import type { Capacity, LoadForecast } from '../model/series.ts';
import { readOrExplain, stepOption } from './detect.ts';
import { notice } from './progress.ts';
import { type SeriesFile, sayComplaints, toGrid } from './series-file.ts';
import { historyPath } from './store-option.ts';
import { listSeries, readStored } from './stored-series.ts';
import { table } from './table.ts';

interface Options {
  config?: string;
  store?: string;
  backtest?: boolean;
  horizons: string;
  test: string;
  horizon: string;
  step?: string;
  capacity?: string;
  reach: string;
  plot?: boolean;
  json?: boolean;
}

const EXAMPLES = `
Examples:
  weir forecast load.csv --horizon 24h --plot                  the coming day, with its band
  weir forecast load.csv --capacity 1Gbps --reach 90%          when 900 Mbps are reached
  weir forecast -c weir.yaml                                   the stored series
  weir forecast -c weir.yaml interface/core/3.bps --plot       one of them
  weir forecast --backtest load.csv --horizons 1,12,288        how good it has been, beside simple methods
  weir forecast --backtest values.txt --step 5m --json         one value a line, five minutes apart

Errors and coverage are in per cent. The backtest walks over the last part of the series; each forecast was made
before the value it is judged by.`;

export function forecastCommand(program: Command): void {
  program
    .command('forecast')
    .description('Forecast a load with intervals, say when a capacity is reached, or test forecasts on the past.')
    .argument('[FILE...]', 'CSV with timestamp,value, or one value a line with --step; - for standard input; .gz, .zst')
    .option('-c, --config <FILE>', 'the names are series stored by this configuration; none: list them')
    .option('--store <DIR>', 'the names are series of this store; none: list them')
    .option('--backtest', 'judge forecasts over the last part of the series')
    .option('--horizons <LIST>', 'steps ahead to judge', '1,12,288')
    .option('--test <SHARE>', 'share of the series that is judged', '1/3')
    .option('--horizon <DURATION>', 'how far to forecast', '24h')
    .option('--step <DURATION>', 'distance of the values where the file has no times')
    .option('--capacity <AMOUNT>', 'what the link can carry, in the unit of the series: 1Gbps, 40M')
    .option('--reach <SHARE>', 'share of the capacity whose date is wanted', '90%')
    .option('--plot', 'draw history and forecast')
    .option('--json', 'one JSON object a file')
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(names: string[], options: Options): Promise<void> {
  const answer = options.backtest ? backtestAnswer(options) : pathAnswer(options);
  const stepUs = stepOption(options.step);
  const out = new LineWriter();
  const stored = storedPath(options);
  if (stored !== null && names.length === 0) await listSeries(out, stored, options.json ?? false);
  else if (names.length === 0) {
    throw new WeirError('usage.input', 'which series?', {
      hint: 'a file, or the name of a stored one with -c or --store',
    });
  }
  for (const name of names) {
    const series = stored === null ? readOrExplain(name, stepUs) : await readStored(stored, name);
    if (series === null) continue;
    const grid = toGrid(series);
    if (sayComplaints(series, notice)) process.exitCode = EXIT_DAMAGED;
    answer(out, series, grid);
  }
  out.close();
}

function storedPath(options: Options): string | null {
  if (options.config === undefined && options.store === undefined) return null;
  return historyPath(options, options.config === undefined ? null : requireConfig(options.config));
}

type Answer = (out: LineWriter, series: SeriesFile, grid: { startUs: number; values: Float64Array }) => void;

function backtestAnswer(options: Options): Answer {
  const horizons = options.horizons.split(',').map(Number);
  const test = shareOf(options.test);
  if (!horizons.every((h) => Number.isInteger(h) && h >= 1 && h <= 100_000)) {
    throw new WeirError('usage.horizons', `--horizons ${options.horizons}: steps ahead, as in 1,12,288`);
  }
  if (!(test > 0 && test < 1)) throw new WeirError('usage.test', `--test ${options.test}: a share, as in 1/3 or 20%`);
  return (out, { file, stepUs }, { values }) => {
    const records = backtest(values, { stepUs, horizons, test });
    const head = { series: file, step: stepUs / 1e6, n: values.length };
    if (options.json) out.json({ ...head, horizons: records.map(rounded) });
    else {
      out.line(`${file}: ${values.length} values, a step is ${formatDuration(stepUs)}`);
      for (const line of recordTable(records)) out.line(line);
    }
  };
}

/** 1/3, 0.33 and 33%. */
function shareOf(text: string): number {
  const [top, bottom] = text.split('/').map(Number);
  if (bottom !== undefined) return top / bottom;
  return parseQuantity(text)?.value ?? Number.NaN;
}

/** Six digits are more than any of these means. A figure without data (all values zero, say) is null. */
function rounded(record: HorizonRecord): Record<string, number | null> {
  const round = (v: number) => (Number.isFinite(v) ? Number(v.toPrecision(6)) : null);
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, round(value)]));
}

const COLUMNS: [keyof HorizonRecord, string][] = [
  ['steps', 'steps'],
  ['mape', 'MAPE %'],
  ['wape', 'WAPE %'],
  ['mase', 'MASE'],
  ['coverage95', 'in 95 %'],
  ['coverage80', 'in 80 %'],
  ['worstWeek95', 'worst week'],
  ['width95', 'width %'],
  ['mapeNaive', 'last value'],
  ['mapeSeasonalNaive', 'yesterday'],
  ['mapeHoltWinters', 'Holt-Winters'],
];

function recordTable(records: HorizonRecord[]): string[] {
  const cell = (v: number, name: string) => (Number.isFinite(v) ? (name === 'steps' ? String(v) : v.toFixed(2)) : '');
  return table(
    COLUMNS.map(([, title]) => title),
    records.map((record) => COLUMNS.map(([name]) => cell(record[name], name))),
  );
}

function pathAnswer(options: Options): Answer {
  const horizonUs = parseDurationUs(options.horizon);
  if (!(horizonUs > 0)) throw new WeirError('usage.horizon', `--horizon ${options.horizon} is no duration`);
  const threshold = thresholdOf(options);
  return (out, series, { startUs, values }) => {
    const { file, stepUs } = series;
    const model = forecasters.create({ stepUs });
    for (let i = 0; i < values.length; i++) model.update(startUs + i * stepUs, values[i]);
    const first = model.forecast(1);
    const forecast = model.forecast(Math.max(1, Math.round(horizonUs / first.stepUs)));
    const capacity = threshold === null ? null : model.capacity(threshold, Math.max(horizonUs, YEAR_US));
    if (options.json) out.json(jsonOf(file, values.length, forecast, capacity));
    else print(out, file, values, stepUs, forecast, capacity, options.plot ?? false);
  };
}

const YEAR_US = 365 * 86_400e6;

function thresholdOf(options: Options): number | null {
  if (options.capacity === undefined) return null;
  const capacity = parseQuantity(options.capacity);
  const reach = shareOf(options.reach);
  if (!capacity || !(capacity.value > 0)) {
    throw new WeirError('usage.capacity', `--capacity ${options.capacity} is no amount`, { hint: '1Gbps, 40M' });
  }
  if (!(reach > 0)) throw new WeirError('usage.reach', `--reach ${options.reach} is no share`, { hint: '90%, 0.9' });
  return capacity.value * reach;
}

function jsonOf(file: string, n: number, forecast: LoadForecast, capacity: Capacity | null) {
  const points = forecast.points.map(({ timeUs, ...rest }) => ({ time: formatUs(timeUs), ...rest }));
  const head = { series: file, step: forecast.stepUs / 1e6, n, learned: forecast.learned };
  return { ...head, points, ...(capacity ? { capacity: capacityJson(capacity) } : {}) };
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

/** Rows of the printed table, at most; every so many steps one is shown. */
const MOST_ROWS = 24;

function print(
  out: LineWriter,
  file: string,
  values: Float64Array,
  stepUs: number,
  forecast: LoadForecast,
  capacity: Capacity | null,
  plot: boolean,
): void {
  const { points, learned } = forecast;
  out.line(
    `${file}: ${values.length} values, a step is ${formatDuration(stepUs)}${learned ? '' : ' (still learning)'}`,
  );
  if (points.length === 0) out.line('too few values for a forecast');
  else if (plot) for (const line of plotForecast(values, stepUs, forecast)) out.line(line);
  else for (const line of pointTable(forecast)) out.line(line);
  if (capacity) out.line(capacityText(capacity));
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
  return `${reach} is first reached on ${day(capacity.etaUs)} (95 %: ${day(capacity.loUs)} to ${day(capacity.hiUs)}), to stay on ${day(capacity.trend.etaUs)}`;
}
