import { createHash } from 'node:crypto';
import type { RulePlan } from '../model/plan.ts';

/** A rule of the running set and its position there. */
export interface Twin {
  rule: RulePlan;
  index: number;
}

/**
 * Rules that select, group and measure alike (they differ in thresholds, levels, texts) are twins: they have one set of
 * tables, filled once.
 */
export function groupTwins(rules: readonly RulePlan[]): Twin[][] {
  const groups = new Map<string, Twin[]>();
  rules.forEach((rule, index) => {
    const id = windowsId(rule);
    const group = groups.get(id) ?? [];
    group.push({ rule, index });
    groups.set(id, group);
  });
  return [...groups.values()];
}

/** Changes when tables of the same rule are kept otherwise: those of an older state begin anew then. */
const FORMAT = 5;

/** A hash over everything of a plan that windows depend on. */
export function windowsId(plan: RulePlan): string {
  const { by, window, latenessUs, measures, follow, maxKeys, evidence, match, levels } = plan;
  const except = plan.except.map(({ match, untilUs }) => [match, String(untilUs)]);
  const facts = [match, except, by, window, latenessUs, measures, follow?.match ?? null, maxKeys, evidence];
  return createHash('sha256')
    .update(JSON.stringify([FORMAT, facts, levels.length === 0]))
    .digest('hex')
    .slice(0, 16);
}
