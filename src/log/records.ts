import { BAD, type Delimited, type Dialect, type Verdict } from './dialect.ts';
import { eve } from './eve.ts';
import type { LogFormat } from './format.ts';
import { gcp } from './gcp.ts';
import { goflow2 } from './goflow2.ts';
import { type HeaderReader, PlainHeader, VpcHeader, ZeekLines, ZeekPlain } from './headers.ts';
import { BROKEN, JsonRecord, WHOLE } from './json-record.ts';
import { LineRecord } from './line-record.ts';
import type { LogRow } from './log-row.ts';
import { mappedDialect } from './mapping.ts';
import { nfdumpCsv, nfdumpJson } from './nfdump.ts';
import { vpc } from './vpc.ts';
import { zeek } from './zeek.ts';

/** No whole record is there yet. */
export const WAIT = 'wait';
/** Nothing: a header, a comment, an empty line. */
const NOTHING = '';

/** Cuts a log into records and reads them, one a call. */
export interface Records {
  /** Where the record that was read last began, and behind its end. */
  readonly start: number;
  readonly end: number;
  /** Lines that ended since the record before. */
  readonly lines: number;
  /** Why the latest record was bad. */
  readonly reason: string;
  readonly header: string;
  restoreHeader(header: string): void;
  next(bytes: Uint8Array, from: number, to: number, row: LogRow, last: boolean): Verdict;
}

export function recordsOf(format: LogFormat): Records {
  if (typeof format !== 'string') {
    const dialect = mappedDialect(format);
    if (format.format === 'json') return new JsonRecords(dialect);
    return new LineRecords(dialect, new PlainHeader(format.separator, format.header));
  }
  switch (format) {
    case 'zeek':
      return new LineRecords(zeek, new ZeekLines());
    case 'zeek-csv':
      return new LineRecords(zeek, new ZeekPlain());
    case 'vpc':
      return new LineRecords(vpc, new VpcHeader());
    case 'nfdump-csv':
      return new LineRecords(nfdumpCsv, new PlainHeader(',', undefined, { nfdump: true }));
    case 'zeek-json':
      return new JsonRecords(zeek);
    case 'eve':
      return new JsonRecords(eve());
    case 'nfdump-json':
      return new JsonRecords(nfdumpJson);
    case 'goflow2':
      return new JsonRecords(goflow2);
    case 'gcp':
      return new JsonRecords(gcp);
  }
}

/** Objects, one a line or in a list, over any number of lines. */
class JsonRecords implements Records {
  start = 0;
  end = 0;
  lines = 0;
  reason = '';
  readonly header = '';
  readonly #record: JsonRecord;
  readonly #dialect: Dialect;
  /** After damage: the rest of a broken object of many lines is passed over without counting each line. */
  #lost = false;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
    this.#record = new JsonRecord(dialect.columns, dialect.unset);
  }

  restoreHeader(_header: string): void {}

  next(bytes: Uint8Array, from: number, to: number, row: LogRow, last: boolean): Verdict {
    let at = from;
    this.lines = 0;
    for (; at < to && isBetween(bytes[at]); at++) if (bytes[at] === 10) this.lines++;
    this.start = at;
    if (at === to) return this.#give(to, NOTHING);
    if (bytes[at] !== 123) return this.#broken(bytes, at, to, last, 'no JSON object begins here');
    const outcome = this.#record.read(bytes, at, to, row);
    if (outcome === WHOLE) {
      this.#lost = false;
      this.lines += linesIn(bytes, at, this.#record.end);
      this.reason = 'a value is not of its kind';
      return this.#give(this.#record.end, this.#record.valuesGood ? this.#finish(row) : BAD);
    }
    if (outcome === BROKEN) return this.#broken(bytes, at, to, last, 'the JSON object is broken');
    if (!last) return WAIT;
    return this.#broken(bytes, at, to, last, 'the JSON object is cut short');
  }

  #finish(row: LogRow): Verdict {
    const verdict = this.#dialect.finish(row);
    if (verdict === BAD) this.reason = 'the record has no flow';
    return verdict;
  }

  /** Goes on with the next line. */
  #broken(bytes: Uint8Array, at: number, to: number, last: boolean, reason: string): Verdict {
    const lineEnd = bytes.indexOf(10, at);
    const whole = lineEnd >= 0 && lineEnd < to;
    if (!whole && !last) return WAIT;
    this.reason = reason;
    const verdict = this.#lost ? NOTHING : BAD;
    this.#lost = true;
    if (whole) this.lines++;
    return this.#give(whole ? lineEnd + 1 : to, verdict);
  }

  #give(end: number, verdict: Verdict): Verdict {
    this.end = end;
    return verdict;
  }
}

/** Blanks, commas and brackets of a list, a byte order mark. */
function isBetween(byte: number): boolean {
  return byte <= 32 || byte === 44 || byte === 91 || byte === 93 || byte >= 0xef;
}

export function linesIn(bytes: Uint8Array, from: number, to: number): number {
  let lines = 0;
  for (let i = bytes.indexOf(10, from); i >= 0 && i < to; i = bytes.indexOf(10, i + 1)) lines++;
  return lines;
}

class LineRecords implements Records {
  start = 0;
  end = 0;
  lines = 0;
  reason = '';
  readonly #dialect: Dialect;
  readonly #headerReader: HeaderReader;
  #layout: Delimited | null = null;
  #record: LineRecord | null = null;

  constructor(dialect: Dialect, header: HeaderReader) {
    this.#dialect = dialect;
    this.#headerReader = header;
  }

  get header(): string {
    return this.#headerReader.text;
  }

  restoreHeader(header: string): void {
    for (const line of header.split('\n')) {
      const bytes = Buffer.from(line);
      if (bytes.length > 0) this.#headerReader.take(bytes, 0, bytes.length);
    }
  }

  next(bytes: Uint8Array, from: number, to: number, row: LogRow, last: boolean): Verdict {
    const found = bytes.indexOf(10, from);
    const whole = found >= 0 && found < to;
    if (!whole && !last) return WAIT;
    this.start = from + markLength(bytes, from);
    this.lines = whole ? 1 : 0;
    this.end = whole ? found + 1 : to;
    let lineEnd = whole ? found : to;
    if (lineEnd > from && bytes[lineEnd - 1] === 13) lineEnd--;
    const { start } = this;
    if (lineEnd <= start || this.#headerReader.take(bytes, start, lineEnd)) return NOTHING;
    const record = this.#current();
    if (record === null) return this.#bad('a row before the header');
    if (record.read(bytes, start, lineEnd, row) !== null) {
      return this.#bad(whole ? 'columns are missing or a value is not of its kind' : 'the last row is cut short');
    }
    if (!whole && this.#headerReader.strict) return this.#bad('the last row has no line end: it may be cut short');
    const verdict = this.#dialect.finish(row);
    if (verdict === BAD) this.reason = 'the row has no flow';
    return verdict;
  }

  #bad(reason: string): Verdict {
    this.reason = reason;
    return BAD;
  }

  #current(): LineRecord | null {
    const { layout } = this.#headerReader;
    if (layout !== this.#layout) {
      this.#layout = layout;
      this.#record = layout === null ? null : new LineRecord(this.#dialect.columns, layout);
    }
    return this.#record;
  }
}

/** Bytes of a byte order mark, which some editors put before a text. */
function markLength(bytes: Uint8Array, at: number): number {
  return bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf ? 3 : 0;
}
