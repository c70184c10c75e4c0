import type { RulePlan } from './plan.ts';

/** A key as people and JSON see it: field name -> value (`{"dst.ip": "192.0.2.7"}`), in the order of `by`. */
export type Key = Record<string, string | number>;

/** A key as the window room sees it: hash and words. It finds the key again in a later window of the same rule. */
export type KeyHandle = Int32Array;

/**
 * All keys of one rule in one window (of rules with levels those that a level may hold for or that are watched); valid during the sink's call. `values` holds `rule.measures.length` numbers a key;
 * learned measures are NaN until detect fills them. Few keys, and all keys of rules without levels (recorded ones), come
 * `sorted`, so that everything after is in one order whatever order rows came in; of others whoever keeps some of the keys
 * puts those in order.
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
  /** True when keys ascend. */
  sorted: boolean;
  /** Orders keys `i` and `j`. */
  compare(i: number, j: number): number;
  /** Of a rule with a follow-up: time of the first row that matched (Infinity without: the key only followed up). */
  matchedUs: Float64Array | null;
  /** Time of the last row that matched the follow-up; -Infinity without. */
  followedUs: Float64Array | null;
  /** Stable text of key `i`, made on demand: equal keys give equal text. */
  keyText(i: number): string;
  key(i: number): Key;
  handle(i: number): KeyHandle;
  /** Position of a key of an earlier window; -1 when it has no rows in this one. */
  indexOf(handle: KeyHandle): number;
  /** `topk` measures and other structured values of key `i`, by measure name. */
  detail(i: number, measure: string): unknown;
}

/**
 * Takes results as windows close, in the order (window end, rule). The answer says whether empty windows of the rule
 * matter now (a key is in alert, a baseline is learning): when false, the window room may skip over silence.
 */
export type WindowSink = (results: WindowResults) => boolean;
