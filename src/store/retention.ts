import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface Retention {
  /** Hours of event time older than this leave, microseconds. */
  ageUs: number;
  /** The same for load series, which are small and what a forecast of the year stands on; default `ageUs`. */
  seriesAgeUs?: number;
  /** Bytes of history kept; the oldest hours leave first. */
  size: number;
}

interface Hour {
  folders: string[];
  hour: string;
  /** Hours before this one leave whatever the size. */
  limit: string;
  bytes: number;
}

/**
 * Removes whole hours of history, oldest first, until age and size hold.
 * @returns the hours removed (`2026-11-24/03`) and the bytes freed
 */
export function applyRetention(path: string, retention: Retention, nowUs: number): { hours: string[]; bytes: number } {
  const kinds = folders(path);
  const { ageUs, seriesAgeUs = ageUs } = retention;
  const hours = [
    ...listHours(
      path,
      kinds.filter((kind) => kind !== SERIES),
      hourName(nowUs - ageUs),
    ),
    ...listHours(
      path,
      kinds.filter((kind) => kind === SERIES),
      hourName(nowUs - seriesAgeUs),
    ),
  ].sort((a, b) => (a.hour < b.hour ? -1 : 1));
  let total = hours.reduce((sum, hour) => sum + hour.bytes, 0);
  const removed = { hours: [] as string[], bytes: 0 };
  for (const hour of hours) {
    if (hour.hour >= hour.limit && total <= retention.size) continue;
    for (const folder of hour.folders) rmSync(folder, { recursive: true, force: true });
    total -= hour.bytes;
    removed.hours.push(hour.hour);
    removed.bytes += hour.bytes;
  }
  return removed;
}

const SERIES = 'series';

function hourName(timeUs: number): string {
  const iso = new Date(timeUs / 1000).toISOString();
  return `${iso.slice(0, 10)}/${iso.slice(11, 13)}`;
}

function listHours(path: string, kinds: readonly string[], limit: string): Hour[] {
  const hours = new Map<string, Hour>();
  for (const kind of kinds) {
    for (const day of folders(join(path, kind))) {
      for (const hour of folders(join(path, kind, day))) {
        const folder = join(path, kind, day, hour);
        const known = hours.get(`${day}/${hour}`) ?? { folders: [], hour: `${day}/${hour}`, limit, bytes: 0 };
        known.folders.push(folder);
        for (const file of readdirSync(folder)) known.bytes += statSync(join(folder, file)).size;
        hours.set(known.hour, known);
      }
    }
  }
  return [...hours.values()];
}

function folders(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}
