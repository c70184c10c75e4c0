import type { Delimited } from './dialect.ts';

const MOST_COLUMNS = 512;

/** Zeek's directives (docs.zeek.org, "Zeek Log Formats"): lines that begin with `#`, before and between rows. */
export class ZeekHeader {
  #separator = '\t';
  #empty = '(empty)';
  #unset = '-';

  /** Takes a directive; the layout that it begins, `null` when it begins none. */
  take(line: string): Delimited | null {
    const first = /^#([a-z_]+)/.exec(line)?.[1];
    if (first === 'separator') this.#separator = separatorOf(line.slice('#separator '.length)) || '\t';
    const value = line.slice(1 + (first?.length ?? 0) + this.#separator.length);
    if (first === 'empty_field') this.#empty = value;
    if (first === 'unset_field') this.#unset = value;
    if (first !== 'fields') return null;
    // Copied from a screen, a log has blanks where the tabs were.
    if (this.#separator === '\t' && line['#fields'.length] === ' ') return blankLayout(line.slice('#fields'.length));
    return {
      separator: this.#separator.charCodeAt(0) & 255,
      header: value.split(this.#separator).slice(0, MOST_COLUMNS),
      unset: [this.#unset, this.#empty],
      comment: 35,
    };
  }
}

/** `\x09` as Zeek writes its separator. */
function separatorOf(text: string): string {
  return text.replace(/\\x([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

export function commaLayout(line: string, separator = ','): Delimited {
  const header = line.split(separator).slice(0, MOST_COLUMNS);
  return { separator: separator.charCodeAt(0), header: header.map(bare), unset: [''], comment: -1 };
}

/** Separators of a header of Zeek's names, the likelier first. */
const SEPARATORS = ['\t', ',', '|', ';'];
/** What programs that read and write Zeek's columns leave where there is nothing. */
const NOTHING = ['', '-', '(empty)', 'nan', 'NaN', 'None', 'null'];

export function namedLayout(line: string): Delimited {
  const separator = SEPARATORS.find((each) => line.includes(each)) ?? ',';
  return { ...commaLayout(line, separator), unset: NOTHING };
}

export function blankLayout(line: string): Delimited {
  return {
    separator: -1,
    header: line
      .trim()
      .split(/[ \t]+/)
      .slice(0, MOST_COLUMNS),
    unset: ['-', '(empty)'],
    comment: -1,
  };
}

function bare(name: string): string {
  return name.trim().replace(/^"(.*)"$/, '$1');
}
