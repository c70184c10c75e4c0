import type { Evidence, Predicate, RulePlan } from '../model/plan.ts';
import { CHUNK, PIECES } from './chunk.ts';
import type { CodeBook } from './code-book.ts';
import { keyCode } from './key-code.ts';
import type { KeyedTable } from './keyed-table.ts';
import { both, type Layout } from './layout.ts';
import { type Lookups, number, predicateCode } from './predicate-code.ts';

const ROWS_AT_ONCE = 2 * (CHUNK + PIECES);
/** Words a key or tuple may have: two addresses, outer addresses and a few numbers are far below. */
export const MOST_WORDS = 32;

/** Arrays that all rules use in turn while they walk over a chunk. */
export class Scratch {
  /** Rows that the rule selected, the hash and words of their keys, and where the keys stand. */
  readonly selected = new Int32Array(ROWS_AT_ONCE);
  readonly hash = new Int32Array(ROWS_AT_ONCE);
  readonly words = new Int32Array(MOST_WORDS * ROWS_AT_ONCE);
  readonly row = new Int32Array(ROWS_AT_ONCE);
  /** The same for pairs: their words begin with the row of their key. */
  readonly pairHash = new Int32Array(ROWS_AT_ONCE);
  readonly pairWords = new Int32Array(MOST_WORDS * ROWS_AT_ONCE);
  readonly pairRow = new Int32Array(ROWS_AT_ONCE);
  readonly amounts = [new Float64Array(ROWS_AT_ONCE), new Float64Array(ROWS_AT_ONCE)];
}

/** The generated functions of one rule. Each holds one loop, so that it is optimised while it runs. */
export interface RuleCode {
  /** Writes those of `n` candidate rows (`Dispatcher`) that match into `selected`; answers how many. */
  select(candidates: Int32Array, from: number, n: number): number;
  /** The same of any rows. */
  selectAny(rows: Int32Array, from: number, n: number): number;
  /** Rows that match the follow-up. */
  selectFollow(candidates: Int32Array, from: number, n: number): number;
  /** Writes hash and words of the keys of selected rows `from` .. `to`. */
  keys(from: number, to: number): void;
  /** Only their hashes. */
  hashes(from: number, to: number): void;
  /** Moves the accumulators of rows `from` .. `to`. */
  update(from: number, to: number, table: KeyedTable): void;
  updateFollow(from: number, to: number, table: KeyedTable): void;
  /** For each pair plan: writes hash, words and amounts of the pairs; answers how many. */
  pairs: ((from: number, to: number, table: KeyedTable) => number)[];
  /** Writes the values of the listed rows, `width` a row. */
  values(table: KeyedTable, rows: Int32Array, n: number, seconds: number, out: Float64Array): void;
  /** For each evidence item that ranks values: writes the tuple's words of a row, answers its amount (NaN without). */
  evidence: ((row: number) => number)[];
  keyWords: number;
}

/** What a follow-up and a session need beside the measures. */
export interface Extras {
  /** Accumulators: rows of the follow-up, the time of its last one, and of the first row of the match. */
  follow: { rows: number; lastUs: number; firstUs: number } | null;
  /** Accumulators of the first and last packet's time; the window's length is theirs. */
  session: { firstUs: number; lastUs: number } | null;
}

/**
 * Generates the loops of a rule as JavaScript text, once. Only numbers and names from this room's own tables enter the
 * text: a rule's words never do, they were parsed into a plan before, and every number is checked to be one.
 */
export function compileRule(
  rule: RulePlan,
  layout: Layout,
  values: string[],
  extras: Extras,
  deps: { book: CodeBook; match: string; rest: string; follow: string },
): RuleCode {
  const { book } = deps;
  const key = keyCode(rule.by, layout.lookups, 'KW');
  const stride = ((2 + key.words) >> 1) + layout.merges.length;
  const first = (2 + key.words) >> 1;
  const d = `const r=SEL[j],i=r>>1,d=ROW[j]*${stride}+${first}`;
  const follow = extras.follow
    ? `D[d]+=1;D[d+${extras.follow.rows}]+=1;if(startUs[i]>D[d+${extras.follow.lastUs}])D[d+${extras.follow.lastUs}]=startUs[i];`
    : '';
  const there = key.there.join('&&') || 'true';
  const select = (test: string): RuleCode['select'] => book.make(selectText(both(test, there)));
  const update = `function update(from,to,t){const D=t.doubles;for(let j=from;j<to;j=j+1|0){${d};${updateText(layout)}}}`;
  return {
    select: select(deps.rest),
    selectAny: select(deps.match),
    selectFollow: select(deps.follow),
    keys: book.make(keysText(key.words, key.text)),
    hashes: book.make(keysText(key.words, key.hashText)),
    update: book.make(key.words === 0 ? updateOneText(layout, first) : update),
    updateFollow: book.make(
      `function updateFollow(from,to,t){const D=t.doubles;for(let j=from;j<to;j=j+1|0){${d};${follow}}}`,
    ),
    pairs: layout.pairs.map((_, p) => book.make(pairText(layout, p, stride, first))),
    values: book.make(valuesText(values, stride, first, extras)),
    evidence: rule.evidence.map((item) => book.make(evidenceText(item, layout))),
    keyWords: key.words,
  };
}

