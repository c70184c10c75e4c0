import type { StateReader, StateWriter } from '../core/state.ts';
import { Combiner } from './combine.ts';
import { mergeRegisters, REGISTERS } from './hyper-log-log.ts';
import type { KeyedTable } from './keyed-table.ts';
import { ROWS } from './layout.ts';
import type { Outlet } from './outlet.ts';
import { Pane } from './pane.ts';
import { pruneKeys } from './prune.ts';
import type { RuleFeed } from './rule-feed.ts';
import type { CompiledRule } from './rule-plan.ts';
import type { ClosingWindows } from './rule-windows.ts';
import { WindowView } from './window-view.ts';

/** Pairs that open sessions of one measure may hold. */
const MOST_PAIRS = 1 << 20;

/**
 * Sessions of one rule: a key's rows with no gap longer than the window's size between them. Panes are as long as the
 * gap, so all rows of a key within a pane belong together, and a session is a chain of panes. Sessions that ended are
 * given out at the end of the next pane, whose time is the results' `endUs`.
 */
export class SessionWindows implements ClosingWindows {
  readonly feed: RuleFeed;
  readonly outlet: Outlet;
  readonly #compiled: CompiledRule;
  readonly #combiner: Combiner;
  readonly #open: Pane;
  readonly #gapUs: number;
  readonly #firstUs: number;
  readonly #lastUs: number;
  #lastEndUs = Number.NEGATIVE_INFINITY;
  #closing: { pane: Pane | null; ended: Int32Array } = NOTHING;

  constructor(feed: RuleFeed, outlet: Outlet) {
    this.feed = feed;
    this.outlet = outlet;
    this.#compiled = feed.compiled;
    const { layout, measures, code, extras, paneUs } = feed.compiled;
    this.#open = new Pane(layout, code.keyWords);
    this.#combiner = new Combiner(this.#open, layout, measures);
    this.#gapUs = paneUs;
    this.#firstUs = extras.session?.firstUs ?? ROWS;
    this.#lastUs = extras.session?.lastUs ?? ROWS;
  }

  nextEndUs(stood: boolean): number {
    if (this.#open.keys.count > 0 || (this.outlet.wantsEmpty && !stood)) return this.#lastEndUs + this.#gapUs;
    return (this.feed.panes.earliest + 1) * this.#gapUs;
  }

  skipTo(timeUs: number): void {
    const endUs = timeUs === Number.POSITIVE_INFINITY ? timeUs : Math.floor(timeUs / this.#gapUs) * this.#gapUs;
    if (endUs <= this.#lastEndUs) return;
    this.#lastEndUs = endUs;
    this.feed.closedUs = endUs;
  }

  close(endUs: number): void {
    this.#lastEndUs = endUs;
    this.feed.closedUs = endUs;
    const { panes } = this.feed;
    const pane = panes.earliest < endUs / this.#gapUs ? panes.shift() : null;
    if (pane) for (const measure of this.#compiled.measures) measure.paneClosed?.(pane, null);
    const ended = this.#ended(pane);
    if (ended.length > 0 || this.outlet.wantsEmpty) this.#prepare(ended, endUs);
    this.#closing = { pane, ended };
  }

  settle(): void {
    const { pane, ended } = this.#closing;
    this.#closing = NOTHING;
    this.outlet.settle();
    if (ended.length > 0) this.#end(ended);
    if (pane) this.#add(pane);
  }

  /** Open sessions that the pane does not continue. */
  #ended(pane: Pane | null): Int32Array {
    const { keys } = this.#open;
    const rows: number[] = [];
    for (let row = 0; row < keys.count; row++) {
      const d = row * keys.stride + keys.first;
      const next = pane ? pane.keys.find(keys.words, 2 * row * keys.stride) : -1;
      if (pane === null || next < 0) rows.push(row);
      else {
        const beginUs = pane.keys.doubles[next * keys.stride + keys.first + this.#firstUs];
        if (beginUs - keys.doubles[d + this.#lastUs] > this.#gapUs) rows.push(row);
      }
    }
    return Int32Array.from(rows);
  }

  #prepare(rows: Int32Array, endUs: number): void {
    const { keys } = this.#open;
    let startUs = endUs - this.#gapUs;
    for (const row of rows) {
      startUs = Math.min(startUs, keys.doubles[row * keys.stride + keys.first + this.#firstUs]);
    }
    const parts = [{ pane: this.#open, keyRows: null, pairRows: [] }];
    const view = new WindowView(this.#open, parts, rows.slice());
    const some = rows.length > 0;
    this.outlet.prepare(startUs, endUs, view, { everyone: some, live: some });
  }

  /** Takes sessions that are over out, with their pairs and sketches. */
  #end(ended: Int32Array): void {
    const { keys, pairs } = this.#open;
    for (const row of ended) keys.doubles[row * keys.stride + keys.first + ROWS] = 0;
    for (const { table, sketches } of pairs) {
      for (let row = 0; row < table.count; row++) {
        const key = table.words[2 * row * table.stride + 1];
        if (isOver(keys, key)) table.doubles[row * table.stride + table.first] = 0;
      }
      for (const key of [...sketches.keys()]) if (isOver(keys, key)) sketches.delete(key);
    }
    this.#combiner.bury([]);
  }

  #add(pane: Pane): void {
    const { rule, dropped } = this.#compiled;
    if (this.#open.keys.count + pane.keys.count > 2 * rule.maxKeys) {
      dropped('max_keys').value += pruneKeys(pane, Math.max(0, 2 * rule.maxKeys - this.#open.keys.count));
    }
    pane.pairs.forEach((pairs, p) => {
      if (this.#open.pairs[p].table.count + pairs.table.count <= MOST_PAIRS) return;
      dropped('max_pairs').value += pairs.table.count;
      pairs.reset();
    });
    pane.completePairs();
    const { keyRows } = this.#combiner.add(pane);
    if (keyRows !== null) {
      this.#combiner.addExtremes(pane, keyRows);
      pane.pairs.forEach((pairs, p) => {
        for (const [row, registers] of pairs.sketches) this.#addSketch(p, keyRows[row], registers);
      });
    }
    this.feed.panes.recycle(pane);
  }

  #addSketch(p: number, key: number, registers: Uint8Array): void {
    const { sketches } = this.#open.pairs[p];
    const known = sketches.get(key) ?? new Uint8Array(REGISTERS);
    mergeRegisters(known, registers);
    sketches.set(key, known);
  }

  save(out: StateWriter): void {
    out.number(this.#lastEndUs);
    this.outlet.save(out);
    this.#combiner.save(out);
    this.feed.panes.save(out);
    for (const { memory } of this.#compiled.measures) memory?.save(out);
  }

  restore(state: StateReader): void {
    this.#lastEndUs = state.number();
    this.outlet.restore(state);
    this.feed.closedUs = this.#lastEndUs;
    this.#combiner.restore(state);
    this.feed.panes.restore(state);
    for (const { memory } of this.#compiled.measures) memory?.restore(state);
  }
}

const NOTHING = { pane: null, ended: new Int32Array(0) };

function isOver(keys: KeyedTable, row: number): boolean {
  return keys.doubles[row * keys.stride + keys.first + ROWS] === 0;
}
