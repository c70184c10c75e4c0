import type { Stateful } from '../../core/state.ts';
import type { AggregateMeasure } from '../../model/plan.ts';
import type { Deferral } from '../deferral.ts';
import type { Layout } from '../layout.ts';
import type { Pane } from '../pane.ts';
import type { WindowView } from '../window-view.ts';

/** Facts of the rule that a measure may need. */
export interface MeasureContext {
  paneUs: number;
  /** The window is one pane. */
  single: boolean;
  maxKeys: number;
  /** Counts what had no room, by cause. */
  dropped(cause: string): { value: number };
  /** Text of a tuple's words: see `KeyFormat`. */
  formatTuple(of: AggregateMeasure['of'], words: Int32Array, at: number): string;
}

/** A measure of one rule, compiled. */
export interface MeasureCode {
  /** Expression over a key's accumulators `D[d+n]` and the window's length `seconds`. */
  value: string;
  /**
   * Expression over a pane's accumulators, never negative, whose sum over the panes of a window is not below the window's value (but for
   * keys that are counted by sketch). Only where there is one.
   */
  bound?: string;
  /** The same of a measure whose value in a window is not above the greatest of its panes'. */
  peak?: string;
  /** Moves the key's accumulators (from `d`) when a pair's first amount in the window changes; 0 to 0 never. */
  change?: { pair: number; apply(doubles: Float64Array, d: number, before: number, after: number): void };
  /**
   * A pane is over: what outlives windows learns from it and may fill kept accumulators of its keys; of keys whose rows wait it raises the
   * bucket's.
   */
  paneClosed?(pane: Pane, deferral: Deferral | null): void;
  /** Rows that waited have entered the tables. Without it, no row may wait for `paneClosed`. */
  paneSettled?(pane: Pane): void;
  /** The accumulator that is raised. */
  raises?: number;
  /** Writes values that no expression can say, for the listed rows. */
  finish?(view: WindowView, out: Float64Array, width: number, column: number): void;
  /** The structured value of one row. */
  detail?(view: WindowView, row: number): unknown;
  /** What outlives windows. */
  memory?: Stateful;
}

/** @param where the measure's own condition, as code */
export type MeasureCompiler = (
  measure: AggregateMeasure,
  where: string,
  layout: Layout,
  context: MeasureContext,
) => MeasureCode;
