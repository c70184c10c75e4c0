import { resolve } from 'node:path';
import { systemClock } from '../../src/core/clock.ts';
import { Metrics } from '../../src/core/metrics.ts';
import { type Prefix, parsePrefix } from '../../src/model/address.ts';
import type { Transition } from '../../src/model/alert.ts';
import { Names } from '../../src/model/names.ts';
import { type ReplayOutcome, replay } from '../../src/pipeline.ts';
import { loadRules } from '../../src/rule/rule.ts';

export const ROOT = resolve(import.meta.dirname, '../..');
/** Captures of other projects with their truth; not part of this repository. */
export const DATA = resolve(ROOT, '../shared/data');

export interface Replayed {
  transitions: Transition[];
  outcome: ReplayOutcome;
  metrics: Metrics;
}

/** The shipped rules (or others) over captures, as `weir replay` runs them. */
export async function replayFiles(
  paths: string[],
  options: { home?: string[]; rules?: string; reader?: 'pcap-parser' } = {},
): Promise<Replayed> {
  const transitions: Transition[] = [];
  const metrics = new Metrics();
  const home: Prefix[] | null = options.home?.map((text) => parsePrefix(text)!) ?? null;
  const rules = options.rules ?? resolve(ROOT, 'rules');
  const outcome = await replay(
    {
      paths,
      home,
      reader: options.reader,
      speed: Number.POSITIVE_INFINITY,
      rules: (nets) => loadRules([rules], home ? { home } : { defaultHome: nets }).rules,
    },
    { transition: (t) => void transitions.push(t), notice: () => {}, home: () => {}, progress: () => {} },
    { names: new Names(), metrics, clock: systemClock },
  );
  return { transitions, outcome, metrics };
}

/** Rules that told people, with the keys they told of. */
export function raised(
  transitions: readonly Transition[],
): { rule: string; key: Transition['key']; severity: string }[] {
  return transitions
    .filter(({ state }) => state === 'firing' || state === 'escalated')
    .map(({ rule, key, severity }) => ({ rule, key, severity }));
}
