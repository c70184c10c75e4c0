const ISO = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{2})?$/i;

/** Microseconds since the epoch as ISO 8601 UTC with six digits (`2017-09-10T17:52:28.969488Z`). */
export function formatUs(timeUs: number): string {
  return formatTime(timeUs, 0, 6);
}

/**
 * Time with the capture's own digits: 6 for microseconds, 9 for nanoseconds.
 * @param nanos the 0..999 nanoseconds below the microsecond
 */
export function formatTime(timeUs: number, nanos: number, digits: 6 | 9): string {
  const seconds = Math.floor(timeUs / 1e6);
  const micros = Math.round(timeUs - seconds * 1e6);
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return 'invalid';
  const fraction = String(micros).padStart(6, '0') + (digits === 9 ? String(nanos).padStart(3, '0') : '');
  return `${date.toISOString().slice(0, -5)}.${fraction}Z`;
}

/** Reads ISO 8601 or `YYYY-MM-DD HH:MM:SS` (UTC unless an offset is given) as microseconds; NaN when it is no time. */
export function parseTimeUs(text: string): number {
  const match = ISO.exec(text.trim());
  if (!match) return Number.NaN;
  const [, day, clock = '00:00:00', fraction = '', zone = 'Z'] = match;
  const ms = Date.parse(`${day}T${clock.length === 5 ? `${clock}:00` : clock}${zone.toUpperCase()}`);
  return ms * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6));
}
