import type { Command } from 'commander';
import { messageOf, WeirError } from '../core/errors.ts';
import { EXIT_DAMAGED, EXIT_UNREADABLE } from '../core/exit.ts';
import { LineWriter } from '../core/output.ts';
import { parseDurationUs } from '../core/units.ts';
import { AnomalyDetector } from '../forecast/forecast.ts';
import { inputPaths } from './inputs.ts';
import { notice } from './progress.ts';
import { readSeries, type SeriesFile, type SeriesRow, sayComplaints } from './series-file.ts';
import { readStored, storedPath } from './stored-series.ts';

interface Options {
  series?: string[];
  filesFrom?: string;
  config?: string;
  store?: string;
  step?: string;
  json?: boolean;
  csv?: boolean;
  above?: string;
}

const EXAMPLES = `
Examples:
  weir detect --series load.csv --json            a score for each row
  weir detect --series load.csv --above 0.5       only what is unusual
  weir detect --series values.txt --step 5m       one value a line, five minutes apart
  weir detect -c weir.yaml --series total.bps     a stored series

The score is 0..1 and means the same in every series: from 0.5 on a value is rarer than one in a thousand.
Rows are judged in order; nothing later is looked at. The first 150 rows are learned from and score 0.`;

export function detectCommand(program: Command): void {
  program
    .command('detect')
    .description('Score each value of a series: what is expected, and how unusual the value is.')
    .option(
      '--series <FILE...>',
      'CSV with timestamp,value, or one value a line; globs; - for standard input; .gz, .zst',
    )
    .option('--files-from <LIST>', 'read more paths from this file, one a line')
    .option('-c, --config <FILE>', 'the names are series stored by this configuration')
    .option('--store <DIR>', 'the names are series of this store')
    .option('--step <DURATION>', 'distance of the values where the file has no times')
    .option('--json', 'one JSON object a row')
    .option('--csv', 'CSV with the same fields')
    .option('--above <SCORE>', 'only rows with at least this score')
    .addHelpText('after', EXAMPLES)
    .action(run);
}

interface Row {
  timestamp: string;
  value: number | null;
  expected: number | null;
  low: number | null;
  high: number | null;
  score: number;
}

async function run(options: Options): Promise<void> {
  const stepUs = stepOption(options.step);
  const above = options.above === undefined ? 0 : Number(options.above);
  if (!(above >= 0 && above <= 1)) throw new WeirError('usage.above', '--above takes a score from 0 to 1');
  if (options.series === undefined && options.filesFrom === undefined) {
    throw new WeirError('usage.input', 'which series?', { hint: '--series load.csv' });
  }
  const stored = storedPath(options);
  const names = stored === null ? inputPaths(options.series ?? [], options) : (options.series ?? []);
  const out = new LineWriter();
  if (!options.json) {
    const several = names.length > 1;
    if (options.csv) out.line(`${several ? 'series,' : ''}timestamp,value,expected,low,high,score`);
    else out.line(HEADER);
  }
  for (const name of names) {
    const series = stored === null ? readOrExplain(name, stepUs) : await readStored(stored, name);
    if (series !== null) scoreRows(out, series, above, options, names.length > 1 ? name : null);
  }
  out.close();
}

/** @param name the series, where there are several */
function scoreRows(out: LineWriter, series: SeriesFile, above: number, options: Options, name: string | null): void {
  const detector = new AnomalyDetector(series.stepUs);
  if (name !== null && !options.json && !options.csv) out.line(name);
  for (const row of series.rows) {
    const judged = judge(detector, row);
    if (judged.score >= above) out.line(render(judged, options, name));
  }
  if (sayComplaints(series, notice)) process.exitCode = EXIT_DAMAGED;
}

/** The series; null, with the exit code set, when nothing of it can be read. */
export function readOrExplain(file: string, stepUs: number | null) {
  try {
    return readSeries(file, stepUs);
  } catch (error) {
    if (!(error instanceof WeirError) || !error.code.startsWith('series.')) throw error;
    notice(messageOf(error) + (error.hint ? ` (${error.hint})` : ''));
    process.exitCode = EXIT_UNREADABLE;
    return null;
  }
}

export function stepOption(text: string | undefined): number | null {
  if (text === undefined) return null;
  const stepUs = parseDurationUs(text);
  if (!(stepUs > 0)) throw new WeirError('usage.step', `--step ${text} is no duration`, { hint: '10s, 5m, 1h' });
  return stepUs;
}

function judge(detector: AnomalyDetector, row: SeriesRow): Row {
  const known = !Number.isNaN(row.timeUs);
  const answer = known ? detector.update(row.timeUs, row.value) : UNKNOWN;
  const number = (value: number) => (Number.isFinite(value) ? value : null);
  return {
    timestamp: row.timestamp,
    value: number(row.value),
    expected: number(answer.expected),
    low: number(answer.low),
    high: number(answer.high),
    score: answer.score,
  };
}

const UNKNOWN = { expected: Number.NaN, low: Number.NaN, high: Number.NaN, score: 0 };
const WIDTH = 14;
const HEADER = `${'timestamp'.padEnd(28)}${['value', 'expected', 'low', 'high', 'score'].map((name) => name.padStart(WIDTH)).join('')}`;

function render(row: Row, options: Options, series: string | null): string {
  const { timestamp, value, expected, low, high, score } = row;
  const numbers = [value, expected, low, high, score];
  if (options.json) return JSON.stringify(series === null ? row : { series, ...row });
  if (options.csv) return [...(series === null ? [] : [series]), timestamp, ...numbers.map((v) => v ?? '')].join(',');
  const cells = numbers.map((v) => (v === null ? '-' : String(Number(v.toPrecision(5)))).padStart(WIDTH));
  return timestamp.padEnd(28) + cells.join('');
}
