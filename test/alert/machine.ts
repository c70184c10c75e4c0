import { type AlertOptions, Alerts } from '../../src/alert/alert.ts';
import { Metrics } from '../../src/core/metrics.ts';
import type { Evaluation, EvidenceItem, Transition } from '../../src/model/alert.ts';
import type { Expr, RulePlan } from '../../src/model/plan.ts';
import type { Key } from '../../src/model/window-result.ts';

export const SECOND = 1e6;
export const EVIDENCE: EvidenceItem[] = [
  {
    topk: 'src.ip',
    by: 'packets',
    items: [
      { value: '198.51.100.7', amount: 9000, share: 0.4 },
      { value: '198.51.100.8', amount: 4500, share: 0.2 },
    ],
  },
];

const over = (index: number, value: number): Expr => ({
  op: '>',
  left: { op: 'measure', index, part: null },
  right: { op: 'number', value, unit: 'pps' },
});

/** A rule with the levels warning (pps > 5000) and critical (pps > 20000 and est < 0.2). */
export function ruleOf(changes: Partial<RulePlan> = {}): RulePlan {
  return {
    id: 'syn-flood',
    title: 'TCP SYN flood',
    file: 'rules/syn-flood.yaml',
    line: 1,
    tags: ['attack.t1498.001'],
    annotations: {},
    match: { op: 'true' },
    matchText: 'proto tcp',
    except: [],
    by: [{ field: 'dst.ip', prefix: { ipv4: 32, ipv6: 128 } }],
    window: { kind: 'tumbling', sizeUs: 10 * SECOND, slideUs: 10 * SECOND },
    latenessUs: 0,
    measures: [measure('pps', 'pps'), measure('srcs', 'none'), measure('est', 'ratio')],
    levels: [
      { severity: 'warning', when: over(0, 5000), forUs: 0 },
      {
        severity: 'critical',
        when: {
          op: 'and',
          args: [
            over(0, 20_000),
            {
              op: '<',
              left: { op: 'measure', index: 2, part: null },
              right: { op: 'number', value: 0.2, unit: 'ratio' },
            },
          ],
        },
        forUs: 0,
      },
    ],
    clear: null,
    keepFiringForUs: 0,
    noData: 'keep',
    minSamples: 0,
    thresholds: {},
    follow: null,
    suppresses: [],
    maxKeys: 1000,
    evidence: [],
    measureAgainst: 'Rate-limit SYN to {{dst.ip}} at the edge.',
    fingerprint: 'f1',
    ...changes,
  };
}

function measure(name: string, unit: 'pps' | 'none' | 'ratio'): RulePlan['measures'][number] {
  return { kind: 'aggregate', name, fn: 'sum', summand: 'packets', of: [], where: { op: 'true' }, params: {}, unit };
}

export const KEY: Key = { 'dst.ip': '192.0.2.7' };

/** The evaluation of the ten seconds that end at `at` seconds. */
export function evaluation(rule: RulePlan, at: number, changes: Partial<Evaluation> = {}): Evaluation {
  const holds = changes.holds ?? rule.levels.map(() => false);
  const key = changes.key ?? KEY;
  return {
    rule,
    ruleIndex: 0,
    key,
    keyText: JSON.stringify(key),
    startUs: (at - 10) * SECOND,
    endUs: at * SECOND,
    holds,
    clear: !holds.includes(true),
    missing: false,
    values: { pps: 100, srcs: 8112, est: 0.02 },
    expected: null,
    raise: null,
    ...changes,
  };
}

export interface Machine {
  alerts: Alerts;
  told: Transition[];
  metrics: Metrics;
  /** `state severity @seconds` of everything told so far. */
  story(): string[];
}

export function machine(options: AlertOptions = {}): Machine {
  const told: Transition[] = [];
  const metrics = new Metrics();
  const alerts = new Alerts(options, { metrics, evidence: () => EVIDENCE, onTransition: (t) => told.push(t) });
  return { alerts, told, metrics, story: () => told.map(tale) };
}

export function tale(t: Transition): string {
  return `${t.state} ${t.severity} @${Date.parse(t.time) / 1000}`;
}

export const WARNING = [true, false];
export const CRITICAL = [true, true];
export const NOTHING = [false, false];

/** Feeds what holds at 10 s, 20 s, ...; null is a window without data. */
export function feed(m: Machine, rule: RulePlan, windows: (boolean[] | null)[], changes: Partial<Evaluation> = {}) {
  for (const [i, holds] of windows.entries()) {
    const at = 10 * (i + 1);
    m.alerts.evaluate(evaluation(rule, at, holds ? { holds, ...changes } : { missing: true, clear: false }));
    m.alerts.advance(at * SECOND);
  }
}
