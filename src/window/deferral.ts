import type { RulePlan } from '../model/plan.ts';
import type { CodeBook } from './code-book.ts';
import { DeferredRows, type DeferredShape, shiftOf } from './deferred-rows.ts';
import type { EventLog } from './event-log.ts';
import { bucketTest } from './gate.ts';
import type { Layout } from './layout.ts';
import { identity } from './layout.ts';
import type { CompiledRule } from './rule-plan.ts';

/** Rows of longer windows would have to be kept for too long. */
const LONGEST_US = 60e6;
const SHORT_US = 30e6;
const FEW_BUCKETS = 1 << 10;
const MANY_BUCKETS = 1 << 12;

/** Sorts `from` .. `to` of the selected rows; answers the end of those that are to be looked at now. */
type Sort = (from: number, to: number, rows: DeferredRows, base: number, logs: readonly EventLog[]) => number;
/** Marks the buckets for whose keys a level may hold. */
type Test = (rows: DeferredRows) => void;

/**
 * Most keys never come near a threshold, so their rows need not enter tables at all: they are only noted (`DeferredRows`), and what the
 * rule's gate asks of a key is added up for the bucket of its hash, in a table that stays in the cache. A bucket's sum is not below any of its
 * keys', so only when the bucket passes the gate can one of them. When a window closes, the rows of such buckets and of keys that somebody watches
 * are fetched and enter the tables as ever; those of a bucket that passed before enter them at once.
 */
export class Deferral {
  readonly shape: DeferredShape;
  /** Rows wait until the pane is over, with a second hash of their keys: some measure looks at all of them then. */
  readonly whole: boolean;
  readonly #sort: Sort;
  readonly #test: Test;
  /** Place of an accumulator in the buckets. */
  readonly #places: Map<number, number>;
  readonly #least = new Map<number, number>();

  constructor(compiled: CompiledRule, test: string, used: readonly number[], book: CodeBook) {
    const { layout, code, measures, paneUs } = compiled;
    this.whole = measures.some(({ paneSettled }) => paneSettled !== undefined);
    this.#places = new Map(used.map((accumulator, k) => [accumulator, k]));
    for (const [, accumulator, limit] of test.matchAll(/D\[d\+(\d+)\]>=([\d.e+-]+)/g)) {
      this.#least.set(Number(accumulator), Math.min(Number(limit), this.least(Number(accumulator))));
    }
    const inBuckets = (text: string): string =>
      text.replaceAll(/D\[d\+(\d+)\]/g, (_, a) => `D[d+${this.#places.get(Number(a))}]`);
    const updates = updatesOf(layout, used);
    const width = this.whole ? 2 : 1;
    const sort = sortText(
      inBuckets(updates.text),
      inBuckets(test),
      used.length,
      updates.lastWords,
      this.whole ? { words: code.keyWords, layout } : null,
    );
    const tests = `function test(p){const D=p.sums,H=p.hot,n=H.length;for(let b=0;b<n;b=b+1|0){const d=b*${used.length};if(${inBuckets(test)})H[b]=1;}}`;
    this.#sort = book.make(sort);
    this.#test = book.make(tests);
    this.shape = {
      id: `${sort}${tests}`,
      buckets: paneUs < SHORT_US ? FEW_BUCKETS : MANY_BUCKETS,
      initial: used.map((accumulator) => identity(layout.merges[accumulator])),
      lastWords: updates.lastWords,
      width,
    };
  }

  /** A hash's bucket is its topmost bits. */
  get shift(): number {
    return shiftOf(this.shape);
  }

  fresh(): DeferredRows {
    return new DeferredRows(this.shape);
  }

  /**
   * @param first number of the chunk's first row
   * @param logs of single events: where rows wait until the end, they are told of them at once
   */
  sort(from: number, to: number, rows: DeferredRows, first: number, logs: readonly EventLog[]): number {
    rows.reserve(to - from);
    for (const log of logs) log.reserve(to - from);
    if (rows.base < 0) rows.base = first;
    return this.#sort(from, to, rows, 2 * (first - rows.base), logs);
  }

  /** A measure knows what a key comes to. */
  raise(rows: DeferredRows, hash: number, accumulator: number, value: number): void {
    const place = this.#places.get(accumulator);
    if (place !== undefined) rows.raise(hash, place, value);
  }

  /** The least value of an accumulator that any test asks for. */
  least(accumulator: number): number {
    return this.#least.get(accumulator) ?? Number.POSITIVE_INFINITY;
  }

  /** Marks the buckets for whose keys a level may hold; the pane is over. */
  mark(rows: DeferredRows, hot: Uint8Array): void {
    if (!rows.tested) this.#test(rows);
    rows.tested = true;
    for (let b = 0; b < hot.length; b++) if (rows.hot[b] === 1) hot[b] = 1;
  }
}

