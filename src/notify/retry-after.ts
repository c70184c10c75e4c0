const MOST_MS = 3600_000;
const SECONDS = /^\d{1,9}$/;
/** All three forms begin with a weekday (RFC 9110, section 5.6.7). */
const HTTP_DATE = /^[A-Z][a-z]{2,8},? /;

/**
 * Reads a Retry-After header (RFC 9110, section 10.2.3): seconds or an HTTP date. At most one hour, so that a
 * receiver's mistake does not silence it for good. Undefined when the header is absent or nonsense.
 */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  if (SECONDS.test(text)) return Math.min(MOST_MS, Number(text) * 1000);
  const ms = HTTP_DATE.test(text) ? Date.parse(text) - nowMs : Number.NaN;
  return Number.isNaN(ms) ? undefined : Math.min(MOST_MS, Math.max(0, ms));
}
