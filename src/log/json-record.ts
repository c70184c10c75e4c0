import type { Column } from './fields.ts';
import type { LogRow } from './log-row.ts';

/** What reading one object came to. */
export const WHOLE = 0;
export const UNFINISHED = 1;
export const BROKEN = 2;

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN = 123;
const CLOSE = 125;
const OPEN_LIST = 91;
const CLOSE_LIST = 93;
const TABLE = 128;

/** A name in an object that we know, and what is below it. */
class Place {
  readonly key: Uint8Array;
  column: Column | null = null;
  readonly table: (Place | undefined)[] = new Array(TABLE).fill(undefined);

  constructor(name: string) {
    this.key = Buffer.from(name);
  }

  child(name: string): Place {
    const key = Buffer.from(name);
    let slot = slotOf(key, 0, key.length);
    for (; this.table[slot] !== undefined; slot = (slot + 1) % TABLE) {
      if (isSame(this.table[slot]!.key, key, 0, key.length)) return this.table[slot]!;
    }
    const made = new Place(name);
    this.table[slot] = made;
    return made;
  }

  find(bytes: Uint8Array, from: number, to: number): Place | null {
    for (let slot = slotOf(bytes, from, to); ; slot = (slot + 1) % TABLE) {
      const place = this.table[slot];
      if (place === undefined) return null;
      if (isSame(place.key, bytes, from, to)) return place;
    }
  }
}

function slotOf(bytes: Uint8Array, from: number, to: number): number {
  if (to === from) return 0;
  return ((to - from) * 7 + bytes[from] * 5 + bytes[to - 1] * 11 + bytes[(from + to) >> 1] * 3) % TABLE;
}

function isSame(key: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (key.length !== to - from) return false;
  for (let i = 0; i < key.length; i++) if (key[i] !== bytes[from + i]) return false;
  return true;
}

/**
 * Reads JSON objects (RFC 8259) for the values that are known, and passes over all others without making anything of them.
 * A line end within a string is damage, so a broken object never takes its neighbours with it.
 */
export class JsonRecord {
  /** Where the object ended, or where it broke. */
  end = 0;
  readonly #root = new Place('');
  readonly #open: Place[] = [];
  #escaped = false;
  #valuesGood = true;

  readonly #unset: readonly Uint8Array[];

  constructor(columns: Readonly<Record<string, Column>>, unset: readonly string[] = []) {
    this.#unset = unset.map((text) => Buffer.from(text));
    for (const [path, column] of Object.entries(columns)) {
      let place = this.#root;
      for (const name of path.split('/')) place = place.child(name);
      place.column = column;
    }
  }

  /** True when the latest whole object had only values of the right kind. */
  get valuesGood(): boolean {
    return this.#valuesGood;
  }

  /** Reads the object that begins at `from` with `{`. */
  read(bytes: Uint8Array, from: number, to: number, row: LogRow): number {
    this.#open.length = 0;
    this.#valuesGood = true;
    let place = this.#root;
    let at = from + 1;
    for (;;) {
      at = afterBlanks(bytes, at, to);
      if (at >= to) return this.#stop(at, UNFINISHED);
      const byte = bytes[at];
      if (byte === 44) {
        at++;
      } else if (byte === CLOSE) {
        at++;
        const outer = this.#open.pop();
        if (outer === undefined) return this.#stop(at, WHOLE);
        place = outer;
      } else {
        if (byte !== QUOTE) return this.#stop(at, BROKEN);
        const keyEnd = this.#stringEnd(bytes, at + 1, to);
        if (keyEnd < 0) return this.#stop(at, keyEnd === -1 ? UNFINISHED : BROKEN);
        const known = place.find(bytes, at + 1, keyEnd);
        at = afterBlanks(bytes, keyEnd + 1, to);
        if (at >= to) return this.#stop(at, UNFINISHED);
        if (bytes[at] !== 58) return this.#stop(at, BROKEN);
        at = afterBlanks(bytes, at + 1, to);
        if (at >= to) return this.#stop(at, UNFINISHED);
        if (known !== null && bytes[at] === OPEN && known.column === null) {
          this.#open.push(place);
          place = known;
          at++;
        } else {
          const next = this.#value(bytes, at, to, known, row);
          if (next < 0) return this.#stop(at, next === -1 ? UNFINISHED : BROKEN);
          at = next;
        }
      }
    }
  }

