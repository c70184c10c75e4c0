import type { Command } from 'commander';
import { requireConfig } from '../config.ts';
import { WeirError } from '../core/errors.ts';
import { EXIT_DAMAGED } from '../core/exit.ts';
import { LineWriter } from '../core/output.ts';
import { formatDuration } from '../core/units.ts';
import { backtest, defaultHorizons, type HorizonRecord } from '../forecast/forecast.ts';
import { readOrExplain, stepOption } from './detect.ts';
import { type Grid, inZone } from './forecast-model.ts';
import { type Answer, type PathOptions, pathAnswer, shareOf } from './forecast-path.ts';
import { inputPaths } from './inputs.ts';
import { notice } from './progress.ts';
import { sayComplaints, toGrid } from './series-file.ts';
import { storeFolder } from './store-option.ts';
import { listRecords, listSeries, namesOf, readStored, storedPath } from './stored-series.ts';
import { table } from './table.ts';

interface Options extends PathOptions {
  config?: string;
  filesFrom?: string;
  parent?: string;
  record?: boolean;
  store?: string;
  backtest?: boolean;
  horizons?: string;
  test: string;
  step?: string;
}

const EXAMPLES = `
Examples:
  weir forecast load.csv --horizon 24h --plot                  the coming day, with its band
  weir forecast load.csv --capacity 1Gbps --reach 90%          when 900 Mbps are reached
  weir forecast load.csv --capacity 1Gbps --growth x2 --add 200Mbps    what if
  weir forecast load.csv --horizon 30d --png load.png          a picture for a mail
  weir forecast -c weir.yaml                                   the stored series
  weir forecast -c weir.yaml interface/core/3.bps --plot       one of them
  weir forecast -c weir.yaml 192.0.2.9/3                       both directions of an interface, from its counters
  weir forecast -c weir.yaml --record                          how good its published forecasts were
  weir forecast --backtest load.csv --horizons 1,12,288        how good it has been, beside simple methods
  weir forecast --backtest values.txt --step 5m --json         one value a line, five minutes apart

Errors and coverage are in per cent. The backtest walks over the last part of the series; each forecast was made
before the value it is judged by.`;

