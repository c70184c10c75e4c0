import { enterValue, estimate, mergeRegisters, REGISTERS } from '../hyper-log-log.ts';
import type { WindowView } from '../window-view.ts';
import type { MeasureCode, MeasureCompiler } from './measure.ts';

/** Different tuples a key and pane that are counted one by one; past that a sketch of 16 KiB takes over (0.8 %). */
export const EXACT_TUPLES = 4096;

export const distinct: MeasureCompiler = (measure, where, layout): MeasureCode => {
  const pair = layout.pair(measure.of, where, { sketchPast: EXACT_TUPLES });
  const { count } = layout.pairs[pair];
  return {
    value: `D[d+${count}]`,
    bound: `D[d+${count}]`,
    finish: (view, out, width, column) => {
      const sketches = unions(view, pair);
      if (sketches.size === 0) return;
      for (let i = 0; i < view.length; i++) {
        const registers = sketches.get(view.rows[i]);
        if (registers) out[i * width + column] = estimate(registers);
      }
    },
  };
};

/** For each key that has a sketch in any pane of the window: the union of its sketches and of its single tuples. */
function unions(view: WindowView, pair: number): Map<number, Uint8Array> {
  const union = new Map<number, Uint8Array>();
  view.eachSketch(pair, (row, registers) => {
    const known = union.get(row) ?? new Uint8Array(REGISTERS);
    mergeRegisters(known, registers);
    union.set(row, known);
  });
  if (union.size > 0) enterTuples(view, pair, union);
  return union;
}

function enterTuples(view: WindowView, pair: number, union: Map<number, Uint8Array>): void {
  const { table } = view.pairs[pair];
  for (let row = 0; row < table.count; row++) {
    if (table.doubles[row * table.stride + table.first] === 0) continue;
    const at = 2 * row * table.stride;
    const registers = union.get(table.words[at + 1]);
    if (registers) enterValue(registers, table.words, at + 2, table.keyWords - 1);
  }
}
