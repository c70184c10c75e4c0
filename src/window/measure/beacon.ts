import type { EventLog } from '../event-log.ts';
import { FLOWS } from '../field-code.ts';
import { FlowHistory } from '../flow-history.ts';
import { both } from '../layout.ts';
import type { Pane } from '../pane.ts';
import { beaconScore } from './beacon-score.ts';
import type { MeasureCode, MeasureCompiler } from './measure.ts';
import { PairPrint } from './pair-print.ts';

/** Flows of one pair that are looked at: the newest. */
const MOST_FLOWS = 512;
/** A score is taken anew when the history grew by this share. */
const GROWTH = 1.05;

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

  learn(pane: Pane): void {
    const { events, table } = pane.pairs[this.#pair];
    if (events === null || events.length === 0) return;
    this.#history ??= new FlowHistory();
    if (Number.isNaN(this.#beganUs)) this.#beganUs = pane.number * this.#paneUs;
    this.#remember(this.#history, pane, inOrder(events));
    const endUs = (pane.number + 1) * this.#paneUs;
    const { keys } = pane;
    for (let row = 0; row < table.count; row++) {
      const score = this.#score(this.#history, pane, row, endUs);
      const at = table.words[2 * row * table.stride + 1] * keys.stride + keys.first + this.#best;
      if (score > keys.doubles[at]) keys.doubles[at] = score;
    }
    this.dropped = this.#history.evicted + events.dropped;
  }

  #remember(history: FlowHistory, pane: Pane, order: Uint32Array): void {
    const { events } = pane.pairs[this.#pair];
    if (events === null) return;
    for (const i of order) {
      this.#print.of(pane, this.#pair, events.pair[i]);
      history.add(this.#print.low, this.#print.high, events.timeUs[i], events.size[i]);
    }
  }

  #score(history: FlowHistory, pane: Pane, row: number, endUs: number): number {
    this.#print.of(pane, this.#pair, row);
    const pair = history.find(this.#print.low, this.#print.high);
    if (pair < 0 || history.count(pair) < this.#min) return 0;
    const count = history.count(pair);
    if (history.scoredAt[pair] > 0 && count < GROWTH * history.scoredAt[pair]) return history.score[pair];
    const { times, sizes } = history.read(pair, MOST_FLOWS, endUs - this.#keepUs);
    const spanUs = Math.min(this.#keepUs, endUs - this.#beganUs);
    const enough = times.length >= this.#min;
    history.score[pair] = enough ? beaconScore(times, sizes, endUs, spanUs, this.#leastTime) : 0;
    history.scoredAt[pair] = count;
    return history.score[pair];
  }
}

/** Events by time, then size: the order in which rows came does not matter. */
function inOrder({ length, timeUs, size }: EventLog): Uint32Array {
  const order = Uint32Array.from({ length }, (_, i) => i);
  return order.sort((x, y) => timeUs[x] - timeUs[y] || size[x] - size[y]);
}
