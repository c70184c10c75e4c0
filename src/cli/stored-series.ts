import { requireConfig } from '../config.ts';
import { WeirError } from '../core/errors.ts';
import type { LineWriter } from '../core/output.ts';
import { formatUs } from '../core/time.ts';
import { recordText } from '../forecast/forecast.ts';
import { HistoryReader, newestForecastUs, openState, readForecastRecords } from '../store/store.ts';
import type { SeriesFile } from './series-file.ts';
import { historyPath } from './store-option.ts';
import { table } from './table.ts';

/** The history that `-c` or `--store` names; null when neither is given. */
export function storedPath(options: { config?: string; store?: string }): string | null {
  if (options.config === undefined && options.store === undefined) return null;
  return historyPath(options, options.config === undefined ? null : requireConfig(options.config));
}

/** The series that a store keeps: name, points, span. */
export async function listSeries(out: LineWriter, path: string, json: boolean): Promise<void> {
  const reader = new HistoryReader(path);
  const all = await reader.seriesNames();
  reader.close();
  const rows = all.map(({ series, points, firstUs, lastUs }) => ({
    series,
    points,
    first: formatUs(firstUs),
    last: formatUs(lastUs),
  }));
  if (json) for (const row of rows) out.json(row);
  else for (const line of table(['series', 'points', 'first', 'last'], rows.map(cells))) out.line(line);
}

const cells = (row: { series: string; points: number; first: string; last: string }): string[] => [
  row.series,
  String(row.points),
  row.first.slice(0, 16),
  row.last.slice(0, 16),
];

const DIRECTIONS = ['in.bps', 'out.bps', 'bps'];

/** An interface by its short name, `EXPORTER/IFINDEX`, is each of its stored loads; other names are themselves. */
export async function namesOf(path: string, name: string): Promise<string[]> {
  const match = /^([^/\s]+\/\d+)(@\w+)?$/.exec(name);
  if (!match) return [name];
  const reader = new HistoryReader(path);
  const known = new Set((await reader.seriesNames()).map(({ series }) => series));
  reader.close();
  const loads = DIRECTIONS.map((way) => `interface/${match[1]}.${way}`).filter((load) => known.has(load));
  return known.has(name) || loads.length === 0 ? [name] : loads.map((load) => load + (match[2] ?? ''));
}

/** One stored series, as if it had come from a file. The step is the median distance of its points. */
export async function readStored(path: string, name: string): Promise<SeriesFile> {
  const reader = new HistoryReader(path);
  const points = await reader.series(name);
  const known = points.length > 1 ? [] : await reader.seriesNames();
  reader.close();
  if (points.length < 2) {
    const hint =
      known.length === 0 ? 'the store keeps no series' : `known: ${known.map(({ series }) => series).join(', ')}`;
    throw new WeirError('series.unknown', `the store has no series ${name} of two or more points`, { hint });
  }
  const rows = points.map(({ timeUs, value }) => ({ timestamp: formatUs(timeUs), timeUs, value }));
  const gaps = rows.slice(1).map((row, i) => row.timeUs - rows[i].timeUs);
  const stepUs = gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length / 2)];
  return { file: name, rows, stepUs, complaints: [] };
}

const MONTH_US = 30 * 86_400e6;

/** How the published forecasts of a store did in the 30 days before the newest judged one. */
export function listRecords(out: LineWriter, folder: string, json: boolean): void {
  const db = openState(folder, { readOnly: true });
  const records = readForecastRecords(db, newestForecastUs(db) - MONTH_US);
  db.close();
  for (const record of records) {
    const { horizonUs, ...rest } = record;
    if (json) out.json({ ...rest, horizon: horizonUs / 1e6 });
    else out.line(recordText(record));
  }
  if (records.length === 0 && !json) out.line('no forecast was published and judged yet: weir run does so every hour');
}
