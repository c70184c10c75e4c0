import { writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { systemClock } from '../core/clock.ts';
import { WeirError } from '../core/errors.ts';
import { EXIT_NO } from '../core/exit.ts';
import { Metrics } from '../core/metrics.ts';
import { LineWriter, wantsColour } from '../core/output.ts';
import { Engine } from '../engine.ts';
import type { Transition } from '../model/alert.ts';
import { Names } from '../model/names.ts';
import type { RulePlan, RuleSet } from '../model/plan.ts';
import { replay } from '../pipeline.ts';
import {
  flowRows,
  judge,
  type LoadOptions,
  loadRules,
  loadRuleTests,
  type RuleCase,
  TEST_HOME,
  TEST_START_US,
  uncovered,
  type Verdict,
} from '../rule/rule.ts';
import { requireAllRules, rulePaths } from './rule-option.ts';

interface Options {
  json?: boolean;
  junit?: string;
}

interface Result {
  test: RuleCase;
  verdict: Verdict;
  seconds: number;
}

const EXAMPLES = `
Examples:
  weir test rules/                         every case of the rule library
  weir test rules/syn-flood.test.yaml      the cases of one rule
  weir test rules/ --junit report.xml      for a CI

Every case made of flow lines runs twice: in order and with arrival shuffled; the alerts must be the same.
Exit code 1: a case failed.`;

export function testCommand(program: Command): void {
  program
    .command('test')
    .description('Run the test cases of rules.')
    .argument('[PATH...]', 'test files, or folders with rules and their tests (default: the shipped library)')
    .option('--json', 'one JSON object a case')
    .option('--junit <FILE>', 'write a JUnit report')
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(given: string[], options: Options): Promise<void> {
  const paths = rulePaths(given);
  const { cases, findings } = loadRuleTests(paths);
  const out = new LineWriter();
  if (findings.length > 0) {
    for (const finding of findings)
      process.stderr.write(`${finding.file}:${finding.line}:${finding.column}: ${finding.message}\n`);
    process.exitCode = EXIT_NO;
  }
  if (cases.length === 0)
    throw new WeirError('usage.tests', `no test cases in ${paths.join(', ')}`, { hint: 'they are in *.test.yaml' });
  const results: Result[] = [];
  for (const test of cases) {
    const result = await runCase(test);
    results.push(result);
    if (options.json) out.json(caseObject(result));
    else printCase(out, result);
    out.flush();
  }
  if (!options.json) summarise(out, results);
  if (options.junit) writeFileSync(options.junit, junit(results));
  if (results.some(({ verdict }) => verdict.failures.length > 0)) process.exitCode = EXIT_NO;
  out.close();
}

const loaded = new Map<string, RuleSet>();

/**
 * The rules that a case is about, of all that lie beside it (`override` and common files count as they do in a run): the
 * one under test, others it names, and those that may suppress them.
 */
function rulesOf(test: RuleCase, options: LoadOptions): RuleSet {
  const id = `${dirname(test.file)} ${JSON.stringify(options)}`;
  const all = loaded.get(id) ?? requireAllRules([dirname(test.file)], options);
  loaded.set(id, all);
  const named = new Set([test.rule, ...test.expect.map(({ rule }) => rule)]);
  const rules = all.rules.filter((rule) => named.has(rule.id) || rule.suppresses.length > 0);
  return { rules, home: all.home };
}

async function runCase(test: RuleCase): Promise<Result> {
  const started = performance.now();
  const verdict = test.pcap === null ? runLines(test) : await runCapture(test, test.pcap);
  return { test, verdict, seconds: (performance.now() - started) / 1000 };
}

/** Flow lines, in order and shuffled: what differs is a failure of its own. */
function runLines(test: RuleCase): Verdict {
  const plain = transitionsOf(test, false);
  const verdict = judge(test, plain, TEST_START_US);
  const shuffled = transitionsOf(test, true);
  if (JSON.stringify(plain) !== JSON.stringify(shuffled)) verdict.failures.push('shuffled arrival gives other alerts');
  return verdict;
}

function transitionsOf(test: RuleCase, shuffle: boolean): Transition[] {
  const names = new Names();
  const transitions: Transition[] = [];
  const rules = rulesOf(test, { home: test.home ?? TEST_HOME });
  const sinks = { transition: (transition: Transition) => void transitions.push(transition) };
  const engine = new Engine({ rules, interfaceSpeed: () => test.interfaceSpeed }, sinks, {
    names,
    metrics: new Metrics(),
  });
  for (const batch of flowRows(test.flows, names, { shuffle })) engine.flows(batch);
  engine.end();
  return transitions;
}

async function runCapture(test: RuleCase, path: string): Promise<Verdict> {
  const transitions: Transition[] = [];
  const { engine, errors } = await replay(
    {
      paths: [path],
      home: test.home,
      speed: Number.POSITIVE_INFINITY,
      rules: (home) => rulesOf(test, test.home ? { home } : { defaultHome: home }),
    },
    {
      transition: (transition) => void transitions.push(transition),
      notice: () => {},
      home: () => {},
      progress: () => {},
    },
    { names: new Names(), metrics: new Metrics(), clock: systemClock },
  );
  const verdict = judge(test, transitions, engine.firstEventUs);
  for (const { file, error } of errors) verdict.failures.push(`${file}: ${error.message}`);
  return verdict;
}

function caseObject({ test, verdict, seconds }: Result): object {
  const { file, line, rule, name } = test;
  return { file, line, rule, case: name, passed: verdict.failures.length === 0, failures: verdict.failures, seconds };
}

function printCase(out: LineWriter, { test, verdict }: Result): void {
  const ok = verdict.failures.length === 0;
  const mark = wantsColour() ? (ok ? '\u001b[32mok\u001b[0m  ' : '\u001b[31mFAIL\u001b[0m') : ok ? 'ok  ' : 'FAIL';
  out.line(`${mark}  ${test.rule}: ${test.name}`);
  for (const failure of verdict.failures) out.line(`        ${test.file}: ${failure}`);
}

function summarise(out: LineWriter, results: Result[]): void {
  const failed = results.filter(({ verdict }) => verdict.failures.length > 0).length;
  const rules = new Set(results.map(({ test }) => test.rule));
  for (const rule of rules) {
    const own = results.filter(({ test }) => test.rule === rule);
    const missing = uncoveredOf(rule, own);
    if (missing.length > 0) out.line(`      ${rule}: no case reaches ${missing.join(', ')}`);
  }
  out.line(`${results.length - failed} of ${results.length} cases passed, ${rules.size} rules`);
}

function uncoveredOf(id: string, own: Result[]): string[] {
  const { rules } = loadRules([dirname(own[0].test.file)]);
  const rule: RulePlan | undefined = rules.rules.find((plan) => plan.id === id);
  return rule
    ? uncovered(
        rule,
        own.map(({ verdict }) => verdict),
      )
    : [`the rule itself: ${id} is not there`];
}

function junit(results: Result[]): string {
  const failed = results.filter(({ verdict }) => verdict.failures.length > 0).length;
  const lines = results.map(({ test, verdict, seconds }) => {
    const head = `  <testcase classname="${xml(test.rule)}" name="${xml(test.name)}" time="${seconds.toFixed(3)}"`;
    if (verdict.failures.length === 0) return `${head}/>`;
    return `${head}><failure>${xml(verdict.failures.join('\n'))}</failure></testcase>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="weir rules" tests="${results.length}" failures="${failed}">\n${lines.join('\n')}\n</testsuite>\n`;
}

const XML: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const xml = (text: string): string => text.replace(/[&<>"]/g, (letter) => XML[letter]);