/** A condition without what the rule's exceptions take out, as long as they run. */
export function matchCode(rule: RulePlan, condition: Predicate, lookups: Lookups): string {
  const exceptions = rule.except.map(({ match, untilUs }) => {
    const test = predicateCode(match, lookups);
    return untilUs === Number.POSITIVE_INFINITY ? `!(${test})` : `!(startUs[i]<${number(untilUs)}&&${test})`;
  });
  return [predicateCode(condition, lookups), ...exceptions].reduce(both);
}

function selectText(test: string): string {
  if (test === 'false') return 'function select(){return 0;}';
  return `function select(list,at,n){let m=0;for(let q=0;q<n;q=q+1|0){const r=list[at+q],i=r>>1;if(${test}){SEL[m]=r;m=m+1|0;}}return m;}`;
}

function keysText(words: number, text: string): string {
  return `function keys(from,to){const SEED=SEEDS[0];for(let j=from;j<to;j=j+1|0){const r=SEL[j],i=r>>1,o=j*${words};${text}HH[j]=h;}}`;
}

function updateText(layout: Layout): string {
  return [...layout.updates]
    .map(([guard, code]) => (guard === 'true' ? code.join('') : `if(${guard}){${code.join('')}}`))
    .join('');
}

/** Without a key all rows go to row 0: its accumulators stay in registers. */
function updateOneText(layout: Layout, first: number): string {
  const all = layout.merges.map((_, a) => a);
  const load = all.map((a) => `let a${a}=D[${first + a}];`).join('');
  const store = all.map((a) => `D[${first + a}]=a${a};`).join('');
  const body = updateText(layout).replaceAll(/D\[d\+(\d+)\]/g, 'a$1');
  return `function update(from,to,t){const D=t.doubles;${load}for(let j=from;j<to;j=j+1|0){const r=SEL[j],i=r>>1;${body}}${store}}`;
}

function pairText(layout: Layout, p: number, stride: number, first: number): string {
  const { code, guard, amounts, last, first: kept, count, log } = layout.pairs[p];
  const write = amounts.map((amount, k) => `AM${k}[m]=${amount.code};`).join('');
  const known = `const z=KP[o+1]+1;if(D[d+${last}]===z)continue;D[d+${last}]=z;`;
  const tuple = Array.from({ length: code.words }, (_, k) => k + 1);
  const same = tuple.map((k) => `&&W[f+${k}]===KP[o+${k}]`).join('');
  const keep = tuple.map((k) => `W[f+${k}]=KP[o+${k}];`).join('');
  const once = `const f=2*(d+${kept});if(D[d+${count}]===0){D[d+${count}]=1;W[f]=g;${keep}continue;}if(W[f]===g${same})continue;`;
  if (log) {
    const body = `const o=${ROWS_AT_ONCE};${code.hashText}KP[m]=ROW[j];HP[m]=finish(h^Math.imul(HH[j],0x85ebca6b));${write}m=m+1|0;`;
    return pairLoop(guard, body);
  }
  const body = `const o=m*${1 + code.words},d=ROW[j]*${stride}+${first};KP[o]=ROW[j];${code.text}${last >= 0 ? known : ''}const g=finish(h^Math.imul(HH[j],0x85ebca6b));${kept >= 0 ? once : ''}HP[m]=g;${write}m=m+1|0;`;
  return pairLoop(guard, body);
}

function pairLoop(guard: string, body: string): string {
  return `function pair(from,to,t){const D=t.doubles,W=t.words,SEED=SEEDS[0];let m=0;for(let j=from;j<to;j=j+1|0){const r=SEL[j],i=r>>1;if(${guard}){${body}}}return m;}`;
}

function valuesText(values: string[], stride: number, first: number, { session }: Extras): string {
  const length = session ? `const seconds=Math.max(1,(D[d+${session.lastUs}]-D[d+${session.firstUs}])/1e6);` : '';
  const write = values.map((value, m) => `out[k*${values.length}+${m}]=${value};`).join('');
  return `function values(t,list,n,${session ? '_' : 'seconds'},out){const D=t.doubles;for(let k=0;k<n;k=k+1|0){const d=list[k]*${stride}+${first};${length}${write}}}`;
}

function evidenceText(item: Evidence, layout: Layout): string {
  if (item.fn === 'flows') return 'function evidence(r){return NaN;}';
  const code = keyCode(item.of, layout.lookups, 'KP', { skip: 1 });
  const { value, there } = layout.summand(item.summand);
  const test = [there, ...code.there].join('&&');
  return `function evidence(r){const SEED=SEEDS[0],i=r>>1,o=0;if(!(${test}))return NaN;${code.text}return ${value};}`;
}
