import { maskWord } from '../model/address.ts';
import { FIELDS } from '../model/field.ts';
import type { KeyPart } from '../model/plan.ts';
import { addressColumn } from './field-code.ts';
import type { Lookups } from './predicate-code.ts';

/** How generated code makes the words of a key, or of a tuple of values, from row `r`. */
export interface KeyCode {
  words: number;
  /** When the row has all fields; a row without them has no such key. */
  there: string[];
  /** Statements that write `OUT[o]`, `OUT[o+1]`, ... and leave the hash in `h`. */
  text: string;
  /** Statements that leave the hash in `h`; they may write `OUT[o]` and so on. */
  hashText: string;
}

/**
 * @param out name of the array of words
 * @param skip words before the first in `OUT[o]`
 * @param loose only the first field has to be there; 0 stands for others that are not
 */
export function keyCode(
  parts: readonly KeyPart[],
  lookups: Lookups,
  out: string,
  { skip = 0, loose = false }: { skip?: number; loose?: boolean } = {},
): KeyCode {
  const there = new Set<string>();
  const lines = ['let h=SEED;'];
  const hashLines = ['let h=SEED;'];
  let words = 0;
  for (const part of parts) {
    const field = lookups.field(part.field);
    const optional = loose && words > 0 && field.there !== null && FIELDS[part.field].type !== 'ip';
    if (field.there !== null && !optional) there.add(field.there);
    const value = optional ? `(${field.there}?${field.value}:0)` : field.value;
    const piece = partCode(part, value, (k) => `${out}[o+${skip + words + k}]`);
    lines.push(piece.text);
    hashLines.push(piece.hashText);
    words += piece.words;
  }
  return { words, there: [...there], text: lines.join(''), hashText: hashLines.join('') };
}

interface Piece {
  words: number;
  text: string;
  hashText: string;
}

const join = (value: string): string => `h=finish(Math.imul(h,0x9e3779b1)+(${value}));`;

function partCode(part: KeyPart, value: string, at: (word: number) => string): Piece {
  if (!Object.hasOwn(FIELDS, part.field)) throw new RangeError(`no such field: ${part.field}`);
  const { type } = FIELDS[part.field];
  if (type === 'ip') return addressCode(part, value, at);
  if (type === 'mac') {
    const text = `${at(0)}=${value}/4294967296|0;${at(1)}=${value}%4294967296|0;${join(at(0))}${join(at(1))}`;
    return { words: 2, text, hashText: text };
  }
  // Numbers count by their integer part; what is wider than a word keeps its low bits.
  const word = type === 'number' ? `Math.floor(${value})|0` : `${value}|0`;
  return { words: 1, text: `${at(0)}=${word};${join(at(0))}`, hashText: join(word) };
}

function addressCode(part: KeyPart, row: string, at: (word: number) => string): Piece {
  const column = addressColumn(part.field);
  const base = `4*${row}`;
  const { ipv4, ipv6 } = part.prefix ?? { ipv4: 32, ipv6: 128 };
  const copy = [0, 1, 2, 3].map((k) => `${at(k)}=${column}[${base}+${k}]`);
  if (ipv4 >= 32 && ipv6 >= 128) {
    const hash = column === 'address' ? `addressHash[${row}]` : `hashWords(${[0, 1, 2, 3].map(at).join(',')},SEED)`;
    const text = `${copy.join(';')};${join(hash)}`;
    return { words: 4, text, hashText: column === 'address' ? join(hash) : text };
  }
  const masks = [0, 1, 2, 3].map((k) => [maskWord(96 + ipv4, k), maskWord(ipv6, k)]);
  const cut = masks.map(([v4, v6], k) => `${copy[k]}&(v4?${v4}:${v6})`);
  const isV4 = `const v4=${column}[${base}]===0&&${column}[${base}+1]===0&&${column}[${base}+2]===0xffff`;
  const text = `{${isV4};${cut.join(';')};}${join(`hashWords(${[0, 1, 2, 3].map(at).join(',')},SEED)`)}`;
  return { words: 4, text, hashText: text };
}
