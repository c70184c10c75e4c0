import type { Unit } from '../core/units.ts';
import type { Prefix } from './address.ts';

/**
 * A compiled rule: plain, serialisable data. Names, macros, nets and ports are resolved, types and units checked, so
 * whoever runs it (the window room, the scale-out engine) only translates.
 */
export type Severity = 'info' | 'warning' | 'critical';
export const SEVERITIES: readonly Severity[] = ['info', 'warning', 'critical'];

export type Comparison = '>' | '>=' | '<' | '<=' | '==' | '!=';

/** A condition on one row. `field` is a name of `FIELDS`. */
export type Predicate =
  | { op: 'true' }
  | { op: 'and' | 'or'; args: Predicate[] }
  | { op: 'not'; arg: Predicate }
  /** The address lies in one of the nets. */
  | { op: 'net'; field: string; nets: Prefix[] }
  /** The number is one of the values (sorted) or in one of the closed ranges. */
  | { op: 'in'; field: string; values: number[]; ranges: [number, number][] }
  | { op: 'compare'; field: string; cmp: Comparison; value: number }
  /** `(field & mask) == value`. */
  | { op: 'flags'; field: string; mask: number; value: number }
  | { op: 'is'; field: string }
  | { op: 'text'; field: string; test: 'equals' | 'prefix' | 'suffix' | 'contains'; values: string[] }
  | { op: 'mac'; field: string; values: number[] };

export interface KeyPart {
  field: string;
  /** Prefix lengths an address is cut to (32 and 128 for whole addresses); null for other fields. */
  prefix: { ipv4: number; ipv6: number } | null;
}

export interface WindowSpec {
  kind: 'tumbling' | 'sliding' | 'session';
  /** Length, or the gap of a session. */
  sizeUs: number;
  /** Distance of two window ends; equals `sizeUs` when tumbling. */
  slideUs: number;
}

export type AggregateName =
  | 'rate'
  | 'sum'
  | 'count'
  | 'min'
  | 'max'
  | 'avg'
  | 'share'
  | 'distinct'
  | 'entropy'
  | 'topk'
  | 'quantile'
  | 'scan'
  | 'beacon'
  | 'first_seen';

/** What an aggregate adds up: a field of `FIELDS`, or flows or rows counted. */
export type Summand = string | 'flows' | 'rows';

/**
 * A measure over rows. `where` has no row of its own to hold: it is the measure's, beside the rule's match.
 *
 * What each `fn` answers for one key and window (`params` in brackets; every one named is always there):
 * - `sum count min max avg`: of the summand. `rate`: sum per second of the window's length. `share`: sum over the rows
 *   that `where` selects, divided by the sum over all rows of the key; NaN without any.
 * - `distinct`: number of different `of` tuples. A number in `of` counts by its integer part (`bpp`).
 * - `entropy` [`normalised` 0|1]: Shannon entropy in bits of the `of` values weighted by the summand, divided by
 *   log2(distinct values) when normalised (0 for a single value).
 * - `topk` [`k`]: share (0..1) of the summand that the `k` heaviest `of` values have together; the list is the detail.
 * - `quantile` [`q`]: of the summand over rows.
 * - `scan` [`t0 t1 a b keep`]: threshold random walk over first contacts. A contact is a row with `first` and
 *   `initiator`, not `unasked`, whose `of` tuple this key has not contacted within `keep` (microseconds). Without
 *   biflows it is a row with `first`, and, if TCP, flag S and not A. A TCP row with A, without S and without anything in
 *   reverse is no contact: it may be the middle of a connection. It succeeds when the other side answered for real, or
 *   the sender went on as if it had: TCP: `reverse.flags` has S; or the row has S and A and `reverse.flags` has no R; or
 *   the row has no S and `reverse.flags` has A and not R. Else: `reverse.packets` > 0.
 *   L grows by ln((1-t1)/(1-t0)) on failure and falls by ln(t0/t1) on success; at or below ln((1-b)/(1-a)) it starts
 *   again at 0. The walk outlives windows and is forgotten after `keep` without a contact. The value is
 *   L / ln((1-t1)/(1-t0)), which reads "failed first contacts more than a healthy host has", of a key that made a
 *   contact in this window, else 0. It is not capped by ln(b/a): a rule compares it (9 is a = 1e-5, 4 is a = .01).
 * - `beacon` [`min ts keep`]: regularity 0..1 of the flows (their first slice, on the initiator's row) of each `of` tuple
 *   inside the key, highest tuple; history of `keep` microseconds; 0 below `min` flows or with a time score under `ts`.
 * - `first_seen` [`learn keep`]: number of `of` tuples that this key showed in the window and never before (within
 *   `keep`); 0 until `learn` has passed since the rule's first row, and again since the first row after a silence
 *   longer than `keep`, for then nothing is known.
 */
