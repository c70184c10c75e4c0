import { BAD, type Delimited, type Verdict } from './dialect.ts';
import type { Column } from './fields.ts';
import type { LogRow } from './log-row.ts';

const QUOTE = 34;
const BLANKS = -1;

/** Reads lines of separated values: column by column, in the order of a header. */
export class LineRecord {
  readonly #separator: number;
  readonly #columns: readonly (Column | null)[];
  readonly #unset: readonly Uint8Array[];

  constructor(columns: Readonly<Record<string, Column>>, layout: Delimited) {
    this.#separator = layout.separator;
    this.#columns = layout.header.map((name) => (Object.hasOwn(columns, name) ? columns[name] : null));
    this.#unset = layout.unset.map((text) => Buffer.from(text));
  }

  /** Null when every column is there and every known one has a value of its kind. */
  read(bytes: Uint8Array, from: number, to: number, row: LogRow): Verdict {
    const columns = this.#columns;
    let at = from;
    for (let c = 0; c < columns.length; c++) {
      if (at > to) return BAD;
      let end = this.#fieldEnd(bytes, at, to);
      const next = this.#next(bytes, end, to);
      const column = columns[c];
      if (column !== null) {
        let start = at;
        if (bytes[start] === QUOTE && end - start >= 2 && bytes[end - 1] === QUOTE) {
          start++;
          end--;
        }
        while (start < end && bytes[start] === 32) start++;
        while (end > start && bytes[end - 1] === 32) end--;
        if (start < end && !this.#isUnset(bytes, start, end) && !row.put(column, bytes, start, end)) return BAD;
      }
      at = next;
    }
    return null;
  }

  #fieldEnd(bytes: Uint8Array, from: number, to: number): number {
    const separator = this.#separator;
    let at = from;
    if (separator === BLANKS) {
      while (at < to && bytes[at] !== 32 && bytes[at] !== 9) at++;
      return at;
    }
    if (separator !== 9 && bytes[at] === QUOTE) {
      at++;
      while (at < to && bytes[at] !== QUOTE) at++;
    }
    while (at < to && bytes[at] !== separator) at++;
    return at;
  }

  /** Where the next field begins; behind the line's end when there is none. */
  #next(bytes: Uint8Array, end: number, to: number): number {
    if (end >= to) return to + 1;
    if (this.#separator !== BLANKS) return end + 1;
    let at = end;
    while (at < to && (bytes[at] === 32 || bytes[at] === 9)) at++;
    return at < to ? at : to + 1;
  }

  #isUnset(bytes: Uint8Array, from: number, to: number): boolean {
    for (const unset of this.#unset) {
      if (unset.length !== to - from) continue;
      let same = true;
      for (let i = 0; i < unset.length && same; i++) same = unset[i] === bytes[from + i];
      if (same) return true;
    }
    return false;
  }
}
