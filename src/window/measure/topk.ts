import { both } from '../layout.ts';
import type { WindowView } from '../window-view.ts';
import type { MeasureCode, MeasureCompiler } from './measure.ts';

export interface TopItem {
  value: string;
  amount: number;
  share: number;
}

/** The value is the share that the `k` heaviest tuples have together; the detail lists them, heaviest first. */
export const topk: MeasureCompiler = (measure, where, layout, context): MeasureCode => {
  const weight = layout.summand(measure.summand);
  const guard = both(where, weight.there);
  const pair = layout.pair(measure.of, guard, { amounts: [{ code: weight.value, merge: 'sum' }] });
  const { count } = layout.pairs[pair];
  const total = layout.sum(weight.value, layout.pairs[pair].guard);
  const k = measure.params['k'];
  return {
    value: 'NaN',
    finish: (view, out, width, column) => {
      for (let i = 0; i < view.length; i++) {
        const row = view.rows[i];
        const d = row * view.keys.stride + view.keys.first;
        const all = view.keys.doubles[d + total];
        // Most keys have no more tuples than are asked for: those have all there is.
        if (all > 0 && view.keys.doubles[d + count] <= k) out[i * width + column] = 1;
        else out[i * width + column] = all > 0 ? heaviest(view, pair, row, k) / all : Number.NaN;
      }
    },
    detail: (view, row): TopItem[] => {
      const all = view.keys.doubles[row * view.keys.stride + view.keys.first + total];
      const { table } = view.pairs[pair];
      const items = Array.from(view.pairsOf(pair, row), (p) => {
        const value = context.formatTuple(measure.of, table.words, 2 * p * table.stride + 2);
        const amount = table.doubles[p * table.stride + table.first + 1];
        return { value, amount, share: amount / all };
      });
      return items.sort((a, b) => b.amount - a.amount || (a.value < b.value ? -1 : 1)).slice(0, k);
    },
  };
};

function heaviest(view: WindowView, pair: number, row: number, k: number): number {
  const { table } = view.pairs[pair];
  const { doubles, stride, first } = table;
  const pairs = view.pairsOf(pair, row);
  if (k === 1) return greatest(pairs, doubles, stride, first + 1);
  const amounts = Float64Array.from(pairs, (p) => doubles[p * stride + first + 1]).sort();
  let sum = 0;
  for (let i = Math.max(0, amounts.length - k); i < amounts.length; i++) sum += amounts[i];
  return sum;
}

function greatest(pairs: Int32Array, doubles: Float64Array, stride: number, offset: number): number {
  let most = 0;
  for (const p of pairs) if (doubles[p * stride + offset] > most) most = doubles[p * stride + offset];
  return most;
}
