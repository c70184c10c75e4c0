import type { Stateful, StateReader, StateWriter } from '../../core/state.ts';
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
  const amounts = [
    { code: 'startUs[i]', merge: 'min' as const },
    { code: 'startUs[i]', merge: 'max' as const },
  ];
  const pair = layout.pair(measure.of, where, { amounts, windowed: false, loose: true });
  const fresh = layout.keep('sum');
  const sightings = new Sightings(measure.params, pair, fresh, context.paneUs);
  const dropped = context.dropped('first_seen');
  return {
    value: `D[d+${fresh}]`,
    bound: `D[d+${fresh}]`,
    paneClosed(pane) {
      sightings.learn(pane);
      dropped.value = sightings.dropped;
    },
    memory: sightings,
  };
};

class Sightings implements Stateful {
  readonly #learnUs: number;
  readonly #keepUs: number;
  readonly #pair: number;
  readonly #fresh: number;
  readonly #paneUs: number;
  readonly #seen: FingerprintSet;
  #learnedUs = Number.NaN;
  #lastUs = Number.NEGATIVE_INFINITY;

  constructor({ learn, keep }: Record<string, number>, pair: number, fresh: number, paneUs: number) {
    this.#learnUs = learn;
    this.#keepUs = keep;
    this.#pair = pair;
    this.#fresh = fresh;
    this.#paneUs = paneUs;
    this.#seen = new FingerprintSet(MOST_SEEN, keep);
  }

  get dropped(): number {
    return this.#seen.evicted;
  }

  learn(pane: Pane): void {
    const startUs = pane.number * this.#paneUs;
    // After a silence longer than `keep` nothing is known, and everything would be new.
    if (startUs - this.#lastUs > this.#keepUs) this.#learnedUs = startUs + this.#learnUs;
    this.#lastUs = startUs + this.#paneUs;
    const { keys } = pane;
    const { table } = pane.pairs[this.#pair];
    for (let row = 0; row < table.count; row++) {
      const { low, high } = printOf(pane, this.#pair, row);
      const at = row * table.stride + table.first;
      const firstUs = table.doubles[at + 1];
      const isNew = this.#seen.see(low, high, firstUs, table.doubles[at + 2]);
      const key = table.words[2 * row * table.stride + 1];
      if (isNew && firstUs >= this.#learnedUs) keys.doubles[key * keys.stride + keys.first + this.#fresh]++;
    }
  }

  save(out: StateWriter): void {
    out.number(this.#learnedUs);
    out.number(this.#lastUs);
    this.#seen.save(out);
  }

  restore(state: StateReader): void {
    this.#learnedUs = state.number();
    this.#lastUs = state.number();
    this.#seen.restore(state);
  }
}
