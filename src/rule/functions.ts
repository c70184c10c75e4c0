import type { Unit } from '../core/units.ts';
import type { Summand } from '../model/plan.ts';

export interface ParamSpec {
  /** Null: must be given. */
  default: number | number[] | string | null;
  unit: Unit;
  min: number;
  max: number;
  /** Stands first in the brackets, without its name. */
  leading?: true;
  words?: readonly string[];
  doc: string;
}

export interface FunctionSpec {
  kind: 'aggregate' | 'learned';
  /** Whether fields whose values are told apart stand in the brackets. */
  of?: 'some' | 'any';
  /** What is added up: the default, null when it must be named; undefined when there is none. */
  summand?: Summand | null;
  params: Readonly<Record<string, ParamSpec>>;
  form: string;
  doc: string;
}

const DAY = 86400e6;

const number = (fallback: number | null, min: number, max: number, doc: string): ParamSpec => ({
  default: fallback,
  unit: 'none',
  min,
  max,
  doc,
});
const time = (fallback: number | null, doc: string): ParamSpec => ({
  default: fallback,
  unit: 'time',
  min: 1,
  max: 3660 * DAY,
  doc,
});
const word = (words: readonly string[], doc: string): ParamSpec => ({
  default: words[0],
  unit: 'none',
  min: 0,
  max: 0,
  words,
  doc,
});

const total = (name: string, doc: string): FunctionSpec => ({
  kind: 'aggregate',
  summand: null,
  params: {},
  form: `${name}(packets|bytes|bits|...)`,
  doc,
});

/** Every measure a rule may name: its arguments, defaults and meaning. The reference in docs/rules.md is made from it. */
export const FUNCTIONS: Readonly<Record<string, FunctionSpec>> = {
  rate: { ...total('rate', 'sum of the field, a second of the window'), form: 'rate(packets|bytes|bits|flows)' },
  sum: total('sum', 'sum over the rows'),
  count: {
    kind: 'aggregate',
    summand: 'rows',
    params: {},
    form: 'count(flows|rows)',
    doc: 'how many; `flows` counts a flow once',
  },
  min: total('min', 'least value of a row'),
  max: total('max', 'greatest value of a row'),
  avg: total('avg', 'mean over the rows'),
  share: {
    kind: 'aggregate',
    summand: null,
    params: {},
    form: 'share(flows|packets|bytes|rows) where ...',
    doc: 'what `where` selects, as a share of all rows that `match` selects',
  },
  distinct: {
    kind: 'aggregate',
    of: 'some',
    params: {},
    form: 'distinct(field, ...)',
    doc: 'number of different values',
  },
  entropy: {
    kind: 'aggregate',
    of: 'some',
    summand: 'packets',
    params: { normalised: number(0, 0, 1, '1 divides by log2 of the number of values') },
    form: 'entropy(field, weight?)',
    doc: 'Shannon entropy in bits of the values, weighted (Lakhina 2005): 0 when there is only one',
  },
  topk: {
    kind: 'aggregate',
    of: 'some',
    summand: 'packets',
    params: { k: { ...number(null, 1, 1000, 'how many'), leading: true } },
    form: 'topk(k, field, weight?)',
    doc: 'share of the weight that the k heaviest values have together; the list goes into the alert',
  },
  quantile: {
    kind: 'aggregate',
    summand: null,
    params: { q: { ...number(null, 0, 1, 'which'), leading: true } },
    form: 'quantile(q, field)',
    doc: 'quantile of the field over rows, within 1 % (DDSketch)',
  },
  scan: {
    kind: 'aggregate',
    of: 'some',
    params: {
      t0: number(0.8, 0, 1, 'share of first contacts that succeed for a healthy host'),
      t1: number(0.2, 0, 1, 'the same for a scanner'),
      a: number(1e-5, 0, 1, 'false positives allowed'),
      b: number(0.99, 0, 1, 'scanners to be found'),
      keep: time(DAY / 2, 'how long contacts and the walk are remembered'),
    },
    form: 'scan(dst.ip, dst.port)',
    doc:
      'threshold random walk over first contacts (Jung et al. 2004), kept across windows: how many more failed than a ' +
      'healthy host has; 9 is a scanner at a = 1e-5, 4 is worth a look',
  },
  beacon: {
    kind: 'aggregate',
    of: 'any',
    params: {
      min: number(4, 3, 1000, 'connections needed'),
      ts: number(0.8, 0, 1, 'least time score'),
      keep: time(DAY, 'history used'),
    },
    form: 'beacon(dst.ip, dst.port)',
    doc: 'how regular connections come, 0..1 (shape of RITA v5), kept across windows',
  },
  first_seen: {
    kind: 'aggregate',
    of: 'some',
    params: {
      learn: time(DAY, 'time to learn before the first answer'),
      keep: time(30 * DAY, 'how long a value is known'),
    },
    form: 'first_seen(field, ...)',
    doc: 'number of values that this key never showed before',
  },
  baseline: {
    kind: 'learned',
    params: {
      season: { ...time(null, 'season lengths, `1d+1w`'), default: [DAY, 7 * DAY] },
      direction: word(['both', 'up', 'down'], 'which deviations count'),
      min_dev: number(0, 0, 100, 'deviations below this share of the expected value do not count'),
      warmup: { ...time(null, 'time to learn before the first answer'), default: 2 * DAY },
    },
    form: 'baseline(measure, season=1d+1w, direction=up, min_dev=20%, warmup=14d)',
    doc: 'deviation from what the season leads to expect, in standard deviations; parts `.expected .low .high .deviation .p .score`',
  },
  forecast: {
    kind: 'learned',
    params: {
      quantile: number(
        0.95,
        0,
        1,
        'which quantile of a day must reach the limit: 0.5 half of it, 1 its highest window',
      ),
      horizon: time(30 * DAY, 'how far to look'),
    },
    form: 'forecast(measure, reach=0.9*if_speed, quantile=0.95, horizon=30d)',
    doc: 'when the measure reaches a limit; parts `.eta .date .lo .hi .probability`',
  },
  cusum: {
    kind: 'learned',
    params: {
      k: number(0.5, 0, 100, 'slack in standard deviations'),
      warmup: { ...time(null, 'time to learn before the first answer'), default: DAY / 24 },
      direction: word(['up', 'down'], 'which shift counts'),
    },
    form: 'cusum(measure, k=0.5)',
    doc: 'cumulative sum of the standardised residual: grows on a small shift that stays; 10 is a common limit',
  },
};
