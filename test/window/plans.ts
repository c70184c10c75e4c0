import { type Prefix, parsePrefix } from '../../src/model/address.ts';
import type {
  AggregateMeasure,
  AggregateName,
  KeyPart,
  Predicate,
  RulePlan,
  WindowSpec,
} from '../../src/model/plan.ts';

export const TRUE: Predicate = { op: 'true' };

export function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (!parsed) throw new Error(`no prefix: ${text}`);
  return parsed;
}

export const ip = (field: string, ipv4 = 32, ipv6 = 128): KeyPart => ({ field, prefix: { ipv4, ipv6 } });
export const plain = (field: string): KeyPart => ({ field, prefix: null });

export function measure(name: string, fn: AggregateName, some: Partial<AggregateMeasure> = {}): AggregateMeasure {
  return { kind: 'aggregate', name, fn, summand: 'packets', of: [], where: TRUE, params: {}, unit: 'none', ...some };
}

export const tumbling = (seconds: number): WindowSpec => ({
  kind: 'tumbling',
  sizeUs: seconds * 1e6,
  slideUs: seconds * 1e6,
});
export const sliding = (seconds: number, slide: number): WindowSpec => ({
  kind: 'sliding',
  sizeUs: seconds * 1e6,
  slideUs: slide * 1e6,
});

export function plan(some: Partial<RulePlan> = {}): RulePlan {
  return {
    id: 'rule',
    title: 'a rule',
    file: 'test.yaml',
    line: 1,
    tags: [],
    annotations: {},
    match: TRUE,
    matchText: '',
    except: [],
    by: [ip('dst.ip')],
    window: tumbling(10),
    latenessUs: 0,
    measures: [measure('packets', 'sum')],
    levels: [],
    clear: null,
    keepFiringForUs: 0,
    noData: 'keep',
    minSamples: 0,
    thresholds: {},
    follow: null,
    suppresses: [],
    maxKeys: 10_000,
    evidence: [],
    measureAgainst: '',
    fingerprint: 'x',
    ...some,
  };
}