export function forecastCommand(program: Command): void {
  program
    .command('forecast')
    .description('Forecast a load with intervals, say when a capacity is reached, or test forecasts on the past.')
    .argument(
      '[FILE...]',
      'CSV with timestamp,value, or one value a line with --step; globs; - for standard input; .gz, .zst',
    )
    .option('--files-from <LIST>', 'read more paths from this file, one a line (- is standard input)')
    .option('-c, --config <FILE>', 'the names are series stored by this configuration; none: list them')
    .option('--store <DIR>', 'the names are series of this store; none: list them')
    .option('--backtest', 'judge forecasts over the last part of the series')
    .option('--horizons <LIST>', 'steps ahead to judge: 1,12,288 (default: a step, an hour, a day)')
    .option('--test <SHARE>', 'share of the series that is judged', '1/3')
    .option('--horizon <DURATION>', 'how far to forecast', '24h')
    .option('--step <DURATION>', 'distance of the values where the file has no times')
    .option('--capacity <AMOUNT>', 'what the link can carry, in the unit of the series: 1Gbps, 40M')
    .option('--reach <SHARE>', 'share of the capacity whose date is wanted', '90%')
    .option('--growth <FACTOR>', 'what if it grows that many times as fast from today on: x2, 0.5')
    .option('--add <AMOUNT>', 'what if that much load is added today: 200Mbps')
    .option('--plot', 'draw history and forecast')
    .option('--png <FILE>', 'write history, forecast and bands as a picture')
    .option('--holidays <FILE>', 'days that are like no other, a date a line')
    .option('--zone <NAME>', 'time zone whose clock the load follows: Europe/Berlin')
    .option('--parent <SERIES>', 'a series younger than two days borrows its day from this one')
    .option('--reconcile', 'the first series is the sum of the others: make the forecasts add up')
    .option('--record', 'how published forecasts did in the last 30 days (with -c or --store)')
    .option('--json', 'one JSON object a file')
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(names: string[], given: Options): Promise<void> {
  const options = withCalendar(given);
  const stepUs = stepOption(options.step);
  const out = new LineWriter();
  if (options.record) return tellRecord(out, options);
  const stored = storedPath(options);
  const read = async (name: string) => (stored === null ? readOrExplain(name, stepUs) : await readStored(stored, name));
  const parent = options.parent === undefined ? null : await read(options.parent);
  const answer = options.backtest ? backtestAnswer(options) : pathAnswer(options, parent);
  const listed = stored !== null && options.filesFrom === undefined;
  if (listed && names.length === 0) await listSeries(out, stored, options.json ?? false);
  if (!listed && names.length === 0 && options.filesFrom === undefined) {
    throw new WeirError('usage.input', 'which series?', {
      hint: 'a file, or the name of a stored one with -c or --store',
    });
  }
  const wanted = listed ? await storedNames(stored, names) : inputPaths(names, options);
  if (options.png !== undefined && wanted.length > 1) {
    throw new WeirError('usage.png', '--png draws one series', { hint: 'name one' });
  }
  for (const name of wanted) {
    const series = await read(name);
    if (series === null) continue;
    const grid = toGrid(series);
    if (sayComplaints(series, notice)) process.exitCode = EXIT_DAMAGED;
    sayNegative(series.file, grid);
    answer.series(out, series, grid);
  }
  answer.end(out);
  out.close();
}

/** Zone and holidays of the configuration, where the command line names no others. */
function withCalendar(options: Options): Options {
  if (options.config === undefined || options.backtest) return options;
  const { zone, holidays } = requireConfig(options.config).forecast;
  return { ...options, zone: options.zone ?? zone, dates: holidays };
}

/** Loads are forecast in logarithms. */
function sayNegative(file: string, { values }: Grid): void {
  const below = values.reduce((n, value) => n + (value < 0 ? 1 : 0), 0);
  if (below > 0) notice(`${file}: ${below} values are below zero; forecasts are of loads, and count them as zero`);
}

async function storedNames(path: string, names: string[]): Promise<string[]> {
  const wanted: string[] = [];
  for (const name of names) wanted.push(...(await namesOf(path, name)));
  return wanted;
}

function tellRecord(out: LineWriter, options: Options): void {
  const config = options.config === undefined ? null : requireConfig(options.config);
  listRecords(out, storeFolder(options, config), options.json ?? false);
  out.close();
}

function backtestAnswer(options: Options): Answer {
  const asked = options.horizons?.split(',').map(Number);
  const test = shareOf(options.test);
  if (options.holidays !== undefined) {
    throw new WeirError('usage.holidays', '--backtest knows no holidays', { hint: 'leave --holidays out' });
  }
  if (asked && !asked.every((h) => Number.isInteger(h) && h >= 1 && h <= 100_000)) {
    throw new WeirError('usage.horizons', `--horizons ${options.horizons}: steps ahead, as in 1,12,288`);
  }
  if (!(test > 0 && test < 1)) throw new WeirError('usage.test', `--test ${options.test}: a share, as in 1/3 or 20%`);
  const series: Answer['series'] = (out, { file, stepUs }, grid) => {
    const { values } = options.zone === undefined ? grid : inZone(grid, stepUs, options.zone);
    const horizons = asked ?? defaultHorizons(stepUs);
    const records = backtest(values, { stepUs, horizons, test });
    const head = { series: file, step: stepUs / 1e6, n: values.length };
    if (options.json) out.json({ ...head, horizons: records.map(rounded) });
    else {
      out.line(`${file}: ${values.length} values, a step is ${formatDuration(stepUs)}`);
      for (const line of recordTable(records)) out.line(line);
    }
  };
  return { series, end: () => {} };
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
