import type { KeyedTable } from './keyed-table.ts';

/**
 * Finds or appends the rows of keys `from` .. `to`: hashes in `hash`, words in `words` (packed), answers in `row`. The
 * table must have room for all of them. One function a number of words, so that comparisons are unrolled.
 */
export type FindRows = (
  table: KeyedTable,
  from: number,
  to: number,
  hash: Int32Array,
  words: Int32Array,
  row: Int32Array,
) => void;

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
  const write = words.map((k) => `W[w+${k + 1}]=k${k};`).join('');
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
