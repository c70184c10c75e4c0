const MOST_MS = 3600_000;

/**
 * Reads a Retry-After header (RFC 9110, section 10.2.3): seconds or an HTTP date. At most one hour, so that a
 * receiver's mistake does not silence it for good. Undefined when the header is absent or nonsense.
 */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  if (Number.isNaN(ms) || !/^\d|^[A-Z][a-z]{2}/.test(text)) return undefined;
  return Math.min(MOST_MS, Math.max(0, ms));
}
