import { createHash } from 'node:crypto';
import type { RulePlan } from '../model/plan.ts';

export const FINGERPRINT_EMPTY = '';

/** A hash over everything of a plan that affects its results; titles, texts and evidence do not. */
export function fingerprint(plan: RulePlan): string {
  const { match, except, by, window, latenessUs, measures, levels, clear } = plan;
  const { keepFiringForUs, noData, minSamples, thresholds, follow, suppresses, maxKeys } = plan;
  const exceptions = except.map(({ match, untilUs }) => ({ match, untilUs: String(untilUs) }));
  const facts = [plan.id, match, exceptions, by, window, latenessUs, measures, levels, clear];
  const rest = [keepFiringForUs, noData, minSamples, thresholds, follow, suppresses, maxKeys];
  return createHash('sha256')
    .update(JSON.stringify([facts, rest]))
    .digest('hex')
    .slice(0, 16);
}
