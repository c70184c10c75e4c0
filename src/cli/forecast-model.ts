import { readFileSync } from 'node:fs';
import { messageOf, WeirError } from '../core/errors.ts';
import { CalendarForecaster, forecasters, localTimes, pooledForecaster } from '../forecast/forecast.ts';
import type { LoadForecaster } from '../model/series.ts';
import { type SeriesFile, toGrid } from './series-file.ts';

export interface Grid {
  startUs: number;
  values: Float64Array;
}

export interface ModelOptions {
  holidays?: string;
  zone?: string;
  /** Holidays of the configuration, where no file names others. */
  dates?: readonly string[];
}

/** A series younger than this borrows its day from a parent. */
const YOUNG_US = 2 * 86_400e6;

/** Makes forecasters that have learned a series; a young one with the parent's past before it, where there is a parent. */
export function modelMaker(options: ModelOptions, parent: SeriesFile | null) {
  const holidays = options.holidays === undefined ? (options.dates ?? []) : readDates(options.holidays);
  const { zone } = options;
  const calendar = holidays.length > 0 || zone !== undefined;
  const create = (stepUs: number): LoadForecaster => {
    const plain = forecasters.create({ stepUs });
    return calendar ? withCalendar(plain, holidays, zone) : plain;
  };
  const born = parent === null ? null : { stepUs: parent.stepUs, ...recentOf(toGrid(parent), parent.stepUs) };
  return ({ stepUs }: SeriesFile, grid: Grid): LoadForecaster => {
    const child = { stepUs, ...recentOf(grid, stepUs) };
    const factory = { create: () => create(stepUs) };
    const pooled =
      born !== null && grid.values.length * stepUs < YOUNG_US ? pooledForecaster(child, born, factory) : null;
    if (pooled) return pooled;
    const model = create(stepUs);
    grid.values.forEach((value, i) => {
      model.update(grid.startUs + i * stepUs, value);
    });
    return model;
  };
}

function recentOf({ startUs, values }: Grid, stepUs: number) {
  return { recent: values, lastUs: startUs + (values.length - 1) * stepUs };
}

function withCalendar(inner: LoadForecaster, holidays: readonly string[], zone: string | undefined): LoadForecaster {
  return orUnknown(zone, () => new CalendarForecaster(inner, { holidays, zone }));
}

function orUnknown<T>(zone: string | undefined, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw new WeirError('usage.zone', `--zone ${zone}: nobody knows this time zone`, { cause, hint: 'Europe/Berlin' });
  }
}

/** A series by the clock on the wall: the hour that a change leaves out is missing, of one that comes twice the second counts. */
export function inZone({ startUs, values }: Grid, stepUs: number, zone: string): Grid {
  const toLocal = orUnknown(zone, () => localTimes(zone));
  const first = toLocal(startUs);
  const at = (i: number) => Math.round((toLocal(startUs + i * stepUs) - first) / stepUs);
  const local = new Float64Array(Math.max(values.length, at(values.length - 1) + 1)).fill(Number.NaN);
  values.forEach((value, i) => {
    local[at(i)] = value;
  });
  return { startUs: first, values: local };
}

/** One date a line, what follows it is a comment. */
function readDates(path: string): string[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new WeirError('usage.holidays', `--holidays ${path}: ${messageOf(cause)}`, { cause });
  }
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const dates = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const wrong = dates.find((line) => Number.isNaN(Date.parse(line.slice(0, 10))) || !/^\d{4}-\d\d-\d\d/.test(line));
  if (wrong !== undefined) {
    throw new WeirError('usage.holidays', `--holidays ${path}: "${wrong.slice(0, 40)}" is no date`, {
      hint: 'a date a line, as 2026-12-25',
    });
  }
  return dates.map((line) => line.slice(0, 10));
}
