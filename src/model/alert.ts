import type { Unit } from '../core/units.ts';
import type { RulePlan, Severity } from './plan.ts';
import type { SeriesPoint } from './series.ts';
import type { Key } from './window-result.ts';

export type AlertState = 'pending' | 'firing' | 'escalated' | 'deescalated' | 'resolved' | 'suppressed';

/** What detect says of one key at one window's end; the alert room's only input. */
export interface Evaluation {
  rule: RulePlan;
  ruleIndex: number;
  key: Key;
  keyText: string;
  startUs: number;
  endUs: number;
  /** For each of `rule.levels`: does its condition hold. */
  holds: boolean[];
  /** The rule's `clear` (or, without one, that no level holds). */
  clear: boolean;
  /** The source gave no data: `no_data` decides. */
  missing: boolean;
  values: Record<string, number | string | null>;
  /** Raw samples (packets before scaling) in the window. */
  samples?: number;
  expected: Record<string, number> | null;
  /** The severity that a follow-up (`then`) raises, at once. */
  raise: Severity | null;
}

/** One line of `weir replay --json` and `weir alerts --json`, and the body of a notification. Field order is fixed. */
export interface Transition {
  rule: string;
  severity: Severity;
  state: AlertState;
  /** ISO 8601, event time. */
  time: string;
  window: { start: string; end: string };
  key: Key;
  values: Record<string, number | string | null>;
  expected: Record<string, number> | null;
  summary: string;
  evidence: EvidenceItem[];
  tags: string[];
  idempotencyKey: string;
  /** Same for all transitions of one episode of one rule and key. */
  alertId: string;
  title: string;
  /** `match` and key as a filter for `weir query`. */
  filter: string;
  /** A counter-measure in a sentence. */
  advice: string;
  /** When the episode began (first pending), ISO 8601. */
  since: string;
  /** The values as people read them; those that broke a limit first. */
  measured: Measured[];
}

/** `{"name":"pps","text":"45.2 kpps","limit":"> 20.0 kpps","expected":null}` */
export interface Measured {
  name: string;
  text: string;
  /** The limit that the value broke, with its comparison. */
  limit: string | null;
  expected: string | null;
}

/** Recent windows of an alert's main measure, for a plot. */
export interface AlertPlot {
  name: string;
  unit: Unit;
  points: SeriesPoint[];
  limit: number | null;
}

/** Finds what to plot for an alert; null when there is nothing. */
export type PlotSource = (transition: Transition) => Promise<AlertPlot | null>;

/** `{"topk":"src.ip","by":"packets","items":[{"value":"198.51.100.7","amount":9000,"share":0.4}]}` or flow lines. */
export type EvidenceItem =
  | { topk: string; by: string; items: { value: string; amount: number; share: number }[] }
  | { flows: Record<string, string | number>[] };

/** Finds evidence for an alert in the recent rows. Lines up with `rule.evidence`. */
export type EvidenceSource = (evaluation: Evaluation) => EvidenceItem[];
