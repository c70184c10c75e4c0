import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import { DeferredRows } from './deferred-rows.ts';
import { EventLog } from './event-log.ts';
import { KeyedTable } from './keyed-table.ts';
import { identity, type Layout, type PairPlan } from './layout.ts';

/** The tuples seen inside each key: rows keyed by the key's row number and the tuple's words. */
export class PairTable implements Stateful {
  readonly plan: PairPlan;
  /** Accumulator 0 counts the panes that hold the pair, then the plan's amounts. */
  readonly table: KeyedTable;
  /** Registers of keys that are counted by sketch, by the key's row. */
  readonly sketches = new Map<number, Uint8Array>();
  readonly events: EventLog | null;

  constructor(plan: PairPlan) {
    this.plan = plan;
    this.table = new KeyedTable(1 + plan.code.words, [0, ...plan.amounts.map(({ merge }) => identity(merge))]);
    this.events = plan.log ? new EventLog() : null;
  }

  reset(): void {
    this.table.reset();
    this.sketches.clear();
    this.events?.reset();
  }

  save(out: StateWriter): void {
    this.table.save(out);
    out.number(this.sketches.size);
    for (const [row, registers] of this.sketches) {
      out.number(row);
      out.array(registers);
    }
    this.events?.save(out);
  }

  restore(state: StateReader): void {
    this.table.restore(state);
    this.sketches.clear();
    for (let left = state.number(); left > 0; left--) this.sketches.set(state.number(), state.array(Uint8Array));
    this.events?.restore(state);
  }
}

/** What a rule gathered in one pane of time, or in one window. */
export class Pane implements Stateful {
  /** Number of the pane: its start divided by the pane's length. */
  number = 0;
  /** All tuples are among the pairs. */
  complete = false;
  /** Rows that are not in the tables; null: all are. */
  deferred: DeferredRows | null = null;
  readonly keys: KeyedTable;
  readonly pairs: PairTable[];

  /** @param expected rows that there is room for at first: of keys, then of each kind of pairs */
  constructor(layout: Layout, keyWords: number, expected: readonly number[] = []) {
    this.keys = new KeyedTable(keyWords, layout.initial());
    this.pairs = layout.pairs.map((plan) => new PairTable(plan));
    for (const [t, table] of this.#tables().entries()) table.reserve(expected[t] ?? 0);
  }

  #tables(): KeyedTable[] {
    return [this.keys, ...this.pairs.map(({ table }) => table)];
  }

  /** Rows of each table: what the next pane may expect. */
  get sizes(): number[] {
    return this.#tables().map(({ count }) => count);
  }

  /** Enters the first tuples of keys, too, so that the pairs are all that were seen. Once, when no more rows come. */
  completePairs(): void {
    this.complete = true;
    for (const { plan, table } of this.pairs) {
      if (plan.first < 0) continue;
      for (let row = 0; row < this.keys.count; row++) enterFirst(this.keys, row, plan, table, row);
    }
  }

  /** Some row fell into it. */
  get live(): boolean {
    return this.keys.count > 0 || (this.deferred !== null && this.deferred.length > 0);
  }

  /** Nobody needs the pane any more. */
  release(): void {
    this.keys.release();
    for (const { table } of this.pairs) table.release();
    this.deferred?.release();
  }

  reset(): void {
    this.complete = false;
    this.deferred?.reset();
    this.keys.reset();
    for (const pair of this.pairs) pair.reset();
  }

  save(out: StateWriter): void {
    out.number(this.number);
    out.number(this.complete ? 1 : 0);
    this.keys.save(out);
    for (const pair of this.pairs) pair.save(out);
    out.number(this.deferred === null ? 0 : 1);
    this.deferred?.save(out);
  }

  restore(state: StateReader): void {
    this.number = state.number();
    this.complete = state.number() === 1;
    this.keys.restore(state);
    for (const pair of this.pairs) pair.restore(state);
    this.deferred?.release();
    this.deferred = state.number() === 0 ? null : DeferredRows.restored(state);
  }
}

const PAIR = new Int32Array(64);

/** Enters the key's first tuple as a pair of key `to`. */
export function enterFirst(keys: KeyedTable, row: number, plan: PairPlan, table: KeyedTable, to: number): void {
  const d = row * keys.stride + keys.first;
  if (keys.doubles[d + plan.count] === 0) return;
  const at = 2 * (d + plan.first);
  PAIR[0] = keys.words[at];
  PAIR[1] = to;
  for (let k = 1; k <= plan.code.words; k++) PAIR[1 + k] = keys.words[at + k];
  const pair = table.take(PAIR, 0);
  table.doubles[pair * table.stride + table.first] = 1;
}
