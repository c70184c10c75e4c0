import { readFileSync } from 'node:fs';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { messageOf, WeirError } from '../core/errors.ts';
import { formatUs, parseTimeUs } from '../core/time.ts';

/** Decompressed size at most; a series of a hundred million values is no series any more. */
const MOST_BYTES = 1 << 30;
const MOST_CELLS = 20_000_000;
const UTF16_MARK = 0xfeff;
/** Complaints printed of one file. */
const MOST_COMPLAINTS = 20;

export interface SeriesRow {
  /** As given; the computed time where the file has none. */
  timestamp: string;
  /** NaN when it could not be read. */
  timeUs: number;
  /** NaN when missing. */
  value: number;
}

export interface SeriesFile {
  file: string;
  rows: SeriesRow[];
  /** Median distance of neighbouring times. */
  stepUs: number;
  /** What was wrong, with line numbers. */
  complaints: string[];
}

/**
 * Reads a series: CSV with the columns `timestamp` and `value` (found by name, else by what is in them), separated by
 * comma, semicolon or tab, or one plain value a line when `stepUs` says how far they are apart. An empty value, `NaN` and
 * `null` are missing; lines that begin with `#` are comments.
 * Throws a `WeirError` `series.open` or `series.empty` when nothing can be read, `usage.step` for plain values without step.
 */
export function readSeries(file: string, stepUs: number | null): SeriesFile {
  const lines = readText(file).split(/\r\n|\n|\r/);
  const series: SeriesFile = { file, rows: [], stepUs: stepUs ?? Number.NaN, complaints: [] };
  let layout: Layout | null = null;
  for (let i = 0; i < lines.length; i++) {
    if (lines[i].trim() === '' || lines[i].startsWith('#')) continue;
    layout ??= layoutOf(lines[i], lines[i + 1] ?? '');
    if (layout.header === lines[i]) continue;
    addRow(series, cellsOf(lines[i], layout.separator), layout, i + 1);
  }
  if (!series.rows.some((row) => !Number.isNaN(row.timeUs) && !Number.isNaN(row.value))) {
    throw new WeirError('series.empty', `${file}: no line could be read as timestamp,value`, {
      hint: series.complaints[0] ?? 'the file is empty',
    });
  }
  if (stepUs === null || layout?.time !== -1) series.stepUs = medianStep(series.rows) || series.stepUs;
  if (!(series.stepUs > 0)) throw new WeirError('series.step', `${file}: too few rows to tell the step`);
  return series;
}

function readText(file: string): string {
  try {
    const bytes = readFileSync(file === '-' ? 0 : file);
    const limit = { maxOutputLength: MOST_BYTES };
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) return gunzipSync(bytes, limit).toString();
    if (bytes.length > 4 && bytes.readUInt32LE(0) === 0xfd2fb528) return zstdDecompressSync(bytes, limit).toString();
    if (bytes.length > 1 && bytes.readUInt16LE(0) === UTF16_MARK) return bytes.toString('utf16le').slice(1);
    return bytes.toString().replace(/^\ufeff/, '');
  } catch (cause) {
    throw new WeirError('series.open', `${file}: ${messageOf(cause)}`, { cause });
  }
}

/** Which column is what; -1 where there is none. */
interface Layout {
  /** The line that names the columns; null without. */
  header: string | null;
  separator: string;
  time: number;
  value: number;
}

const TIME_NAME = /^(timestamp|time|date|date[_ -]?time|ts|ds|when)$/i;
const VALUE_NAME = /^(value|y|val)$/i;

/** From the first line and the one behind it, which shows what is in the columns that no name explains. */
function layoutOf(first: string, second: string): Layout {
  const separator = ['\t', ';', ','].find((sign) => first.includes(sign)) ?? ',';
  const names = cellsOf(first, separator);
  if (names.length === 1) return { header: isValue(names[0]) ? null : first, separator, time: -1, value: 0 };
  const isHeader = names.some((name) => TIME_NAME.test(name) || VALUE_NAME.test(name)) || !names.some(isTime);
  const cells = isHeader ? cellsOf(second, separator) : names;
  const named = names.findIndex((name) => TIME_NAME.test(name));
  const time = named >= 0 ? named : Math.max(0, cells.findIndex(isTime));
  return { header: isHeader ? first : null, separator, time, value: valueColumn(names, cells, time) };
}

function valueColumn(names: string[], cells: string[], time: number): number {
  const named = names.findIndex((name) => VALUE_NAME.test(name));
  if (named >= 0) return named;
  const numeric = (cell: string, i: number) => i !== time && isValue(cell);
  const behind = cells.findIndex((cell, i) => i > time && numeric(cell, i));
  const any = behind >= 0 ? behind : cells.findIndex(numeric);
  return any >= 0 ? any : time === 0 ? 1 : 0;
}

function cellsOf(line: string, separator: string): string[] {
  const cells = line.split(separator).map((cell) =>
    cell
      .trim()
      .replace(/^"(.*)"$/, '$1')
      .trim(),
  );
  // Where the comma does not separate cells, it separates digits.
  return separator === ';' ? cells.map((cell) => cell.replace(/^(-?\d+),(\d+)$/, '$1.$2')) : cells;
}

