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

/** A measure over rows. `where` has no row of its own to hold: it is the measure's, beside the rule's match. */
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

/** A measure over another measure's windows. `of` is its index in the rule. */
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
  /** `part` of a forecast: `eta`, `date`, `lo`, `hi`, `probability`. */
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

/** A named threshold; the longest prefix that holds an address of the key wins, else `default`. */
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
