import type { Delimited } from './dialect.ts';
import { blankLayout, commaLayout, namedLayout, ZeekHeader } from './layout.ts';
import { textOf } from './values.ts';
import { VPC_DEFAULT } from './vpc.ts';

const MOST_HEADER_BYTES = 64 << 10;

/** What lines mean that are no rows. */
export interface HeaderReader {
  /** True when the line is not a row; it may have begun a layout. */
  take(bytes: Uint8Array, from: number, to: number): boolean;
  layout: Delimited | null;
  /** The text that brings the layout back. */
  readonly text: string;
  /** A last row without a line end cannot be known to be whole. */
  readonly strict: boolean;
}

export class ZeekLines implements HeaderReader {
  layout: Delimited | null = null;
  readonly strict = true;
  readonly #header = new ZeekHeader();
  #lines: string[] = [];

  get text(): string {
    return this.#lines.join('\n');
  }

  take(bytes: Uint8Array, from: number, to: number): boolean {
    if (bytes[from] !== 35) return false;
    const line = textOf(bytes, from, Math.min(to, from + MOST_HEADER_BYTES));
    if (line.startsWith('#separator')) this.#lines = [];
    if (this.#lines.length < 16) this.#lines.push(line);
    this.layout = this.#header.take(line) ?? this.layout;
    return true;
  }
}

/** A first line of names; the same line again, and what stands behind nfdump's `Summary`, are no rows. */
export class PlainHeader implements HeaderReader {
  layout: Delimited | null;
  text = '';
  readonly strict = false;
  readonly #separator: string;
  readonly #nfdump: boolean;
  #over = false;

  constructor(separator: string, header: readonly string[] | undefined, { nfdump = false } = {}) {
    this.#separator = separator;
    this.#nfdump = nfdump;
    this.layout = header === undefined ? null : commaLayout(header.join(separator), separator);
  }

  take(bytes: Uint8Array, from: number, to: number): boolean {
    if (this.layout === null) {
      this.text = textOf(bytes, from, Math.min(to, from + MOST_HEADER_BYTES));
      this.layout = commaLayout(this.text, this.#separator);
      return true;
    }
    if (!this.#nfdump || (bytes[from] >= 48 && bytes[from] <= 57 && !this.#over)) return false;
    const line = textOf(bytes, from, Math.min(to, from + MOST_HEADER_BYTES));
    if (line === this.text) this.#over = false;
    else if (line.startsWith('Summary')) this.#over = true;
    return this.#over || line === this.text || line.startsWith('No matching');
  }
}

export class VpcHeader implements HeaderReader {
  layout: Delimited | null = null;
  text = '';
  readonly strict = false;

  take(bytes: Uint8Array, from: number, to: number): boolean {
    const isRow = bytes[from] >= 48 && bytes[from] <= 57;
    if (this.layout !== null && (isRow || bytes[from] !== this.text.charCodeAt(0))) return false;
    const line = textOf(bytes, from, Math.min(to, from + MOST_HEADER_BYTES));
    const isHeader = /(^|\s)(pkt-)?srcaddr(\s|$)/.test(line);
    if (!isHeader && this.layout !== null) return false;
    this.text = isHeader ? line : VPC_DEFAULT;
    this.layout = blankLayout(this.text);
    return isHeader;
  }
}

/**
 * Zeek's columns without its `#` lines, as programs that label logs write them: a first line of names between commas, tabs,
 * bars or semicolons, or none at all, when the columns are those of a `conn.log` as it comes.
 */
export class ZeekPlain implements HeaderReader {
  layout: Delimited | null = null;
  text = '';
  readonly strict = false;

  take(bytes: Uint8Array, from: number, to: number): boolean {
    if (this.layout !== null) return this.#isAgain(bytes, from, to);
    const line = textOf(bytes, from, Math.min(to, from + MOST_HEADER_BYTES));
    const isHeader = /\bid[._]orig_h\b/.test(line);
    this.text = isHeader ? line : defaultColumns(line);
    this.layout = namedLayout(this.text);
    return isHeader;
  }

  /** The header once more: files that were put one behind the other. */
  #isAgain(bytes: Uint8Array, from: number, to: number): boolean {
    if (to - from < this.text.length || bytes[from] !== this.text.charCodeAt(0)) return false;
    return textOf(bytes, from, to) === this.text;
  }
}

/** Columns of a `conn.log` as it comes; older ones have no `local_resp`, so the count of missed bytes stands in its place. */
function defaultColumns(row: string): string {
  const older = /^\d+$/.test(row.split('\t')[13] ?? '');
  return ZEEK_COLUMNS.filter((name) => !(older && name === 'local_resp')).join('\t');
}

const ZEEK_COLUMNS =
  'ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes conn_state local_orig local_resp missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes'.split(
    ' ',
  );
