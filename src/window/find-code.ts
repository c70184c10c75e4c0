import type { KeyedTable } from './keyed-table.ts';

/**
 * Finds or appends the rows of keys `from` .. `to`: hashes in `hash`, words in `words` (packed), answers in `row`. The
 * table must have room for all of them (`findAll` makes it). One function a number of words, so that comparisons are unrolled.
 */
export type FindRows = (
  table: KeyedTable,
  from: number,
  to: number,
  hash: Int32Array,
  words: Int32Array,
  row: Int32Array,
) => void;

/** Tables with more places than this do not stay in the cache. */
const LARGE = 1 << 11;
const AHEAD = 256;
/** Keeps the touching from being optimised away. */
export const touched = { sum: 0 };

/**
 * As `findRows`, some rows at a time, for which it makes room first: room for a whole chunk would be thrown away and made
 * anew in every pane of few keys. In a large table, places and rows are touched before, so that the processor fetches many
 * of them at the same time instead of one after the other (test/perf/window.ts).
 */
export function findAll(
  find: FindRows,
  table: KeyedTable,
  from: number,
  to: number,
  hash: Int32Array,
  words: Int32Array,
  row: Int32Array,
): void {
  for (let at = from; at < to; at += AHEAD) {
    const end = Math.min(to, at + AHEAD);
    table.reserve(end - at);
    if (table.index.mask >= LARGE) {
      touchPlaces(table.index.entries, table.index.mask, at, end, hash, row);
      touched.sum ^= touchRows(table.words, 2 * table.stride, at, end, row);
    }
    const before = table.count;
    find(table, at, end, hash, words, row);
    table.beginFrom(before);
  }
}

/** The places' entries, row + 1, into `row`. */
export function touchPlaces(
  entries: Int32Array,
  mask: number,
  from: number,
  to: number,
  hash: Int32Array,
  row: Int32Array,
): void {
  for (let j = from; j < to; j = (j + 1) | 0) row[j] = entries[((hash[j] & mask) << 1) + 1];
}

export function touchRows(words: Int32Array, stride: number, from: number, to: number, row: Int32Array): number {
  let sum = 0;
  for (let j = from; j < to; j = (j + 1) | 0) sum ^= words[row[j] > 0 ? Math.imul(row[j] - 1, stride) : 0];
  return sum;
}

const KNOWN = new Map<number, FindRows>();

export function findRows(keyWords: number): FindRows {
  const known = KNOWN.get(keyWords) ?? generate(keyWords);
  KNOWN.set(keyWords, known);
  return known;
}

function generate(n: number): FindRows {
  const words = Array.from({ length: n }, (_, k) => k);
  const load = words.map((k) => `const k${k}=words[o+${k}];`).join('');
  // The last word differs most often.
  const same = ['X[at]===h', ...words.reverse().map((k) => `W[w+${k + 1}]===k${k}`)];
  const padding = n % 2 === 0 ? `W[w+${n + 1}]=0;` : '';
  const write = words.map((k) => `W[w+${k + 1}]=k${k};`).join('') + padding;
  const loop = `for(let j=from;j<to;j=j+1|0){
const h=hash[j],o=j*${n};${load}let at=(h&M)<<1;
for(;;){const e=X[at+1];
if(e===0){X[at]=h;X[at+1]=count+1;const w=count*S;W[w]=h;${write}row[j]=count;count=count+1|0;break;}
const w=(e-1)*S;if(${same.slice(0, 1).join('')}${n > 0 ? `&&${same.slice(1).join('&&')}` : ''}){row[j]=e-1;break;}
at=(at+2)&L;}}`;
  return new Function(
    'table,from,to,hash,words,row',
    `'use strict';const X=table.index.entries,M=table.index.mask,L=2*M+1,W=table.words,S=2*table.stride;let count=table.count;${loop}table.count=count;`,
  ) as FindRows;
}