export interface AggregateMeasure {
  kind: 'aggregate';
  name: string;
  fn: AggregateName;
  /** rate, sum, count, min, max, avg, share, quantile, topk, entropy: what is added up (entropy: the weight, default packets). */
  summand: Summand;
  /** distinct, entropy, topk, scan, beacon, first_seen: the fields whose values are told apart, with prefix lengths. */
  of: KeyPart[];
  where: Predicate;
  /** Numbers of the call: `k`, `q`, `t0`, ... and times in microseconds. */
  params: Record<string, number>;
  unit: Unit;
}

/**
 * A measure over another measure's windows. `of` is its index in the rule.
 * - `baseline` {`season`: number[] (us), `direction`: up|down|both, `min_dev`: share, `warmup`: us}: z, the signed
 *   standardised residual, 0 while learning. Parts: `expected low high deviation p score`.
 * - `forecast` {`quantile` of a day, `horizon`: us} and `reach`. Parts: `eta` (time left), `date`, `lo`, `hi`, `probability`.
 * - `cusum` {`k`, `warmup`: us, `direction`: up|down}: S = max(0, S + z - k) over the standardised residual against
 *   the slowly learned mean and deviation of the key's own windows; 0 while learning.
 */
export interface LearnedMeasure {
  kind: 'learned';
  name: string;
  fn: 'baseline' | 'forecast' | 'cusum';
  of: number;
  params: Record<string, number | number[] | string>;
  /** forecast: the threshold to reach, e.g. `0.9 * if_speed`. */
  reach: Expr | null;
  unit: Unit;
}

export type Measure = AggregateMeasure | LearnedMeasure;

/** A condition or a number over a window's measures. Comparison with what is not there (NaN) is false. */
export type Expr =
  | { op: 'number'; value: number; unit: Unit }
  /** `part` of a forecast or baseline, as `LearnedMeasure` names them; null: its value. */
  | { op: 'measure'; index: number; part: string | null }
  | { op: 'threshold'; name: string }
  /** An attribute of the key's interface. */
  | { op: 'attribute'; name: 'if_speed' }
  | { op: '+' | '-' | '*' | '/' | Comparison; left: Expr; right: Expr }
  | { op: 'and' | 'or'; args: Expr[] }
  | { op: 'not' | 'neg'; arg: Expr };

export interface Level {
  severity: Severity;
  when: Expr;
  /** How long it must hold. */
  forUs: number;
}

/**
 * A named threshold; the longest prefix that holds an address of the key (its first address field that lies in any
 * of them) wins, else `default`. Longest first.
 */
export interface Threshold {
  unit: Unit;
  default: number;
  prefixes: { prefix: Prefix; value: number }[];
}

export interface RuleException {
  name: string;
  reason: string;
  match: Predicate;
  /** Event time at which the exception ends; Infinity without one. */
  untilUs: number;
}

/** `topk(10, src.ip, packets)` or `flows(20)`. */
export type Evidence = { fn: 'topk'; k: number; of: KeyPart[]; summand: Summand } | { fn: 'flows'; k: number };

export interface FollowUp {
  withinUs: number;
  match: Predicate;
  severity: Severity;
}

export interface Suppression {
  /** Rule ids; `*` stands for any ending. */
  rules: string[];
  /** The other alert's key field must lie within this rule's key; null: same key. */
  within: string | null;
}

export interface RulePlan {
  id: string;
  title: string;
  file: string;
  line: number;
  tags: string[];
  annotations: Record<string, string>;
  match: Predicate;
  /** The match as the author wrote it, macros expanded: for "the filter to look further". */
  matchText: string;
  except: RuleException[];
  by: KeyPart[];
  window: WindowSpec;
  latenessUs: number;
  measures: Measure[];
  /** Weakest first. */
  levels: Level[];
  clear: Expr | null;
  keepFiringForUs: number;
  noData: 'keep' | 'resolve' | 'alert';
  /** Raw samples (packets before scaling) a window needs to be judged. */
  minSamples: number;
  thresholds: Record<string, Threshold>;
  follow: FollowUp | null;
  suppresses: Suppression[];
  maxKeys: number;
  evidence: Evidence[];
  /** What to do against it, as a sentence for people. */
  measureAgainst: string;
  /** Changes when anything that affects results changes: hot reload compares it. */
  fingerprint: string;
}

/** The running set of rules. */
export interface RuleSet {
  rules: RulePlan[];
  home: Prefix[];
}
