import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface Retention {
  /** Hours of event time older than this leave, microseconds. */
  ageUs: number;
  /** Bytes of history kept; the oldest hours leave first. */
  size: number;
}

interface Hour {
  folders: string[];
  hour: string;
  bytes: number;
}

/**
 * Removes whole hours of history, oldest first, until age and size hold.
 * @returns the hours removed (`2026-11-24/03`) and the bytes freed
 */
export function applyRetention(path: string, retention: Retention, nowUs: number): { hours: string[]; bytes: number } {
  const hours = listHours(path);
  const oldest = new Date((nowUs - retention.ageUs) / 1000).toISOString();
  const limit = `${oldest.slice(0, 10)}/${oldest.slice(11, 13)}`;
  let total = hours.reduce((sum, hour) => sum + hour.bytes, 0);
  const removed = { hours: [] as string[], bytes: 0 };
  for (const hour of hours) {
    if (hour.hour >= limit && total <= retention.size) break;
    for (const folder of hour.folders) rmSync(folder, { recursive: true, force: true });
    total -= hour.bytes;
    removed.hours.push(hour.hour);
    removed.bytes += hour.bytes;
  }
  return removed;
}

function listHours(path: string): Hour[] {
  const hours = new Map<string, Hour>();
  for (const kind of folders(path)) {
    for (const day of folders(join(path, kind))) {
      for (const hour of folders(join(path, kind, day))) {
        const folder = join(path, kind, day, hour);
        const known = hours.get(`${day}/${hour}`) ?? { folders: [], hour: `${day}/${hour}`, bytes: 0 };
        known.folders.push(folder);
        for (const file of readdirSync(folder)) known.bytes += statSync(join(folder, file)).size;
        hours.set(known.hour, known);
      }
    }
  }
  return [...hours.values()].sort((a, b) => (a.hour < b.hour ? -1 : 1));
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
