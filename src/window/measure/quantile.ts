import { both } from '../layout.ts';
import type { WindowView } from '../window-view.ts';
import type { MeasureCode, MeasureCompiler } from './measure.ts';

/** DDSketch (Masson et al., VLDB 2019): the answer is within 1 % of a true quantile. */
const ALPHA = 0.01;
const GAMMA = (1 + ALPHA) / (1 - ALPHA);
const LOG_GAMMA = Math.log(GAMMA);
/** Bucket of what is not positive. */
const ZERO = -(2 ** 30);

export function bucket(value: number): number {
  return value > 0 ? Math.ceil(Math.log(value) / LOG_GAMMA) : ZERO;
}

export function bucketValue(number: number): number {
  return number === ZERO ? 0 : (2 * GAMMA ** number) / (GAMMA + 1);
}

/** Buckets are pairs of the key, so panes merge and the order of rows does not matter. */
export const quantile: MeasureCompiler = (measure, where, layout): MeasureCode => {
  const { value, there } = layout.summand(measure.summand);
  const text = `KP[o+1]=bucket(${value});let h=finish(SEED^KP[o+1]);`;
  const code = { words: 1, there: [], text, hashText: text };
  const pair = layout.pair([], both(where, there), { code, amounts: [{ code: '1', merge: 'sum' }] });
  const q = measure.params['q'];
  return {
    value: 'NaN',
    finish: (view, out, width, column) => {
      for (let i = 0; i < view.length; i++) out[i * width + column] = quantileOf(view, pair, view.rows[i], q);
    },
  };
};

function quantileOf(view: WindowView, pair: number, row: number, q: number): number {
  const { table } = view.pairs[pair];
  const pairs = view.pairsOf(pair, row).slice();
  const bucketOf = (p: number): number => table.words[2 * p * table.stride + 2];
  const amountOf = (p: number): number => table.doubles[p * table.stride + table.first + 1];
  pairs.sort((a, b) => bucketOf(a) - bucketOf(b));
  const rank = q * (pairs.reduce((sum, p) => sum + amountOf(p), 0) - 1);
  let seen = 0;
  for (const p of pairs) {
    seen += amountOf(p);
    if (seen > rank) return bucketValue(bucketOf(p));
  }
  return Number.NaN;
}
