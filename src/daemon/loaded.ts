import { forTraffic, rulePaths } from '../cli/rule-option.ts';
import { type Config, loadConfig } from '../config.ts';
import { type Finding, messageOf } from '../core/errors.ts';
import type { Prefix } from '../model/address.ts';
import type { RuleSet } from '../model/plan.ts';
import { loadRules } from '../rule/rule.ts';

/** A configuration and its rules, whole and without errors; or everything that is wrong with them. */
export type Loaded = { config: Config; rules: RuleSet } | { findings: Finding[] };

/** @param learned home nets where the configuration says none */
export function loadAll(path: string, learned: Prefix[] | null): Loaded {
  try {
    const { config, findings } = loadConfig(path);
    if (config === null) return { findings };
    const loaded = rulesOf(config, learned);
    const errors = loaded.findings.filter(({ level }) => level !== 'warning');
    return errors.length > 0 ? { findings: errors } : { config, rules: forTraffic(loaded.rules) };
  } catch (error) {
    return { findings: [{ file: path, line: 1, column: 1, code: 'config.read', message: messageOf(error) }] };
  }
}

function rulesOf(config: Config, learned: Prefix[] | null): ReturnType<typeof loadRules> {
  const home = config.home ?? null;
  const nets = home ? { home } : { defaultHome: learned ?? undefined };
  return loadRules(rulePaths(undefined, config.rules), nets);
}