function isTime(cell: string): boolean {
  return cell !== '' && !Number.isNaN(timeOf(cell));
}

function isValue(cell: string): boolean {
  return !Number.isNaN(Number(cell)) || isMissing(cell);
}

function isMissing(cell: string): boolean {
  return cell === '' || /^(nan|null|na|-)$/i.test(cell);
}

function addRow(series: SeriesFile, cells: string[], layout: Layout, line: number): void {
  const row = layout.time < 0 ? plainRow(series, cells[0]) : timedRow(cells, layout);
  const cell = cells[layout.value];
  if (cell !== undefined && !isMissing(cell)) row.value = Number(cell);
  if (Number.isNaN(row.timeUs)) complain(series, line, `"${printableStart(row.timestamp)}" is no time`);
  else if (cell === undefined) complain(series, line, 'there is no value');
  else if (!isMissing(cell) && !Number.isFinite(row.value)) {
    complain(series, line, `"${printableStart(cell)}" is no number`);
    row.value = Number.NaN;
  }
  series.rows.push(row);
}

function plainRow(series: SeriesFile, cell: string): SeriesRow {
  if (Number.isNaN(series.stepUs) && isValue(cell)) {
    throw new WeirError('usage.step', `${series.file} has values without times`, {
      hint: 'say how far apart: --step 5m',
    });
  }
  const timeUs = series.rows.length * series.stepUs;
  return { timestamp: Number.isNaN(timeUs) ? cell : formatUs(timeUs), timeUs, value: Number.NaN };
}

function timedRow(cells: string[], layout: Layout): SeriesRow {
  const timestamp = cells[layout.time] ?? '';
  return { timestamp, timeUs: timeOf(timestamp), value: Number.NaN };
}

/** ISO and `YYYY-MM-DD HH:MM:SS`, or a count of seconds, milliseconds or microseconds since the epoch. */
function timeOf(text: string): number {
  const iso = parseTimeUs(text.replace(/^(\d{4})\/(\d{2})\/(\d{2})/, '$1-$2-$3'));
  if (!Number.isNaN(iso) || text === '') return iso;
  const count = Number(text);
  const size = Math.abs(count);
  return Math.round(count * (size < 1e11 ? 1e6 : size < 1e14 ? 1e3 : 1));
}

function printableStart(text: string | undefined): string {
  return (text ?? '').replace(/[^\x20-\x7e]/g, '?').slice(0, 40);
}

function complain(series: SeriesFile, line: number, what: string): void {
  series.complaints.push(`line ${line}: ${what}`);
}

/** The median distance of neighbouring times, whatever order they came in; NaN for none. */
function medianStep(rows: SeriesRow[]): number {
  const times = Float64Array.from(rows, (row) => row.timeUs)
    .filter((timeUs) => !Number.isNaN(timeUs))
    .sort();
  const distances = times
    .subarray(1)
    .map((timeUs, i) => timeUs - times[i])
    .filter((distance) => distance > 0);
  return rounded(distances.sort()[distances.length >> 1] ?? Number.NaN);
}

/** Steps that people choose, in seconds. */
const USUAL_STEPS = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 14_400, 21_600];
const USUAL_DAYS = [43_200, 86_400, 604_800];

/** Clocks that jitter must not make a step that drifts. */
function rounded(stepUs: number): number {
  const usual = [...USUAL_STEPS, ...USUAL_DAYS].find((seconds) => Math.abs(stepUs / 1e6 / seconds - 1) < 0.02);
  return usual === undefined ? stepUs : usual * 1e6;
}

/** Rows as a regular series from the earliest time on: NaN where no row is, the last value where two are. */
export function toGrid(series: SeriesFile): { startUs: number; values: Float64Array } {
  const rows = series.rows.filter((row) => !Number.isNaN(row.timeUs));
  let startUs = Number.POSITIVE_INFINITY;
  let endUs = Number.NEGATIVE_INFINITY;
  for (const { timeUs } of rows) {
    startUs = Math.min(startUs, timeUs);
    endUs = Math.max(endUs, timeUs);
  }
  const cells = Math.round((endUs - startUs) / series.stepUs) + 1;
  if (!(cells <= MOST_CELLS)) {
    throw new WeirError(
      'series.span',
      `${series.file}: ${cells} steps between the first and the last time are too many`,
    );
  }
  const values = new Float64Array(cells).fill(Number.NaN);
  for (const { timeUs, value } of rows) {
    if (!Number.isNaN(value)) values[Math.round((timeUs - startUs) / series.stepUs)] = value;
  }
  return { startUs, values };
}

/** Says on standard error what was wrong with a file; true when anything was. */
export function sayComplaints({ file, complaints }: SeriesFile, say: (message: string) => void): boolean {
  for (const complaint of complaints.slice(0, MOST_COMPLAINTS)) say(`${file}: ${complaint}`);
  if (complaints.length > MOST_COMPLAINTS) say(`${file}: ${complaints.length - MOST_COMPLAINTS} more lines like these`);
  return complaints.length > 0;
}
