import type { Finding } from '../core/errors.ts';
import type { RulePlan } from '../model/plan.ts';

export function lintRules(_rules: readonly RulePlan[], _findings: Finding[]): void {}
