import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ROOT, raised, replayFiles } from '../support/replay.ts';

/** Our own captures (fixtures/README.md): the shipped rules raise exactly what truth.yaml says. */
const FIXTURES = join(ROOT, 'fixtures');

interface Claim {
  rule: string;
  key?: Record<string, string | number>;
}

interface Truth {
  home: string[];
  packets: number;
  rules: { must: Claim[] | null; may: Claim[] | null };
}

const cases = readdirSync(FIXTURES).filter(
  (name) => existsSync(join(FIXTURES, name, 'truth.yaml')) && captureOf(name) !== null,
);

function captureOf(name: string): string | null {
  const file = readdirSync(join(FIXTURES, name)).find((each) => /^capture\.pcap(ng)?$/.test(each));
  return file ? join(FIXTURES, name, file) : null;
}

const holds = (claim: Claim, alert: { rule: string; key: Record<string, unknown> }): boolean =>
  alert.rule === claim.rule &&
  Object.entries(claim.key ?? {}).every(([name, value]) => String(alert.key[name]) === String(value));

describe.each(cases)('fixture %s', (name) => {
  it('raises what it must and nothing else', async () => {
    const truth = parse(readFileSync(join(FIXTURES, name, 'truth.yaml'), 'utf8')) as Truth;
    const { transitions, outcome } = await replayFiles([captureOf(name)!], { home: truth.home });
    expect(outcome.errors).toEqual([]);
    expect(outcome.engine.packets).toBe(truth.packets);
    const alerts = raised(transitions);
    const missing = (truth.rules.must ?? []).filter((claim) => !alerts.some((alert) => holds(claim, alert)));
    const allowed = [...(truth.rules.must ?? []), ...(truth.rules.may ?? [])].map((claim) => claim.rule);
    const surplus = alerts.filter((alert) => !allowed.includes(alert.rule));
    expect({ missing, surplus }).toEqual({ missing: [], surplus: [] });
  });
});
