import type { RulePlan } from './plan.ts';

/** A key as people and JSON see it: field name -> value (`{"dst.ip": "192.0.2.7"}`), in the order of `by`. */
export type Key = Record<string, string | number>;

/**
 * All keys of one rule in one window, sorted by key, so that everything after it is in one order whatever order rows
 * came in. `values` holds `rule.measures.length` numbers a key; learned measures are NaN until detect fills them.
 */
export interface WindowResults {
  rule: RulePlan;
  /** Position of the rule in the running set. */
  ruleIndex: number;
  startUs: number;
  endUs: number;
  length: number;
  values: Float64Array;
  /** Raw samples (packets before scaling) a key. */
  samples: Float64Array;
  /** Stable text of key `i`, made on demand: equal keys give equal text. */
  keyText(i: number): string;
  key(i: number): Key;
  /** `topk` measures and other structured values of key `i`, by measure name. */
  detail(i: number, measure: string): unknown;
}

/**
 * Takes results as windows close, in the order (window end, rule). The answer says whether empty windows of the rule
 * matter now (a key is in alert, a baseline is learning): when false, the window room may skip over silence.
 */
export type WindowSink = (results: WindowResults) => boolean;
