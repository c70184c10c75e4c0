import type { AggregateMeasure, AggregateName, RulePlan } from '../../model/plan.ts';
import type { Layout } from '../layout.ts';
import { predicateCode } from '../predicate-code.ts';
import { beacon } from './beacon.ts';
import { distinct } from './distinct.ts';
import { entropy } from './entropy.ts';
import { largest, smallest } from './extremes.ts';
import { firstSeen } from './first-seen.ts';
import type { MeasureCode, MeasureCompiler, MeasureContext } from './measure.ts';
import { quantile } from './quantile.ts';
import { scan } from './scan.ts';
import { average, count, rate, share, sum } from './sums.ts';
import { topk } from './topk.ts';

const COMPILERS: Partial<Record<AggregateName, MeasureCompiler>> = {
  rate,
  sum,
  count,
  avg: average,
  share,
  min: smallest,
  max: largest,
  distinct,
  entropy,
  topk,
  quantile,
  scan,
  beacon,
  first_seen: firstSeen,
};

/** Compiles a rule's measures in their order; learned ones are NaN here. Throws a RangeError for an unknown one. */
export function compileMeasures(rule: RulePlan, layout: Layout, context: MeasureContext): MeasureCode[] {
  return rule.measures.map((measure) =>
    measure.kind === 'learned' ? { value: 'NaN' } : compile(measure, layout, context),
  );
}

function compile(measure: AggregateMeasure, layout: Layout, context: MeasureContext): MeasureCode {
  const compiler = Object.hasOwn(COMPILERS, measure.fn) ? COMPILERS[measure.fn] : undefined;
  if (!compiler) throw new RangeError(`no such aggregate: ${measure.fn}`);
  return compiler(measure, predicateCode(measure.where, layout.lookups), layout, context);
}
