import { giveBack, takeWords } from '../../core/buffer-pool.ts';
import type { Stateful, StateReader, StateWriter } from '../../core/state.ts';
import { FLOWS } from '../field-code.ts';
import { AT_ONCE, FlowHistory } from '../flow-history.ts';
import type { KeyedTable } from '../keyed-table.ts';
import { both } from '../layout.ts';
import type { Pane } from '../pane.ts';
import { beaconScore } from './beacon-score.ts';
import type { MeasureCode, MeasureCompiler } from './measure.ts';

/** Flows of one tuple that are looked at: the newest. */
const MOST_FLOWS = 512;
/** A score is taken anew when the history grew by this share. */
const GROWTH = 1.05;

/** Regularity of the flows of each tuple inside the key; the key's value is its highest tuple that had a flow now. */
export const beacon: MeasureCompiler = (measure, where, layout, context): MeasureCode => {
  const amounts = [
    { code: 'startUs[i]', merge: 'max' as const },
    { code: 'bytes[r]', merge: 'max' as const },
  ];
  const pair = layout.pair(measure.of, both(`${FLOWS}===1`, where), { amounts, log: true, loose: true });
  const best = layout.keep('max');
  const histories = new Histories(measure.params, pair, best, context.paneUs);
  const dropped = context.dropped('beacon');
  return {
    value: `Math.max(0,D[d+${best}])`,
    peak: `D[d+${best}]`,
    paneClosed(pane) {
      histories.learn(pane);
      dropped.value = histories.dropped;
    },
    memory: histories,
  };
};

const HASHES = new Int32Array(AT_ONCE);

/** Hashes of the keys of some events, all at once: their rows are fetched at the same time. */
function gatherHashes({ words, stride }: KeyedTable, rows: Int32Array, order: Int32Array, from: number): void {
  const n = Math.min(AT_ONCE, order.length - from);
  for (let k = 0; k < n; k = (k + 1) | 0) HASHES[k] = words[Math.imul(rows[order[from + k]], 2 * stride)];
}

class Histories implements Stateful {
  dropped = 0;
  readonly #min: number;
  readonly #leastTime: number;
  readonly #keepUs: number;
  readonly #pair: number;
  readonly #best: number;
  readonly #paneUs: number;
  #history: FlowHistory | null = null;
  #beganUs = Number.NaN;

  constructor({ min, ts, keep }: Record<string, number>, pair: number, best: number, paneUs: number) {
    this.#min = min;
    this.#leastTime = ts;
    this.#keepUs = keep;
    this.#pair = pair;
    this.#best = best;
    this.#paneUs = paneUs;
  }

  /** All flows of the pane enter the histories; then each tuple that had one is scored, once. */
  learn(pane: Pane): void {
    const { keys } = pane;
    const { events } = pane.pairs[this.#pair];
    if (events === null || events.length === 0) return;
    this.#history ??= new FlowHistory();
    const history = this.#history;
    if (Number.isNaN(this.#beganUs)) this.#beganUs = pane.number * this.#paneUs;
    const order = events.inOrder();
    // Only the last flow of a tuple in the pane matters: it has seen as many as there are.
    const tuples = takeWords(order.length);
    const oft = takeWords(order.length);
    const { moves } = history;
    let many = 0;
    for (let k = 0; k < order.length; k++) {
      if (k % AT_ONCE === 0) {
        gatherHashes(keys, events.key, order, k);
        history.touch(events.print, order, k);
      }
      const tuple = history.add(events, order[k], HASHES[k % AT_ONCE]);
      if (history.count(tuple) < this.#min) continue;
      tuples[many] = tuple;
      oft[many++] = order[k];
    }
    const endUs = (pane.number + 1) * this.#paneUs;
    for (let k = 0; k < many; k++) {
      const i = oft[k];
      const stayed = history.moves === moves;
      const tuple = stayed ? tuples[k] : history.find(events.print[i], keys.hash(events.key[i]));
      if (tuple < 0 || history.count(tuple) < this.#min) continue;
      const at = events.key[i] * keys.stride + keys.first + this.#best;
      const score = this.#score(history, tuple, endUs);
      if (score > keys.doubles[at]) keys.doubles[at] = score;
    }
    for (const list of [order, tuples, oft]) giveBack(list);
    this.dropped = history.evicted + events.dropped;
  }

  save(out: StateWriter): void {
    out.number(this.dropped);
    out.number(this.#beganUs);
    out.number(this.#history === null ? 0 : 1);
    this.#history?.save(out);
  }

  restore(state: StateReader): void {
    this.dropped = state.number();
    this.#beganUs = state.number();
    this.#history = state.number() === 0 ? null : new FlowHistory();
    this.#history?.restore(state);
  }

  #score(history: FlowHistory, tuple: number, endUs: number): number {
    const count = history.count(tuple);
    const scoredAt = history.scoredAt(tuple);
    if (scoredAt > 0 && count < GROWTH * scoredAt) return history.score(tuple);
    const { times, sizes } = history.read(tuple, MOST_FLOWS, endUs - this.#keepUs);
    const spanUs = Math.min(this.#keepUs, endUs - this.#beganUs);
    const enough = times.length >= this.#min;
    const score = enough ? beaconScore(times, sizes, endUs, spanUs, this.#leastTime) : 0;
    history.setScore(tuple, score, count);
    return score;
  }
}
