/** Facts that belong to an error: plain values that can be logged and printed as JSON. */
export type ErrorFacts = Record<string, string | number | boolean | null>;

/**
 * An operational error: something outside weir went wrong and a caller can handle it.
 * `code` is stable and dotted (`capture.truncated`); `hint` names the remedy.
 */
export class WeirError extends Error {
  readonly code: string;
  readonly facts: ErrorFacts;
  readonly hint: string | undefined;

  constructor(code: string, message: string, options: { facts?: ErrorFacts; hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'WeirError';
    this.code = code;
    this.facts = options.facts ?? {};
    this.hint = options.hint;
  }
}

/** A finding in a text file, with its place (1-based), as `weir check` and `weir test` print it. */
export interface Finding {
  file: string;
  line: number;
  column: number;
  code: string;
  message: string;
  hint?: string;
  /** Absent: an error. A warning does not keep a file from loading. */
  level?: 'warning';
}

/** Damage in an input: bytes before `offset` were used. */
export interface InputError {
  code: string;
  offset: number;
  message: string;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
