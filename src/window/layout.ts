import type { KeyPart, Summand } from '../model/plan.ts';
import { FLOWS } from './field-code.ts';
import { type KeyCode, keyCode } from './key-code.ts';
import type { Lookups } from './predicate-code.ts';

/** How an accumulator of two panes merges; `own` is kept by the measure itself. */
export type Merge = 'sum' | 'min' | 'max' | 'own';

/** One thing that is remembered of each different tuple inside a key. */
export interface PairPlan {
  of: readonly KeyPart[];
  code: KeyCode;
  guard: string;
  /** Amounts that the pair adds up, as code over the row; merges as named. */
  amounts: { code: string; merge: 'sum' | 'min' | 'max' }[];
  /** Accumulator of the key that counts its different tuples in a pane. */
  count: number;
  /** Past this many tuples a key is counted by sketch; Infinity: never. */
  sketchPast: number;
  /** The single rows are kept instead of pairs: their two amounts are a moment and a size (`scan`, `beacon`). */
  log: boolean;
  /** Accumulator that holds the last one-word tuple of the key plus one, so that it is not looked up again; or -1. */
  last: number;
  /**
   * First of the accumulators that hold the key's first tuple as words, its hash before them: most keys show one tuple only, which need not
   * enter the pairs then. It is theirs from when the key's count is not 0; -1 without.
   */
  first: number;
  /** Panes merge into windows; else the pairs matter only when their pane closes. */
  windowed: boolean;
  /** A row needs only the first field of the tuple; of the others 0 stands for what is not there. */
  loose: boolean;
}

/** Accumulators 0 and 1 of each key: rows (zero means that the row is free) and raw samples. */
export const ROWS = 0;
export const SAMPLES = 1;

/**
 * What a rule keeps of a key: its accumulators and the code that moves them. Measures ask for what they need; equal
 * wishes share one accumulator.
 */
export class Layout {
  readonly merges: Merge[] = [];
  readonly updates = new Map<string, string[]>();
  readonly pairs: PairPlan[] = [];
  readonly lookups: Lookups;
  readonly #known = new Map<string, number>();

  constructor(lookups: Lookups) {
    this.lookups = lookups;
    this.sum('1', 'true');
    // Rounded, so that sums are sums of integers and do not depend on the order of rows.
    this.sum('(sampling[i]>1?Math.round(packets[r]/sampling[i]):packets[r])', 'true');
  }

  sum(amount: string, guard: string): number {
    return this.#add('sum', amount, guard, (at) => `${at}+=${amount}`);
  }

  min(amount: string, guard: string): number {
    return this.#add('min', amount, guard, (at) => `if(${amount}<${at})${at}=${amount}`);
  }

  max(amount: string, guard: string): number {
    return this.#add('max', amount, guard, (at) => `if(${amount}>${at})${at}=${amount}`);
  }

  /** An accumulator that no row moves directly. */
  keep(merge: Merge): number {
    return this.merges.push(merge) - 1;
  }

  #add(merge: Merge, amount: string, guard: string, code: (at: string) => string): number {
    const id = [merge, amount, guard].join('~');
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const index = this.keep(merge);
    this.#known.set(id, index);
    const group = this.updates.get(guard) ?? [];
    group.push(`${code(`D[d+${index}]`)};`);
    this.updates.set(guard, group);
    return index;
  }

  pair(of: readonly KeyPart[], where: string, options: Partial<PairPlan> = {}): number {
    const code = keyCode(of, this.lookups, 'KP', { skip: 1, loose: options.loose ?? false });
    const guard = [where, ...code.there].filter((test) => test !== 'true').join('&&') || 'true';
    const count = this.keep('own');
    const plan: PairPlan = {
      of,
      code,
      guard,
      amounts: [],
      count,
      sketchPast: Number.POSITIVE_INFINITY,
      log: false,
      last: -1,
      first: -1,
      windowed: true,
      loose: false,
    };
    const whole = { ...plan, ...options };
    if (whole.amounts.length === 0 && code.words === 1) whole.last = this.keep('own');
    if (whole.amounts.length === 0 && whole.windowed && !whole.log) whole.first = this.#keepWords(1 + code.words);
    return this.pairs.push(whole) - 1;
  }

  /** Accumulators side by side that have room for so many words. */
  #keepWords(words: number): number {
    const first = this.keep('own');
    for (let kept = 2; kept < words; kept += 2) this.keep('own');
    return first;
  }

  /** What a fresh row begins with. */
  initial(): number[] {
    return this.merges.map(identity);
  }

  /** A summand as code, and the test that the row has it. */
  summand(name: Summand): { value: string; there: string } {
    if (name === 'rows') return { value: '1', there: 'true' };
    if (name === 'flows') return { value: FLOWS, there: 'true' };
    const { value, there } = this.lookups.field(name);
    return { value, there: there ?? 'true' };
  }
}

export function identity(merge: Merge): number {
  if (merge === 'min') return Number.POSITIVE_INFINITY;
  return merge === 'max' ? Number.NEGATIVE_INFINITY : 0;
}

/** Both tests; `true` disappears. */
export function both(a: string, b: string): string {
  if (a === 'true') return b;
  return b === 'true' ? a : `(${a}&&${b})`;
}
