import type { Transition } from '../model/alert.ts';
import type { RuleSet } from '../model/plan.ts';
import { orphanResolved } from './own-alert.ts';
import type { CheckpointFacts } from './running-state.ts';

/**
 * Alerts of rules that left or changed end, and say why: nobody would ever resolve them.
 * @param before the rules that were in force
 * @param active the newest stored transition of each alert that fires
 * @param eventUs event time of the change
 */
export function retired(
  before: CheckpointFacts['rules'],
  { rules }: RuleSet,
  active: () => Transition[],
  eventUs: number,
): Transition[] {
  const now = new Map(rules.map(({ id, fingerprint }) => [id, fingerprint]));
  const gone = new Map<string, string>();
  for (const { id, fingerprint } of before) {
    if (!now.has(id)) gone.set(id, 'its rule was removed');
    else if (now.get(id) !== fingerprint) gone.set(id, 'its rule was changed');
  }
  if (gone.size === 0) return [];
  return active().flatMap((last) => {
    const why = gone.get(last.rule);
    return why ? [orphanResolved(last, Math.max(0, eventUs), why)] : [];
  });
}
