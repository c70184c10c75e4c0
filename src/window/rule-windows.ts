import { giveBack, takeWords } from '../core/buffer-pool.ts';
import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import type { KeyHandle } from '../model/window-result.ts';
import { ChosenKeys } from './chosen-keys.ts';
import { Combiner } from './combine.ts';
import type { Deferral } from './deferral.ts';
import { compileGate, type Gate } from './gate.ts';
import type { KeyedTable } from './keyed-table.ts';
import { ROWS } from './layout.ts';
import type { Outlet } from './outlet.ts';
import { Pane } from './pane.ts';
import { pruneKeys } from './prune.ts';
import type { RowReader } from './recent-rows.ts';
import type { RuleFeed } from './rule-feed.ts';
import type { CompiledRule } from './rule-plan.ts';
import { giveBackRows, type Part, WindowView } from './window-view.ts';

/** Windows of one set of tables, as the stage closes them. */
export interface ClosingWindows extends Stateful {
  readonly feed: RuleFeed;
  readonly outlet: Outlet;
  /**
   * End of the next window that has to be closed; Infinity when nothing waits.
   * @param stood the watermark stood still, or the input is over: nobody waits for empty windows
   */
  nextEndUs(stood: boolean): number;
  /** Prepares the outlet. */
  close(endUs: number): void;
  /** The outlet has given the window out. */
  settle(endUs: number): void;
  /** The watermark passed `timeUs`: windows that end before it and hold nothing need not be closed any more. */
  skipTo(timeUs: number): void;
}

/** Closes tumbling or sliding windows, in order. */
export class RuleWindows implements ClosingWindows, RowReader {
  readonly feed: RuleFeed;
  readonly outlet: Outlet;
  readonly #compiled: CompiledRule;
  readonly #combiner: Combiner;
  readonly #parts: Part[] = [];
  readonly #single: boolean;
  readonly #gate: Gate | null;
  readonly #watched: () => Iterable<KeyHandle>;
  readonly #chosen: ChosenKeys | null;
  readonly #deferral: Deferral | null;
  readonly #away: boolean;
  /** End of the last window that was closed or skipped; -Infinity before the first. */
  #lastEndUs = Number.NEGATIVE_INFINITY;

  /**
   * @param watched keys that every window is asked for; without it all keys are given out
   * @param away the tables are filled elsewhere
   */
  constructor(feed: RuleFeed, outlet: Outlet, watched?: () => Iterable<KeyHandle>, away = false) {
    this.feed = feed;
    this.outlet = outlet;
    this.#compiled = feed.compiled;
    this.#away = away;
    const { layout, measures, code, rule, paneUs } = feed.compiled;
    this.#combiner = new Combiner(new Pane(layout, code.keyWords), layout, measures);
    this.#single = rule.window.sizeUs === paneUs;
    const rules = outlet.twins.map((twin) => twin.rule);
    this.#gate = watched ? compileGate(rules, measures, rule.window.sizeUs / paneUs) : null;
    this.#watched = watched ?? (() => []);
    this.#chosen = this.#gate && !this.#single ? new ChosenKeys(feed.compiled) : null;
    this.#deferral = this.#gate && feed.defer(rules, this);
  }

  /** Panes in which rows may wait. */
  *#waiting(): Generator<Pane> {
    for (const { pane } of this.#parts) if (pane.deferred) yield pane;
    for (const pane of this.feed.panes.all()) if (pane.deferred) yield pane;
  }