/** Null: some level gives no test that holds for buckets, or rows are needed for other things. */
export function planDeferral(compiled: CompiledRule, rules: readonly RulePlan[], book: CodeBook): Deferral | null {
  const { rule, layout, measures, code, paneUs } = compiled;
  if (rule.window.kind === 'session' || rule.window.sizeUs > LONGEST_US) return null;
  if (rule.follow || code.keyWords === 0) return null;
  if (measures.some(({ paneClosed, paneSettled }) => paneClosed && !paneSettled)) return null;
  const test = bucketTest(rules, measures, rule.window.sizeUs / paneUs, rule.window.sizeUs / 1e6);
  if (test === null) return null;
  const used = [...new Set([...test.matchAll(/D\[d\+(\d+)\]/g)].map(([, a]) => Number(a)))];
  return used.every((a) => isBounded(layout, measures, a)) ? new Deferral(compiled, test, used, book) : null;
}

function isBounded(layout: Layout, measures: CompiledRule['measures'], accumulator: number): boolean {
  if (layout.pairs.some(({ count, log }) => count === accumulator && !log)) return true;
  if (measures.some(({ raises }) => raises === accumulator)) return true;
  return layout.merges[accumulator] !== 'own' && findUpdate(layout, accumulator) !== null;
}

function findUpdate(layout: Layout, accumulator: number): { guard: string; code: string } | null {
  for (const [guard, codes] of layout.updates) {
    for (const code of codes) if (code.includes(`D[d+${accumulator}]`)) return { guard, code };
  }
  return null;
}

function updatesOf(layout: Layout, used: readonly number[]): { text: string; lastWords: number } {
  let lastWords = 0;
  const texts = used.map((accumulator) => {
    const pair = layout.pairs.find(({ count, log }) => count === accumulator && !log);
    if (!pair) {
      const update = findUpdate(layout, accumulator);
      return update ? guarded(update.guard, update.code) : '';
    }
    // Of few different tuples in turn only the first of each counts; of one word the hash is as good as the tuple.
    if (pair.code.words > 1) return guarded(pair.guard, `D[d+${accumulator}]+=1;`);
    const last = `b*LAST+${lastWords}`;
    lastWords += 2;
    const count = `if(h===0||L[${last}]!==h&&L[${last}+1]!==h){L[${last}+1]=L[${last}];L[${last}]=h;D[d+${accumulator}]+=1;}`;
    return guarded(pair.guard, `const o=0;${pair.code.hashText}${count}`);
  });
  return { text: texts.join('').replaceAll('b*LAST', `b*${lastWords}`), lastWords };
}

function guarded(guard: string, code: string): string {
  return guard === 'true' ? `{${code}}` : `if(${guard}){${code}}`;
}

/** @param whole what there is of a key and of single events, where rows wait until the end; null: buckets that pass are looked at at once */
function sortText(
  updates: string,
  test: string,
  accumulators: number,
  lastWords: number,
  whole: { words: number; layout: Layout } | null,
): string {
  const arrays = `const D=p.sums,R=p.refs,G=p.words,H=p.hot,S=p.shift${lastWords > 0 ? ',L=p.lasts' : ''},SEED=SEEDS[0]`;
  const now = `if(H[b]===1||${test}){H[b]=1;SEL[m]=r;HH[m]=g;m=m+1|0;continue;}R[k]=base+r|0;G[k]=g;k=k+1|0;`;
  const logs = whole ? logTexts(whole.layout) : { begin: '', add: '', end: '' };
  const later =
    whole && `G[2*k]=g;G[2*k+1]=secondHash(KW,j*${whole.words},${whole.words},g);R[k]=base+r|0;${logs.add}k=k+1|0;`;
  return `function sort(from,to,p,base,logs){${arrays};${logs.begin}let m=from,k=p.length;for(let j=from;j<to;j=j+1|0){const r=SEL[j],i=r>>1,g=HH[j],b=g>>>S,d=b*${accumulators};${updates}${later ?? now}}p.length=k;${logs.end}return m;}`;
}

/** Code that appends single events, whose key is the row that waits. */
function logTexts({ pairs }: Layout): { begin: string; add: string; end: string } {
  const texts = pairs
    .filter(({ log }) => log)
    .map(({ guard, code, amounts }, e) => {
      const print = `finish(h^Math.imul(g,0x85ebca6b))`;
      const write = `K${e}[n${e}]=k;P${e}[n${e}]=${print};M${e}[n${e}]=${amounts[0].code};Z${e}[n${e}]=${amounts[1].code};n${e}=n${e}+1|0;`;
      return {
        begin: `const K${e}=logs[${e}].key,P${e}=logs[${e}].print,M${e}=logs[${e}].moment,Z${e}=logs[${e}].size;let n${e}=logs[${e}].length;`,
        add: guarded(guard, `const o=0;${code.hashText}${write}`),
        end: `logs[${e}].length=n${e};`,
      };
    });
  const all = (part: 'begin' | 'add' | 'end'): string => texts.map((text) => text[part]).join('');
  return { begin: all('begin'), add: all('add'), end: all('end') };
}
