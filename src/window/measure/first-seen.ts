import { FingerprintSet } from '../fingerprint-set.ts';
import type { Pane } from '../pane.ts';
import type { MeasureCode, MeasureCompiler } from './measure.ts';
import { printOf } from './pair-print.ts';

const MOST_SEEN = 1 << 20;

/**
 * Tuples that a key never showed before (within `keep`). The set is asked when a pane closes, with the pane's first and
 * last sighting of each tuple, so the order of rows does not matter.
 */
export const firstSeen: MeasureCompiler = (measure, where, layout, context): MeasureCode => {
  const { learn, keep } = measure.params;
  const amounts = [
    { code: 'startUs[i]', merge: 'min' as const },
    { code: 'startUs[i]', merge: 'max' as const },
  ];
  const pair = layout.pair(measure.of, where, { amounts, windowed: false, loose: true });
  const fresh = layout.keep('sum');
  const seen = new FingerprintSet(MOST_SEEN, keep);
  const dropped = context.dropped('first_seen');
  let learnedUs = Number.NaN;
  let lastUs = Number.NEGATIVE_INFINITY;
  return {
    value: `D[d+${fresh}]`,
    paneClosed(pane: Pane) {
      const startUs = pane.number * context.paneUs;
      // After a silence longer than `keep` nothing is known, and everything would be new.
      if (startUs - lastUs > keep) learnedUs = startUs + learn;
      lastUs = startUs + context.paneUs;
      const { keys } = pane;
      const { table } = pane.pairs[pair];
      for (let row = 0; row < table.count; row++) {
        const { low, high } = printOf(pane, pair, row);
        const at = row * table.stride + table.first;
        const firstUs = table.doubles[at + 1];
        const isNew = seen.see(low, high, firstUs, table.doubles[at + 2]);
        const key = table.words[2 * row * table.stride + 1];
        if (isNew && firstUs >= learnedUs) keys.doubles[key * keys.stride + keys.first + fresh]++;
      }
      dropped.value = seen.evicted;
    },
  };
};
