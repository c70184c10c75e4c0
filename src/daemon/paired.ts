import type { Config, SourceConfig } from '../config.ts';
import type { RuleSet } from '../model/plan.ts';
import { needsBiflow } from '../rule/rule.ts';

/** Answers come in the next export of the same exporter, or soon after. */
const PAIR = '30s';

/**
 * The sources as the rules need them: most exporters send the two directions of a flow as two records, and a rule that asks
 * who began, or who answered, would see nothing. Where a collector does not say, they are joined for such rules.
 */
export function paired(
  { sources }: Pick<Config, 'sources'>,
  { rules }: Pick<RuleSet, 'rules'>,
): readonly SourceConfig[] {
  if (!rules.some(needsBiflow)) return sources;
  return sources.map((source) => {
    const joins = (source.type === 'netflow' || source.type === 'ipfix') && source.pair === undefined;
    return joins ? { ...source, pair: PAIR } : source;
  });
}