  get oldestRow(): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (const { deferred } of this.#waiting()) {
      if (deferred && deferred.length > 0 && deferred.base < oldest) oldest = deferred.base;
    }
    return oldest;
  }

  /** The rows of this stage are saved for all. */
  get sinceUs(): number {
    const { sizeUs, slideUs } = this.#compiled.rule.window;
    return this.#away ? this.#lastEndUs + slideUs - sizeUs : Number.POSITIVE_INFINITY;
  }

  letGo(beforeRow: number): void {
    for (const pane of [...this.#waiting()]) {
      if (pane.deferred && pane.deferred.base < beforeRow) this.feed.enterAll(pane);
    }
  }

  nextEndUs(stood: boolean): number {
    const { slideUs } = this.#compiled.rule.window;
    if (this.#parts.length > 0 || (this.outlet.wantsEmpty && !stood)) return this.#lastEndUs + slideUs;
    const first = this.feed.panes.earliest;
    if (first === Number.POSITIVE_INFINITY) return first;
    return Math.ceil(((first + 1) * this.#compiled.paneUs) / slideUs) * slideUs;
  }

  skipTo(timeUs: number): void {
    const { slideUs } = this.#compiled.rule.window;
    const endUs = timeUs === Number.POSITIVE_INFINITY ? timeUs : Math.floor(timeUs / slideUs) * slideUs;
    if (endUs <= this.#lastEndUs) return;
    this.#lastEndUs = endUs;
    this.feed.closedUs = endUs;
  }

  close(endUs: number): void {
    const { window } = this.#compiled.rule;
    const startUs = endUs - window.sizeUs;
    this.#lastEndUs = endUs;
    this.feed.closedUs = endUs;
    const end = Math.round(endUs / this.#compiled.paneUs);
    const { panes } = this.feed;
    const everyone = this.#parts.length > 0 || panes.earliest < end;
    this.#dropParts(startUs);
    while (panes.earliest < end) this.#closePane(panes.shift(), startUs);
    if (!this.#single) this.#settleRows(this.#parts.map(({ pane }) => pane));
    const live = this.#parts.some(({ pane }) => pane.live);
    this.outlet.prepare(startUs, endUs, this.#view(), { everyone, live });
  }

  settle(endUs: number): void {
    this.outlet.settle();
    this.#chosen?.clear();
    if (this.#single) this.#dropParts(endUs);
  }

  #closePane(pane: Pane, startUs: number): void {
    const { paneUs, measures, rule } = this.#compiled;
    for (const measure of measures) measure.paneClosed?.(pane, this.#deferral);
    if (this.#single) this.#settleRows([pane]);
    for (const measure of measures) measure.paneSettled?.(pane);
    const sketched = pane.pairs.some(({ sketches }) => sketches.size > 0);
    if (this.#chosen === null ? sketched || !this.#single : sketched && !pane.deferred) pane.completePairs();
    if (pane.number * paneUs < startUs) this.feed.panes.recycle(pane);
    else if (this.#single) {
      this.#combiner.fold(pane);
      this.#parts.push({ pane, keyRows: null, pairRows: [] });
    } else if (this.#chosen) this.#parts.push(this.#gated(pane));
    else {
      this.#trim(pane, rule.maxKeys, rule.window.sizeUs / paneUs);
      this.#parts.push(this.#combiner.add(pane));
    }
  }

  /** Rows that waited enter the tables where their keys matter in a window of these panes. */
  #settleRows(panes: readonly Pane[]): void {
    const deferral = this.#deferral;
    if (deferral === null) return;
    const hot = new Uint8Array(deferral.shape.buckets);
    const waiting = panes.filter(({ deferred }) => deferred !== null && deferred.length > 0);
    for (const { deferred } of waiting) if (deferred) deferral.mark(deferred, hot);
    if (waiting.length > 0) for (const [hash] of this.#watched()) hot[hash >>> deferral.shift] = 1;
    if (hot.includes(1)) for (const pane of waiting) this.#enterHot(pane, deferral, hot);
  }

  #enterHot(pane: Pane, deferral: Deferral, hot: Uint8Array): void {
    const { deferred } = pane;
    if (deferred === null) return;
    this.feed.replay(pane, deferred, deferral.whole ? deferred.pick(hot) : deferred.takeOut(hot), false);
    // Rows of other buckets than its own have left a pane, which does not hand them on to the next.
    if (deferral.whole) deferred.hot.set(hot);
  }

  /** Panes share the room of their window, so that a flood in one does not push the heavy keys of the next out. */
  #trim(pane: Pane, maxKeys: number, panes: number): void {
    const most = 2 * maxKeys;
    if (this.#combiner.window.keys.count + pane.keys.count <= most) return;
    const left = pruneKeys(pane, Math.max(1, Math.floor(most / panes)));
    this.#compiled.dropped('max_keys').value += left;
  }

  #dropParts(startUs: number): void {
    const last = this.#parts[this.#parts.length - 1];
    if (last && last.pane.number * this.#compiled.paneUs < startUs) this.#dropAll();
    while (this.#parts.length > 0 && this.#parts[0].pane.number * this.#compiled.paneUs < startUs) {
      const part = this.#parts.shift() as Part;
      this.#combiner.remove(part, this.#parts);
      this.feed.panes.recycle(part.pane);
    }
  }

  /** A window that shares no pane with the one before begins anew. */
  #dropAll(): void {
    for (const part of this.#parts.splice(0)) {
      giveBackRows(part);
      this.feed.panes.recycle(part.pane);
    }
    this.#combiner.reset();
  }

  #gated(pane: Pane): Part {
    return { pane, keyRows: null, pairRows: [], hot: this.#hotRows(pane.keys) };
  }

  #hotRows(keys: KeyedTable): Int32Array {
    const rows = takeWords(keys.count);
    const hot = rows.slice(0, this.#gate?.(keys, this.#compiled.rule.window.sizeUs / 1e6, rows));
    giveBack(rows);
    return hot;
  }

  #view(): WindowView {
    if (this.#chosen) {
      if (this.#deferral) for (const part of this.#parts) part.hot = this.#hotRows(part.pane.keys);
      const parts = this.#chosen.build(this.#parts, this.#watched());
      const { window } = this.#chosen.combiner;
      return new WindowView(
        window,
        parts,
        Int32Array.from({ length: window.keys.count }, (_, row) => row),
      );
    }
    if (this.#gate && this.#parts.length > 0) return this.#singleView(this.#parts[0].pane);
    return this.#wholeView();
  }

  #singleView(pane: Pane): WindowView {
    const rows = new Set(this.#hotRows(pane.keys));
    for (const handle of this.#watched()) {
      const row = pane.keys.find(handle, 0);
      if (row >= 0) rows.add(row);
    }
    return new WindowView(pane, this.#parts, Int32Array.from(rows));
  }

  #wholeView(): WindowView {
    if (!this.#single) this.#combiner.gatherExtremes(this.#parts);
    const window = this.#single && this.#parts.length > 0 ? this.#parts[0].pane : this.#combiner.window;
    const { keys } = window;
    const rows = new Int32Array(keys.count);
    let n = 0;
    for (let row = 0; row < keys.count; row++) {
      if (keys.doubles[row * keys.stride + keys.first + ROWS] > 0) rows[n++] = row;
    }
    return new WindowView(window, this.#parts, rows.subarray(0, n));
  }

  save(out: StateWriter): void {
    out.number(this.#lastEndUs);
    this.outlet.save(out);
    this.#combiner.save(out);
    out.number(this.#parts.length);
    for (const { pane, keyRows, pairRows } of this.#parts) {
      pane.save(out);
      out.number(keyRows === null ? 0 : 1);
      if (keyRows !== null) for (const rows of [keyRows, ...pairRows]) out.array(rows);
    }
    this.feed.panes.save(out);
    for (const { memory } of this.#compiled.measures) memory?.save(out);
  }

  restore(state: StateReader): void {
    this.#lastEndUs = state.number();
    this.outlet.restore(state);
    this.feed.closedUs = this.#lastEndUs;
    this.#combiner.restore(state);
    this.#parts.length = 0;
    for (let left = state.number(); left > 0; left--) this.#parts.push(this.#restorePart(state));
    this.feed.panes.restore(state);
    // Other rules may have had these tables, which asked for other sums.
    for (const pane of [...this.#waiting()]) {
      if (pane.deferred?.shape.id !== this.#deferral?.shape.id) this.feed.enterAll(pane);
    }
    this.#settleParts();
    for (const { memory } of this.#compiled.measures) memory?.restore(state);
  }

  /** A state may come from a time when other rules had these tables, with a gate or without. */
  #settleParts(): void {
    const known = this.#parts.every(({ keyRows }) => (keyRows === null) === (this.#single || this.#chosen !== null));
    if (this.#chosen) this.#parts.splice(0, this.#parts.length, ...this.#parts.map(({ pane }) => this.#gated(pane)));
    if (known) return;
    this.#combiner.reset();
    if (this.#chosen) return;
    for (const { pane } of this.#parts) if (!pane.complete) pane.completePairs();
    this.#parts.splice(0, this.#parts.length, ...this.#parts.map(({ pane }) => this.#combiner.add(pane)));
  }

  #restorePart(state: StateReader): Part {
    const pane = this.feed.panes.fresh();
    pane.restore(state);
    if (state.number() === 0) return { pane, keyRows: null, pairRows: [] };
    return { pane, keyRows: state.array(Int32Array), pairRows: pane.pairs.map(() => state.array(Int32Array)) };
  }
}
