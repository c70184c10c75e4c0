import type { SourceConfig } from '../config.ts';

/** Sources that give what comes, once, and cannot wait. */
const PASSING = new Set<SourceConfig['type']>(['stdin', 'tcpdump', 'live', 'netflow', 'ipfix', 'sflow']);

/** Some source begins at its start when nobody knows where it was: it brings again what it brought before. */
export function bringsAgain(sources: readonly SourceConfig[]): boolean {
  return sources.some(({ type }) => !PASSING.has(type));
}

/** No source loses anything when it is not asked for a while. */
export function canWait(sources: readonly SourceConfig[]): boolean {
  return !sources.some(({ type }) => PASSING.has(type));
}
