import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Finding } from '../core/errors.ts';
import { SourceFile } from '../core/source-file.ts';
import { parseDurationUs, parseQuantity } from '../core/units.ts';
import { type Prefix, parsePrefix } from '../model/address.ts';
import type { AlertState, Transition } from '../model/alert.ts';
import type { Severity } from '../model/plan.ts';
import { listFiles, readSource } from './files.ts';
import { parseFlowLine } from './flow-line.ts';
import type { FlowLine } from './flow-step.ts';
import { reportMisfits } from './shape.ts';

const expectation = z.strictObject({
  at: z.string().optional().describe('the alert stands at this time'),
  within: z.string().optional().describe('it begins no later than this'),
  after: z.string().optional().describe('with none: nothing from here on'),
  none: z.literal(true).optional(),
  rule: z.string().optional(),
  key: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
  severity: z.enum(['info', 'warning', 'critical']).optional(),
  state: z.enum(['pending', 'firing', 'escalated', 'deescalated', 'resolved', 'suppressed']).optional(),
});

export const testShape = z.strictObject({
  rule: z.string().describe('the rule under test'),
  home: z.array(z.string()).optional().describe('what $home is in these cases'),
  if_speed: z.string().optional().describe('speed of every interface, 1Gbps'),
  cases: z
    .array(
      z.strictObject({
        name: z.string(),
        flows: z.array(z.string()).optional(),
        pcap: z.string().optional().describe('a capture, counted from this file'),
        home: z.array(z.string()).optional(),
        expect: z.array(expectation).min(1),
      }),
    )
    .min(1),
});

/** A statement about the alerts of a case; times in microseconds after its first packet. */
export interface Expectation {
  atUs: number | null;
  withinUs: number | null;
  afterUs: number | null;
  none: boolean;
  rule: string;
  key: Transition['key'];
  severity: Severity | null;
  state: AlertState | null;
  line: number;
}

export interface RuleCase {
  file: string;
  line: number;
  rule: string;
  name: string;
  /** Null: as the capture or `TEST_HOME` has it. */
  home: Prefix[] | null;
  /** Bits per second of every interface; NaN when the case names none. */
  interfaceSpeed: number;
  flows: FlowLine[];
  /** Path of a capture; null when `flows` are the input. */
  pcap: string | null;
  expect: Expectation[];
}

/**
 * `$home` of cases made of flow lines that name none: private nets and 192.0.2.0/24, so that the other documentation
 * nets are outside.
 */
export const TEST_HOME: Prefix[] = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '192.0.2.0/24',
  'fc00::/7',
  '2001:db8::/33',
]
  .map(parsePrefix)
  .filter((prefix) => prefix !== null);

/** Reads test files and folders of them (`*.test.yaml`). All errors of all files at once, as `loadRules`. */
export function loadRuleTests(paths: readonly string[]): { cases: RuleCase[]; findings: Finding[] } {
  const findings: Finding[] = [];
  const cases = listFiles(paths, 'tests', findings).flatMap((path) => {
    const text = readSource(path, findings);
    return text === null ? [] : readTests(path, text, findings);
  });
  return { cases, findings };
}

export function readTests(path: string, text: string, findings: Finding[]): RuleCase[] {
  const source = new SourceFile(path, text, findings);
  if (source.data === null) return [];
  const result = testShape.safeParse(source.data);
  if (!result.success) {
    reportMisfits(source, testShape, result.error.issues);
    return [];
  }
  const { rule, home, cases, if_speed } = result.data;
  const interfaceSpeed = readSpeed(source, if_speed);
  return cases.map((raw, i) => ({
    file: path,
    line: source.line(['cases', i]),
    rule,
    name: raw.name,
    home: readHome(source, raw.home ? ['cases', i, 'home'] : ['home'], raw.home ?? home),
    interfaceSpeed,
    flows: readFlows(source, i, raw.flows ?? []),
    pcap: readCapture(source, i, raw),
    expect: raw.expect.map((entry, k) => readExpectation(source, ['cases', i, 'expect', k], entry, rule)),
  }));
}

function readSpeed(source: SourceFile, text: string | undefined): number {
  if (text === undefined) return Number.NaN;
  const quantity = parseQuantity(text);
  if (quantity?.unit === 'bps') return quantity.value;
  source.report(['if_speed'], 'rule.unit', `'${text}' is no speed`, 'write 1Gbps');
  return Number.NaN;
}

function readCapture(source: SourceFile, i: number, raw: { pcap?: string; flows?: string[] }): string | null {
  if ((raw.pcap === undefined) === (raw.flows === undefined)) {
    source.report(['cases', i], 'test.input', 'a case has either flows or pcap');
  }
  return raw.pcap === undefined ? null : join(dirname(source.file), raw.pcap);
}

function readHome(source: SourceFile, path: (string | number)[], list: string[] | undefined): Prefix[] | null {
  if (!list) return null;
  return list.flatMap((text, i) => {
    const prefix = parsePrefix(text);
    if (!prefix) source.report([...path, i], 'rule.address', `'${text}' is no address and no net`);
    return prefix ? [prefix] : [];
  });
}

function readFlows(source: SourceFile, i: number, lines: string[]): FlowLine[] {
  return lines.flatMap((_, k) => {
    const text = source.text(['cases', i, 'flows', k]);
    const line = text && parseFlowLine(text);
    return line ? [line] : [];
  });
}

function readExpectation(
  source: SourceFile,
  path: (string | number)[],
  raw: z.infer<typeof expectation>,
  rule: string,
): Expectation {
  const time = (name: 'at' | 'within' | 'after') => {
    const text = raw[name];
    if (text === undefined) return null;
    const us = parseDurationUs(text);
    if (Number.isNaN(us)) source.report([...path, name], 'rule.time', `'${text}' is no time`);
    return us;
  };
  if (raw.after !== undefined && !raw.none) source.report(path, 'test.expect', 'after goes with none: true');
  if (raw.within !== undefined && raw.none)
    source.report(path, 'test.expect', 'within says that something comes, none that nothing does');
  return {
    atUs: time('at'),
    withinUs: time('within'),
    afterUs: time('after'),
    none: raw.none ?? false,
    rule: raw.rule ?? rule,
    key: raw.key ?? {},
    severity: raw.severity ?? null,
    state: raw.state ?? null,
    line: source.line(path),
  };
}
