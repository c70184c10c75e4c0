import { isMap, isScalar, LineCounter, type Node, parseDocument, type Scalar } from 'yaml';
import type { Finding } from '../core/errors.ts';

/** The way to a node: keys and indices from the root. */
export type Path = readonly (string | number)[];

/** An expression and its place: errors about it are told with an offset into `value`. */
export interface Text {
  value: string;
  report(start: number, code: string, message: string, hint?: string, level?: 'warning'): void;
}

/** A text from the command line: its column is the offset. */
export function looseText(value: string, file: string, findings: Finding[]): Text {
  return {
    value,
    report: (start, code, message, hint, level) => {
      findings.push(finding(file, 1, start + 1, code, message, hint, level));
    },
  };
}

function finding(
  file: string,
  line: number,
  column: number,
  code: string,
  message: string,
  hint?: string,
  level?: 'warning',
): Finding {
  return { file, line, column, code, message, ...(hint ? { hint } : {}), ...(level ? { level } : {}) };
}

/** One YAML file: its data, and the line and column of everything in it. */
export class SourceFile {
  readonly file: string;
  readonly data: unknown;
  readonly #source: string;
  readonly #lines = new LineCounter();
  readonly #document: ReturnType<typeof parseDocument>;
  readonly #findings: Finding[];

  constructor(file: string, source: string, findings: Finding[]) {
    this.file = file;
    this.#source = source;
    this.#findings = findings;
    this.#document = parseDocument(source, { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: true });
    for (const error of this.#document.errors) this.#push(error.pos[0], 'yaml.syntax', firstLine(error.message));
    this.data = this.#document.errors.length > 0 ? null : this.#toData();
  }

  /** Aliases could blow a small file up to a huge one; none is needed here, so few may be followed. */
  #toData(): unknown {
    try {
      return this.#document.toJS({ maxAliasCount: 50 });
    } catch (error) {
      this.#push(0, 'yaml.alias', error instanceof Error ? firstLine(error.message) : 'too many aliases');
      return null;
    }
  }

  /** The expression at `path`; numbers and the like count as their text. Null when there is none. */
  text(path: Path): Text | null {
    const node = this.#document.getIn(path, true);
    if (!isScalar(node) || node.value === null || node.value === undefined) return null;
    const value = typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
    const at = this.#offsets(node, value);
    return { value, report: (start, ...rest) => this.#push(at(start), ...rest) };
  }

  /** Reports about the value at `path`, or, with `key`, about the key that names it. */
  report(path: Path, code: string, message: string, hint?: string, level?: 'warning', key = false): void {
    this.#push(key ? this.#keyOffset(path) : this.#valueOffset(path), code, message, hint, level);
  }

  /** The line (from 1) of the node at `path`. */
  line(path: Path): number {
    return this.#lines.linePos(this.#valueOffset(path)).line;
  }

  #valueOffset(path: Path): number {
    for (let length = path.length; length >= 0; length--) {
      const node = this.#document.getIn(path.slice(0, length), true) as Node | undefined;
      if (node?.range) return node.range[0];
    }
    return 0;
  }

  #keyOffset(path: Path): number {
    const parent = this.#document.getIn(path.slice(0, -1), true);
    const wanted = String(path.at(-1));
    const pair = isMap(parent) ? parent.items.find(({ key }) => String(key) === wanted) : undefined;
    return (pair?.key as Node | undefined)?.range?.[0] ?? this.#valueOffset(path);
  }

  /**
   * Maps an offset in a scalar's value to one in the file. Quotes, escapes and folded lines make the two differ, so
   * the value is followed through the source letter by letter.
   */
  #offsets(node: Scalar, value: string): (offset: number) => number {
    const [begin, end] = node.range ?? [0, 0];
    const map = new Int32Array(value.length + 1);
    let at = begin;
    for (let i = 0; i < value.length; i++) {
      const found = this.#source.indexOf(value[i], at);
      if (found >= 0 && found < end) at = found;
      map[i] = at;
      if (found >= 0 && found < end) at++;
    }
    map[value.length] = value.length === 0 ? begin : Math.min(map[value.length - 1] + 1, end);
    return (offset) => map[Math.max(0, Math.min(offset, value.length))];
  }

  #push(offset: number, code: string, message: string, hint?: string, level?: 'warning'): void {
    const { line, col } = this.#lines.linePos(offset);
    this.#findings.push(finding(this.file, Math.max(line, 1), Math.max(col, 1), code, message, hint, level));
  }
}

function firstLine(message: string): string {
  return message.split('\n')[0];
}
