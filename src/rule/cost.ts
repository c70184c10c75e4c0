import type { RulePlan } from '../model/plan.ts';
export function ruleCost(_: RulePlan): number {
  return 0;
}
