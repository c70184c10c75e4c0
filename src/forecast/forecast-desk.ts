import { formatDuration } from '../core/units.ts';
import type { ForecastJournal, ForecastRecord, PublishedForecast } from '../model/published-forecast.ts';
import type { LoadSeries } from './followed-load.ts';
import { DAY_US } from './steps.ts';

const HOUR_US = DAY_US / 24;
const DEFAULT_HORIZONS = [HOUR_US, DAY_US];
/** Time over which the record is kept in view, and after which forecasts are removed. */
const VIEW_US = 30 * DAY_US;
const KEEP_US = 90 * DAY_US;
/** Judged forecasts before the record says which method is better: two days of hourly ones. */
const LEAST_JUDGED = 48;
/** The simple method must be better by this much: a change of mind costs trust. */
const CLEARLY = 0.95;
const HELD = 0.95;

/** What `publish` did, for the log. */
export interface DeskReport {
  published: number;
  judged: number;
  /** Forecasts that the simple method makes now, in words. */
  fallbacks: string[];
}

/**
 * Publishes forecasts of the loads, judges them when their time has come, and knows its own record. Where the simple
 * method (the last value within half a day, the same time yesterday further ahead) has been clearly better over the last
 * 30 days, it speaks instead, with the interval of its own errors, and that is said. Everything follows the event time of
 * the series: calling `publish` again before the next step changes nothing.
 */
export class ForecastDesk {
  readonly #loads: { all(): LoadSeries[] };
  readonly #journal: ForecastJournal;
  readonly #horizonsUs: readonly number[];
  readonly #maxSeries: number;

  constructor(
    options: { horizonsUs?: readonly number[]; maxSeries?: number },
    deps: { loads: { all(): LoadSeries[] }; journal: ForecastJournal },
  ) {
    this.#horizonsUs = options.horizonsUs ?? DEFAULT_HORIZONS;
    this.#maxSeries = options.maxSeries ?? 200;
    this.#loads = deps.loads;
    this.#journal = deps.journal;
  }

  publish(): DeskReport {
    return this.#journal.together(() => this.#publish());
  }

  #publish(): DeskReport {
    const report: DeskReport = { published: 0, judged: 0, fallbacks: [] };
    const chosen = this.#chosen();
    for (const series of chosen) report.judged += this.#judge(series);
    const nowUs = chosen.reduce((latest, { lastUs }) => Math.max(latest, lastUs), 0);
    const records = new Map(this.#journal.records(nowUs - VIEW_US).map((record) => [nameOf(record), record]));
    for (const series of chosen) {
      const rows = this.#forecasts(series, records, nowUs);
      this.#journal.publish(rows);
      report.published += rows.length;
      for (const { horizonUs } of rows) {
        const record = records.get(nameOf({ series: series.name, horizonUs }));
        if (record && fallsBack(record)) report.fallbacks.push(recordText(record));
      }
    }
    this.#journal.prune(nowUs - KEEP_US);
    return report;
  }

  /** How published forecasts did in the last 30 days before the newest step. */
  records(): ForecastRecord[] {
    const nowUs = this.#loads.all().reduce((latest, { lastUs }) => Math.max(latest, lastUs), 0);
    return this.#journal.records(nowUs - VIEW_US);
  }

  /** The largest loads, because nobody plans with the smallest. */
  #chosen(): LoadSeries[] {
    const all = this.#loads.all();
    if (all.length <= this.#maxSeries) return all;
    return all.sort((a, b) => b.lastValue - a.lastValue).slice(0, this.#maxSeries);
  }

  #judge(series: LoadSeries): number {
    const due = this.#journal.due(series.name, series.lastUs);
    for (const forecast of due) {
      const actual = valueAt(series, forecast.timeUs);
      this.#journal.judge(forecast, Number.isNaN(actual) ? null : actual);
    }
    return due.length;
  }

  #forecasts(series: LoadSeries, records: Map<string, ForecastRecord>, nowUs: number): PublishedForecast[] {
    const { name, stepUs, lastUs, model } = series;
    const ahead = Math.max(...this.#horizonsUs) + stepUs;
    const { points, learned } = model.forecast(Math.ceil(ahead / model.forecast(1).stepUs));
    if (!learned) return [];
    const rows: PublishedForecast[] = [];
    for (const horizonUs of this.#horizonsUs) {
      const point = points.find(({ timeUs }) => timeUs >= lastUs + horizonUs);
      if (!point) continue;
      const { timeUs, expected, low95, high95 } = point;
      const simple = simpleForecast(series, horizonUs, timeUs);
      const row = { series: name, horizonUs, issuedUs: lastUs, timeUs, model: expected, simple };
      const record = records.get(nameOf(row));
      const spread =
        record && fallsBack(record) ? this.#journal.simpleSpread(name, horizonUs, nowUs - VIEW_US, HELD) : Number.NaN;
      if (spread >= 1) rows.push({ ...row, expected: simple, low95: simple / spread, high95: simple * spread });
      else rows.push({ ...row, expected, low95, high95 });
    }
    return rows;
  }
}

const nameOf = ({ series, horizonUs }: { series: string; horizonUs: number }): string => `${series} ${horizonUs}`;

/** Whether the simple method speaks instead of the model. */
function fallsBack({ n, wapeModel, wapeSimple }: ForecastRecord): boolean {
  return n >= LEAST_JUDGED && wapeSimple < CLEARLY * wapeModel;
}

function simpleForecast(series: LoadSeries, horizonUs: number, timeUs: number): number {
  if (horizonUs < DAY_US / 2) return series.lastValue;
  const yesterday = valueAt(series, timeUs - DAY_US * Math.ceil(horizonUs / DAY_US));
  return Number.isNaN(yesterday) ? series.lastValue : yesterday;
}

/** The value of the step that ended at `timeUs`; NaN when it is not kept any more. */
function valueAt({ recent, lastUs, stepUs }: LoadSeries, timeUs: number): number {
  return recent[recent.length - 1 - Math.round((lastUs - timeUs) / stepUs)] ?? Number.NaN;
}

/** "total.bps, a day ahead: last 30 days 4.1 %, 95 % interval held 94.6 %". */
export function recordText(record: ForecastRecord): string {
  const { series, horizonUs, wape, held95, wapeModel, wapeSimple } = record;
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const text = `${series}, ${formatDuration(horizonUs)} ahead: last 30 days ${percent(wape)}, 95 % interval held ${percent(held95)}`;
  if (!fallsBack(record)) return text;
  const simple = horizonUs < DAY_US / 2 ? 'the last value' : 'the same time yesterday';
  return `${text}; ${simple} is better than the model (${percent(wapeSimple)} against ${percent(wapeModel)}) and used instead`;
}
