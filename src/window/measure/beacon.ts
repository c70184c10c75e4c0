import { FLOWS } from '../field-code.ts';
import { both } from '../layout.ts';
import type { Pane } from '../pane.ts';
import { beaconScore } from './beacon-score.ts';
import type { MeasureCode, MeasureCompiler } from './measure.ts';
import { PairPrint } from './pair-print.ts';

/** Pairs whose flows are remembered, and flows of one pair: the newest. */
const MOST_PAIRS = 1 << 16;
const MOST_FLOWS = 512;
/** A score is taken anew when the history grew by this share. */
const GROWTH = 1.05;

interface History {
  times: number[];
  sizes: number[];
  score: number;
  scoredAt: number;
}

/** Regularity of the flows of each tuple inside the key; the key's value is its highest tuple that had a flow now. */
export const beacon: MeasureCompiler = (measure, where, layout, context): MeasureCode => {
  const amounts = [
    { code: 'startUs[i]', merge: 'max' as const },
    { code: 'bytes[r]', merge: 'max' as const },
  ];
  const guard = both(`${FLOWS}===1`, where);
  const pair = layout.pair(measure.of, guard, { amounts, events: true, windowed: false, loose: true });
  const best = layout.keep('max');
  const histories = new Histories(measure.params, pair, best, context.paneUs);
  const dropped = context.dropped('beacon');
  return {
    value: `Math.max(0,D[d+${best}])`,
    paneClosed(pane) {
      histories.learn(pane);
      dropped.value = histories.dropped;
    },
  };
};

class Histories {
  dropped = 0;
  readonly #min: number;
  readonly #leastTime: number;
  readonly #keepUs: number;
  readonly #pair: number;
  readonly #best: number;
  readonly #paneUs: number;
  readonly #print = new PairPrint();
  /** In the order of their last flow, so that the first one is the one to forget. */
  readonly #histories = new Map<string, History>();
  #beganUs = Number.NaN;

  constructor({ min, ts, keep }: Record<string, number>, pair: number, best: number, paneUs: number) {
    this.#min = min;
    this.#leastTime = ts;
    this.#keepUs = keep;
    this.#pair = pair;
    this.#best = best;
    this.#paneUs = paneUs;
  }

  learn(pane: Pane): void {
    const { events, table } = pane.pairs[this.#pair];
    if (events === null || events.length === 0) return;
    if (Number.isNaN(this.#beganUs)) this.#beganUs = pane.number * this.#paneUs;
    const order = Uint32Array.from({ length: events.length }, (_, i) => i);
    order.sort((x, y) => events.timeUs[x] - events.timeUs[y] || events.size[x] - events.size[y]);
    const touched = new Map<number, History>();
    for (const i of order)
      touched.set(events.pair[i], this.#remember(pane, events.pair[i], events.timeUs[i], events.size[i]));
    const endUs = (pane.number + 1) * this.#paneUs;
    const { keys } = pane;
    for (const [row, history] of touched) {
      const at = table.words[2 * row * table.stride + 1] * keys.stride + keys.first + this.#best;
      keys.doubles[at] = Math.max(keys.doubles[at], this.#score(history, endUs));
    }
  }

  #remember(pane: Pane, row: number, timeUs: number, size: number): History {
    this.#print.of(pane, this.#pair, row);
    const id = `${this.#print.low},${this.#print.high}`;
    const history = this.#histories.get(id) ?? this.#begin();
    this.#histories.delete(id);
    this.#histories.set(id, history);
    history.times.push(timeUs);
    history.sizes.push(size);
    if (history.times.length > MOST_FLOWS || timeUs - history.times[0] > this.#keepUs) this.#forget(history, timeUs);
    return history;
  }

  #begin(): History {
    if (this.#histories.size >= MOST_PAIRS) {
      const [oldest] = this.#histories.keys();
      this.#histories.delete(oldest);
      this.dropped++;
    }
    return { times: [], sizes: [], score: 0, scoredAt: 0 };
  }

  #forget(history: History, nowUs: number): void {
    let from = Math.max(0, history.times.length - MOST_FLOWS);
    while (nowUs - history.times[from] > this.#keepUs) from++;
    history.times.splice(0, from);
    history.sizes.splice(0, from);
    history.scoredAt = Math.max(0, history.scoredAt - from);
  }

  #score(history: History, endUs: number): number {
    const { times, sizes } = history;
    if (times.length < this.#min) return 0;
    if (history.scoredAt > 0 && times.length < GROWTH * history.scoredAt) return history.score;
    const spanUs = Math.min(this.#keepUs, endUs - this.#beganUs);
    history.score = beaconScore(times, sizes, endUs, spanUs, this.#leastTime);
    history.scoredAt = times.length;
    return history.score;
  }
}