  #stop(at: number, outcome: number): number {
    this.end = at;
    return outcome;
  }

  /** The end of the value at `at`; -1 when it is not all there, -2 when it is none. */
  #value(bytes: Uint8Array, at: number, to: number, known: Place | null, row: LogRow): number {
    const byte = bytes[at];
    const column = known?.column ?? null;
    if (byte === QUOTE) {
      const end = this.#stringEnd(bytes, at + 1, to);
      if (end >= 0 && column !== null && end > at + 1) this.#putText(bytes, at + 1, end, column, row);
      return end < 0 ? end : end + 1;
    }
    if (byte === OPEN_LIST && column !== null) {
      const first = afterBlanks(bytes, at + 1, to);
      if (first < to && bytes[first] !== CLOSE_LIST && bytes[first] !== OPEN && bytes[first] !== OPEN_LIST) {
        const end = this.#value(bytes, first, to, known, row);
        if (end < 0) return end;
      }
    }
    if (byte === OPEN || byte === OPEN_LIST) return this.#afterNested(bytes, at, to);
    const end = literalEnd(bytes, at, to);
    if (end === at) return -2;
    if (end === to) return -1;
    if (column !== null && byte !== 110 && !row.put(column, bytes, at, end)) this.#valuesGood = false;
    return end;
  }

  #putText(bytes: Uint8Array, from: number, to: number, column: Column, row: LogRow): void {
    for (const unset of this.#unset) if (isSame(unset, bytes, from, to)) return;
    if (!this.#escaped) {
      if (!row.put(column, bytes, from, to)) this.#valuesGood = false;
      return;
    }
    const plain = unescaped(bytes, from, to);
    if (plain === null || !row.put(column, plain, 0, plain.length)) this.#valuesGood = false;
  }

  /** The closing quote of a string that began before `from`. */
  #stringEnd(bytes: Uint8Array, from: number, to: number): number {
    this.#escaped = false;
    for (let i = from; i < to; i++) {
      const byte = bytes[i];
      if (byte === QUOTE) return i;
      if (byte === BACKSLASH) {
        this.#escaped = true;
        i++;
      } else if (byte === 10) return -2;
    }
    return -1;
  }

  /** Passes over an object or a list with all that is in it. */
  #afterNested(bytes: Uint8Array, from: number, to: number): number {
    let depth = 0;
    for (let i = from; i < to; i++) {
      const byte = bytes[i];
      if (byte === QUOTE) {
        i = this.#stringEnd(bytes, i + 1, to);
        if (i < 0) return i;
      } else if (byte === OPEN || byte === OPEN_LIST) depth++;
      else if ((byte === CLOSE || byte === CLOSE_LIST) && --depth === 0) return i + 1;
    }
    return -1;
  }
}

function afterBlanks(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && (bytes[at] === 32 || (bytes[at] >= 9 && bytes[at] <= 13))) at++;
  return at;
}

/** The end of a number, `true`, `false` or `null`. */
function literalEnd(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && ((bytes[at] >= 43 && bytes[at] <= 57 && bytes[at] !== 44) || isLetter(bytes[at]))) at++;
  return at;
}

function isLetter(byte: number): boolean {
  const letter = (byte | 32) - 97;
  return letter >= 0 && letter < 26;
}

function unescaped(bytes: Uint8Array, from: number, to: number): Uint8Array | null {
  try {
    return Buffer.from(JSON.parse(`"${Buffer.from(bytes.subarray(from, to)).toString('utf8')}"`) as string);
  } catch {
    return null;
  }
}
