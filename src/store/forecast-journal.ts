import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ForecastJournal, ForecastRecord, PublishedForecast } from '../model/published-forecast.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS forecast (
    series TEXT NOT NULL,
    horizon_us REAL NOT NULL,
    time_us REAL NOT NULL,
    issued_us REAL NOT NULL,
    expected REAL NOT NULL,
    low95 REAL NOT NULL,
    high95 REAL NOT NULL,
    model REAL NOT NULL,
    simple REAL NOT NULL,
    actual REAL,
    PRIMARY KEY (series, horizon_us, time_us)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS forecast_time ON forecast (time_us);
`;

const COLUMNS =
  'series, horizon_us AS horizonUs, time_us AS timeUs, issued_us AS issuedUs, expected, low95, high95, model, simple';
const RECORDS = `
  SELECT series, horizon_us AS horizonUs, count(*) AS n,
    coalesce(avg(CASE WHEN actual > 0 THEN abs(expected - actual) / actual END), 0) AS mape,
    coalesce(sum(abs(expected - actual)) / nullif(sum(abs(actual)), 0), 0) AS wape,
    coalesce(sum(abs(model - actual)) / nullif(sum(abs(actual)), 0), 0) AS wapeModel,
    coalesce(sum(abs(simple - actual)) / nullif(sum(abs(actual)), 0), 0) AS wapeSimple,
    avg(actual >= low95 AND actual <= high95) AS held95
  FROM forecast WHERE actual IS NOT NULL AND time_us >= ? GROUP BY series, horizon_us ORDER BY series, horizon_us`;
const SPREAD = `
  SELECT max(actual / simple, simple / actual) AS off FROM forecast
  WHERE series = ? AND horizon_us = ? AND time_us >= ? AND actual > 0 AND simple > 0 ORDER BY off`;

/** Published forecasts in the state database. */
export class SqliteForecastJournal implements ForecastJournal {
  readonly #db: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #due: StatementSync;
  readonly #judge: StatementSync;
  readonly #remove: StatementSync;

  constructor(db: DatabaseSync) {
    db.exec(SCHEMA);
    this.#db = db;
    this.#insert = db.prepare(
      'INSERT OR IGNORE INTO forecast (series, horizon_us, time_us, issued_us, expected, low95, high95, model, simple) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.#due = db.prepare(
      `SELECT ${COLUMNS} FROM forecast WHERE series = ? AND actual IS NULL AND time_us <= ? ORDER BY time_us`,
    );
    const place = 'WHERE series = ? AND horizon_us = ? AND time_us = ?';
    this.#judge = db.prepare(`UPDATE forecast SET actual = ? ${place}`);
    this.#remove = db.prepare(`DELETE FROM forecast ${place}`);
  }

  together<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  publish(forecasts: readonly PublishedForecast[]): void {
    for (const f of forecasts) {
      this.#insert.run(f.series, f.horizonUs, f.timeUs, f.issuedUs, f.expected, f.low95, f.high95, f.model, f.simple);
    }
  }

  due(series: string, untilUs: number): PublishedForecast[] {
    return this.#due.all(series, untilUs) as unknown as PublishedForecast[];
  }

  judge({ series, horizonUs, timeUs }: PublishedForecast, actual: number | null): void {
    if (actual === null) this.#remove.run(series, horizonUs, timeUs);
    else this.#judge.run(actual, series, horizonUs, timeUs);
  }

  records(sinceUs: number): ForecastRecord[] {
    return readForecastRecords(this.#db, sinceUs);
  }

  simpleSpread(series: string, horizonUs: number, sinceUs: number, q: number): number {
    const rows = this.#db.prepare(SPREAD).all(series, horizonUs, sinceUs);
    return rows.length > 0 ? Number(rows[Math.min(rows.length - 1, Math.floor(q * rows.length))]['off']) : Number.NaN;
  }

  prune(beforeUs: number): void {
    this.#db.prepare('DELETE FROM forecast WHERE time_us < ?').run(beforeUs);
  }
}

/** The records of a state database, also of one opened to read; none where nothing was ever published. */
export function readForecastRecords(db: DatabaseSync, sinceUs: number): ForecastRecord[] {
  return isThere(db) ? (db.prepare(RECORDS).all(sinceUs) as unknown as ForecastRecord[]) : [];
}

/** Time of the newest forecast that was judged; 0 without any. */
export function newestForecastUs(db: DatabaseSync): number {
  const newest = 'SELECT max(time_us) AS last FROM forecast WHERE actual IS NOT NULL';
  return isThere(db) ? Number(db.prepare(newest).get()?.['last'] ?? 0) : 0;
}

function isThere(db: DatabaseSync): boolean {
  return db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'forecast'").get() !== undefined;
}
