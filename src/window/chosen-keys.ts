import { giveBack, takeWords } from '../core/buffer-pool.ts';
import type { KeyHandle } from '../model/window-result.ts';
import { Combiner } from './combine.ts';
import { KeyedTable } from './keyed-table.ts';
import type { PairPlan } from './layout.ts';
import { enterFirst, Pane } from './pane.ts';
import type { CompiledRule } from './rule-plan.ts';
import { giveBackRows, type Part } from './window-view.ts';

/**
 * Windows of several panes, made anew each time of the few keys that a gate lets through or that somebody watches: their rows and
 * pairs are taken out of each pane, and combined as ever.
 */
export class ChosenKeys {
  readonly combiner: Combiner;
  readonly #keys: KeyedTable;
  readonly #fresh: () => Pane;
  #parts: Part[] = [];

  constructor({ layout, measures, code }: CompiledRule) {
    this.combiner = new Combiner(new Pane(layout, code.keyWords), layout, measures);
    this.#keys = new KeyedTable(code.keyWords, []);
    this.#fresh = () => new Pane(layout, code.keyWords);
  }

  /** Makes the window of these panes; its parts hold the chosen keys only. */
  build(panes: readonly Part[], watched: Iterable<KeyHandle>): readonly Part[] {
    this.clear();
    for (const { pane, hot = NONE } of panes) {
      for (const row of hot) this.#choose(pane.keys.words, 2 * row * pane.keys.stride);
    }
    for (const handle of watched) this.#choose(handle, 0);
    if (this.#keys.count === 0) return this.#parts;
    for (const { pane } of panes) {
      const chosen = this.#fresh();
      takeOut(pane, this.#keys, chosen);
      this.#parts.push(this.combiner.add(chosen));
    }
    this.combiner.gatherExtremes(this.#parts);
    return this.#parts;
  }

  #choose(words: Int32Array, at: number): void {
    if (this.#keys.find(words, at) < 0) this.#keys.take(words, at);
  }

  /** The window was given out. */
  clear(): void {
    for (const part of this.#parts) {
      part.pane.release();
      giveBackRows(part);
    }
    this.#parts = [];
    this.#keys.reset();
    this.combiner.reset();
  }
}

const NONE = new Int32Array(0);

/** Copies what a pane knows of the keys. */
function takeOut(from: Pane, keys: KeyedTable, to: Pane): void {
  const places = takeWords(from.keys.count).fill(-1);
  for (let k = 0; k < keys.count; k++) {
    const row = from.keys.find(keys.words, 2 * k * keys.stride);
    if (row < 0) continue;
    places[row] = copyRow(from.keys, row, to.keys);
    for (const { plan, table } of to.pairs) {
      if (plan.first >= 0 && !from.complete) enterFirst(from.keys, row, plan, table, places[row]);
    }
  }
  if (to.keys.count > 0)
    from.pairs.forEach((pairs, p) => {
      if (isWindowed(pairs.plan)) takeOutPairs(from, p, places, to);
    });
  giveBack(places);
}

function takeOutPairs(from: Pane, p: number, places: Int32Array, to: Pane): void {
  const { table, sketches } = from.pairs[p];
  const into = to.pairs[p];
  for (let row = 0; row < table.count; row++) {
    const key = places[table.words[2 * row * table.stride + 1]];
    if (key < 0) continue;
    const copy = copyRow(table, row, into.table);
    into.table.words[2 * copy * table.stride + 1] = key;
  }
  for (const [row, registers] of sketches) if (places[row] >= 0) into.sketches.set(places[row], registers);
}

/** Appends a copy of a row whose key is not there yet. */
function copyRow(from: KeyedTable, row: number, to: KeyedTable): number {
  const copy = to.take(from.words, 2 * row * from.stride);
  // As words: some accumulators are no numbers.
  const at = 2 * row * from.stride;
  for (let k = 2 * from.first; k < 2 * from.stride; k++) to.words[2 * copy * to.stride + k] = from.words[at + k];
  return copy;
}

function isWindowed(plan: PairPlan): boolean {
  return plan.windowed && !plan.log;
}
