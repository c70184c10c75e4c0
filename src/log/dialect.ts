import type { Column } from './fields.ts';
import type { LogRow } from './log-row.ts';

/** Why a record gives no row: `null` when it does; `bad` for damage; any other word is counted as its cause. */
export type Verdict = string | null;
export const BAD = 'bad';

/** A kind of log: which of its values are what, and what its own ways mean. */
export interface Dialect {
  readonly name: string;
  /** Columns by header name, or by path in JSON: names of nested objects joined by `/`. */
  readonly columns: Readonly<Record<string, Column>>;
  /** Texts in JSON that say "nothing". */
  readonly unset?: readonly string[];
  /** Turns what was read into what a row has. */
  finish(row: LogRow): Verdict;
}

/** How a log of lines with separated values is cut. */
export interface Delimited {
  /** The separator's byte; -1: one or more blanks. */
  readonly separator: number;
  /** Header names in order. */
  readonly header: readonly string[];
  /** Values that say "nothing". */
  readonly unset: readonly string[];
  /** Lines that begin with this byte are no rows; -1 for none. */
  readonly comment: number;
}
