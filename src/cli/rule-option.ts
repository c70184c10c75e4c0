import type { Finding } from '../core/errors.ts';
import { WeirError } from '../core/errors.ts';
import { shipped } from '../core/paths.ts';

import type { RuleSet } from '../model/plan.ts';
import { type LoadOptions, loadRules } from '../rule/rule.ts';

/** The rule files of a command: its option, else the configuration's, else the shipped library. */
export function rulePaths(option: string[] | undefined, configured: string[] = []): string[] {
  if (option && option.length > 0) return option;
  return configured.length > 0 ? configured : [shipped('rules')];
}

/** Loads rules whole, or ends with every finding. */
export function requireRules(paths: string[], options: LoadOptions): RuleSet {
  const { rules, findings } = loadRules(paths, options);
  const errors = findings.filter((finding) => finding.level !== 'warning');
  if (errors.length > 0) {
    throw new WeirError('rules.invalid', `the rules have ${errors.length} errors\n${errors.map(place).join('\n')}`, {
      hint: `weir check ${paths.join(' ')} shows each in its line`,
    });
  }
  return rules;
}

function place(finding: Finding): string {
  const hint = finding.hint ? ` (${finding.hint})` : '';
  return `${finding.file}:${finding.line}:${finding.column}: ${finding.message}${hint}`;
}
