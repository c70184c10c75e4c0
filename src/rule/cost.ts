import type { AggregateName, Measure, Predicate, RulePlan } from '../model/plan.ts';

/** What a rule costs: per row, and in memory. All of it is bounded, and known before the rule runs. */
export interface RuleCost {
  id: string;
  /** Tests on a row that the rule does not want, at most. */
  matchTests: number;
  /** Tests and updates on a row that it does want. */
  rowSteps: number;
  /** Memory a key, bytes, and that of a full table. */
  keyBytes: number;
  maxBytes: number;
}

/** Steps of one update and bytes a key and window: orders of magnitude, for comparing rules with each other. */
const AGGREGATES: Readonly<Record<AggregateName, { steps: number; bytes: number }>> = {
  rate: { steps: 1, bytes: 8 },
  sum: { steps: 1, bytes: 8 },
  count: { steps: 1, bytes: 8 },
  min: { steps: 1, bytes: 8 },
  max: { steps: 1, bytes: 8 },
  avg: { steps: 2, bytes: 16 },
  share: { steps: 2, bytes: 16 },
  distinct: { steps: 6, bytes: 64 },
  entropy: { steps: 6, bytes: 256 },
  topk: { steps: 8, bytes: 512 },
  quantile: { steps: 4, bytes: 256 },
  scan: { steps: 8, bytes: 64 },
  beacon: { steps: 6, bytes: 256 },
  first_seen: { steps: 6, bytes: 64 },
};

const LEARNED_BYTES = 4096;
const KEY_BYTES = 64;

export function ruleCost(plan: RulePlan): RuleCost {
  const panes = plan.window.kind === 'sliding' ? plan.window.sizeUs / plan.window.slideUs : 1;
  const exceptions = plan.except.reduce((sum, { match }) => sum + tests(match), 0);
  const matchTests = tests(plan.match);
  const rowSteps = matchTests + exceptions + plan.measures.reduce((sum, measure) => sum + stepsOf(measure), 2);
  const keyBytes = KEY_BYTES + plan.measures.reduce((sum, measure) => sum + bytesOf(measure) * panes, 0);
  return { id: plan.id, matchTests, rowSteps, keyBytes, maxBytes: keyBytes * plan.maxKeys };
}

function tests(predicate: Predicate): number {
  if (predicate.op === 'true') return 0;
  if (predicate.op === 'and' || predicate.op === 'or') return predicate.args.reduce((sum, arg) => sum + tests(arg), 0);
  return predicate.op === 'not' ? tests(predicate.arg) : 1;
}

function stepsOf(measure: Measure): number {
  return measure.kind === 'learned' ? 0 : AGGREGATES[measure.fn].steps + tests(measure.where);
}

function bytesOf(measure: Measure): number {
  return measure.kind === 'learned' ? LEARNED_BYTES : AGGREGATES[measure.fn].bytes;
}
