import { both } from '../layout.ts';
import type { MeasureCode, MeasureCompiler } from './measure.ts';

const FRACTION = 2 ** 30;

/**
 * Shannon entropy in bits: H = log2 N - (sum of c log2 c) / N. Each c log2 c is kept as a whole number and a fraction of
 * 2^30 parts, so that sums are exact, can be taken back when a pane leaves, and do not depend on order.
 */
export const entropy: MeasureCompiler = (measure, where, layout): MeasureCode => {
  const weight = layout.summand(measure.summand);
  const guard = both(where, weight.there);
  const pair = layout.pair(measure.of, guard, { amounts: [{ code: weight.value, merge: 'sum' }] });
  const plan = layout.pairs[pair];
  const total = layout.sum(weight.value, plan.guard);
  const whole = layout.keep('own');
  const fraction = layout.keep('own');
  const exact = `Math.max(0,Math.log2(D[d+${total}])-(D[d+${whole}]+D[d+${fraction}]/${FRACTION})/D[d+${total}])`;
  // Without what the last digits are unsure of: 32 equal shares have five bits, not a hair more.
  const bits = `(Math.round(1e9*${exact})/1e9)`;
  const normalised = `(D[d+${plan.count}]>1?${bits}/Math.log2(D[d+${plan.count}]):0)`;
  return {
    value: `(D[d+${total}]>0?${measure.params['normalised'] === 1 ? normalised : bits}:NaN)`,
    change: {
      pair,
      apply(doubles, d, before, after) {
        const old = term(before);
        const fresh = term(after);
        doubles[d + whole] += Math.floor(fresh) - Math.floor(old);
        doubles[d + fraction] += part(fresh) - part(old);
      },
    },
  };
};

function term(count: number): number {
  return count > 0 ? count * Math.log2(count) : 0;
}

function part(value: number): number {
  return Math.round((value - Math.floor(value)) * FRACTION);
}
