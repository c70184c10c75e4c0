import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';

const HOUR_US = 3600e6;

/** The folder of an hour of event time: `2026-11-24/03`. */
export function hourFolder(hour: number): string {
  const iso = new Date(hour * 3600e3).toISOString();
  return join(iso.slice(0, 10), iso.slice(11, 13));
}

/** Hours since the epoch of an event time. */
export function hourOf(timeUs: number): number {
  return Math.floor(timeUs / HOUR_US);
}

/** A path as an SQL literal. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Bytes that a checkpoint counts on must outlive a loss of power. @returns the file's size */
async function synced(path: string): Promise<number> {
  const file = await open(path, 'r');
  try {
    await file.sync();
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

/**
 * Writes the rows of a query as one Parquet file, beside its name and then renamed, so that a reader never sees half
 * a file and a repeated write replaces its twin.
 * @returns bytes written
 */
export async function writeParquet(
  connection: DuckDBConnection,
  select: string,
  path: string,
  compression: 'zstd' | 'snappy' = 'zstd',
): Promise<number> {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.tmp`;
  try {
    await connection.run(`COPY (${select}) TO ${sqlText(temporary)} (FORMAT parquet, COMPRESSION ${compression})`);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  const size = await synced(temporary);
  renameSync(temporary, path);
  return size;
}
