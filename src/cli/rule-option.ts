import { join } from 'node:path';
import type { Finding } from '../core/errors.ts';
import { WeirError } from '../core/errors.ts';
import { shipped } from '../core/paths.ts';

import type { RuleSet } from '../model/plan.ts';
import { type LoadOptions, loadRules } from '../rule/rule.ts';

const SELF = 'self';

/** The rule files of a command: its option, else the configuration's, else the shipped library. */
export function rulePaths(option: string[] | undefined, configured: string[] = []): string[] {
  if (option && option.length > 0) return option;
  return configured.length > 0 ? configured : [shipped('rules')];
}

/** The rules for traffic, whole, or the end with every finding. */
export function requireRules(paths: string[], options: LoadOptions): RuleSet {
  return forTraffic(requireAllRules(paths, options));
}

/** Loads rules whole, those about weir itself too, or ends with every finding. */
export function requireAllRules(paths: string[], options: LoadOptions): RuleSet {
  const { rules, findings } = loadRules(paths, options);
  const errors = findings.filter((finding) => finding.level !== 'warning');
  if (errors.length > 0) {
    throw new WeirError('rules.invalid', `the rules have ${errors.length} errors\n${errors.map(place).join('\n')}`, {
      hint: `weir check ${paths.join(' ')} shows each in its line`,
    });
  }
  return rules;
}

/** Rules about weir itself, which their tag tells, do not see traffic: they run beside it, by the wall clock. */
export function forTraffic(rules: RuleSet): RuleSet {
  return { ...rules, rules: rules.rules.filter(({ tags }) => !tags.includes(SELF)) };
}

/** The rules about weir itself: the shipped ones. */
export function selfRules(): RuleSet {
  const { rules } = loadRules([join(shipped('rules'), 'self')], {});
  return { ...rules, rules: rules.rules.filter(({ tags }) => tags.includes(SELF)) };
}

function place(finding: Finding): string {
  const hint = finding.hint ? ` (${finding.hint})` : '';
  return `${finding.file}:${finding.line}:${finding.column}: ${finding.message}${hint}`;
}
