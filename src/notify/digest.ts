import { keyHash } from './key-hash.ts';

/** What a digest tells; amounts are texts already, since only their source knows their units. */
export interface DigestData {
  /** `Daily report`. */
  title: string;
  /** ISO 8601. */
  from: string;
  until: string;
  /** One line a rule and severity, most first. */
  alerts: { rule: string; title: string; severity: string; count: number; active: number; longest: string }[];
  /** `Top senders`, ... */
  talkers: { title: string; rows: { name: string; amount: string; share: number }[] }[];
  totals: { name: string; value: string; change: string | null }[];
  /** Sentences. */
  forecasts: string[];
  drops: { cause: string; count: number }[];
}

/** The same for the same title and period, so that a report is sent once. */
export function digestKey({ title, from, until }: DigestData): string {
  return keyHash([title, from, until]);
}
