import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { loadConfig } from '../config.ts';
import type { Finding } from '../core/errors.ts';
import { EXIT_NO } from '../core/exit.ts';
import { LineWriter, wantsColour } from '../core/output.ts';
import { formatNumber } from '../core/units.ts';
import type { RulePlan } from '../model/plan.ts';
import { ANSI_PAINT, loadRules, loadRuleTests, NO_PAINT, ruleCost, showFinding } from '../rule/rule.ts';
import { rulePaths } from './rule-option.ts';

interface Options {
  config?: string;
  json?: boolean;
  cost?: boolean;
}

const EXAMPLES = `
Examples:
  weir check                        the shipped rules
  weir check rules/ local.yaml      every rule file there, and the overrides in local.yaml
  weir check -c weir.yaml           a configuration and the rules it names
  weir check --cost                 what each rule costs a row and in memory

Exit codes: 0 no errors (warnings may be there), 1 errors were found.`;

export function checkCommand(program: Command): void {
  program
    .command('check')
    .description('Check rules, their tests and the configuration: all errors at once, with their places.')
    .argument('[RULES...]', 'rule files and folders (default: the shipped library)')
    .option('-c, --config <FILE>', 'check this configuration, and the rules it names')
    .option('--json', 'one JSON object a finding')
    .option('--cost', 'print what each rule costs')
    .addHelpText('after', EXAMPLES)
    .action((paths: string[], options: Options) => {
      if (check(paths, options)) process.exitCode = EXIT_NO;
    });
}

/** True when errors were found. */
function check(given: string[], options: Options): boolean {
  const checked = options.config ? loadConfig(options.config) : null;
  const paths = rulePaths(given, checked?.config?.rules);
  const loaded = loadRules(paths, { home: checked?.config?.home ?? undefined });
  const tests = loadRuleTests(paths.filter((path) => existsSync(path)));
  const findings = [...(checked?.findings ?? []), ...loaded.findings, ...tests.findings];
  const errors = findings.filter(({ level }) => level !== 'warning').length;
  const writer = new LineWriter();
  if (options.json) for (const finding of findings) writer.json(finding);
  else printFindings(writer, findings);
  if (options.cost) printCosts(writer, loaded.rules.rules, options.json ?? false);
  if (!options.json) writer.line(summary(loaded.rules.rules.length, errors, findings.length - errors));
  writer.close();
  return errors > 0;
}

function printFindings(writer: LineWriter, findings: Finding[]): void {
  const paint = wantsColour() ? ANSI_PAINT : NO_PAINT;
  const sources = new Map<string, string | null>();
  for (const finding of findings) {
    const { file } = finding;
    if (!sources.has(file)) sources.set(file, existsSync(file) ? readText(file) : null);
    writer.line(`${showFinding(finding, sources.get(file) ?? null, paint)}\n`);
  }
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function printCosts(writer: LineWriter, rules: RulePlan[], json: boolean): void {
  const costs = rules.map(ruleCost).sort((a, b) => b.rowSteps - a.rowSteps);
  if (json) {
    for (const cost of costs) writer.json({ cost });
    return;
  }
  const width = Math.max(4, ...costs.map(({ id }) => id.length));
  writer.line(`${'rule'.padEnd(width)}  tests a row  steps a matching row  bytes a key  at most`);
  for (const { id, matchTests, rowSteps, keyBytes, maxBytes } of costs) {
    const numbers = [String(matchTests).padStart(11), String(rowSteps).padStart(20), String(keyBytes).padStart(11)];
    writer.line(`${id.padEnd(width)}  ${numbers.join('  ')}  ${formatNumber(maxBytes)}B`);
  }
  writer.line('');
}

function summary(rules: number, errors: number, warnings: number): string {
  const plural = (count: number, word: string) => `${count} ${word}${count === 1 ? '' : 's'}`;
  const tail = warnings > 0 ? `, ${plural(warnings, 'warning')}` : '';
  return errors === 0
    ? `${plural(rules, 'rule')}, ok${tail}`
    : `${plural(errors, 'error')}${tail}; ${plural(rules, 'rule')} without errors`;
}
