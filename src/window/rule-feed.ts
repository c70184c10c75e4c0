import type { Counter } from '../core/metrics.ts';
import { createFlowBatch, type FlowBatch } from '../model/flow-batch.ts';
import type { RulePlan } from '../model/plan.ts';
import { CHUNK, type Chunk, isLong } from './chunk.ts';
import type { CodeBook } from './code-book.ts';
import { type Deferral, planDeferral } from './deferral.ts';
import type { DeferredRows } from './deferred-rows.ts';
import { CANDIDATES, type Dispatcher } from './dispatch.ts';
import { type FindRows, findAll, findRows } from './find-code.ts';
import { MOST_PANES, OpenPanes } from './open-panes.ts';
import { PairFeed } from './pair-feed.ts';
import type { Pane } from './pane.ts';
import { pieceOf } from './pro-rate.ts';
import { endOfRoom, pruneKeys } from './prune.ts';
import type { RecentRows, RowReader } from './recent-rows.ts';
import type { RuleCode, Scratch } from './rule-code.ts';
import type { CompiledRule } from './rule-plan.ts';

/** Panes of a chunk whose rows are brought together; sparse rows of more panes go in the runs they come in. */
const MOST_GATHERED = 4;

/** Sorts the rows of chunks into the panes of one set of tables. */
export class RuleFeed {
  readonly compiled: CompiledRule;
  readonly panes: OpenPanes;
  /** Rows before this time belong to windows that are closed. */
  closedUs = Number.NEGATIVE_INFINITY;
  readonly #chunk: Chunk;
  readonly #scratch: Scratch;
  readonly #dispatcher: Dispatcher;
  /** Places of the match and of the follow-up among the dispatcher's conditions. */
  readonly #places: number[];
  readonly #pairs: PairFeed;
  readonly #findKeys: FindRows;
  readonly #long: number[] = [];
  readonly #recent: RecentRows;
  readonly #book: CodeBook;
  /** Rows that come back. */
  #replayed: FlowBatch | null = null;
  readonly #drops: { keys: Counter; panes: Counter };

  constructor(
    compiled: CompiledRule,
    deps: {
      chunk: Chunk;
      scratch: Scratch;
      dispatcher: Dispatcher;
      recent: RecentRows;
      book: CodeBook;
      conditions: number[];
    },
    options: { maxPairs?: number } = {},
  ) {
    this.compiled = compiled;
    this.#chunk = deps.chunk;
    this.#scratch = deps.scratch;
    this.#dispatcher = deps.dispatcher;
    this.#recent = deps.recent;
    this.#book = deps.book;
    this.#places = deps.conditions.map((condition) => deps.dispatcher.places[condition]);
    this.#findKeys = findRows(compiled.code.keyWords);
    const { dropped } = compiled;
    this.panes = new OpenPanes(compiled.layout, compiled.code.keyWords);
    this.#pairs = new PairFeed(deps.scratch, dropped('max_pairs'), options.maxPairs);
    this.#drops = { keys: dropped('max_keys'), panes: dropped('max_panes') };
  }

  /**
   * From now on rows wait where that is possible.
   * @param reader keeps them
   */
  defer(rules: readonly RulePlan[], reader: RowReader): Deferral | null {
    const deferral = planDeferral(this.compiled, rules, this.#book);
    this.panes.deferral = deferral;
    if (deferral) this.#recent.register(reader);
    return deferral;
  }

  /** Adds the rows of the chunk that match. */
  add(): void {
    const { code, rule, needs } = this.compiled;
    const [own, follow] = this.#places;
    if (this.#chunk.hasAll(needs.match)) this.#take(this.#select(code.select, own), false);
    if (rule.follow && this.#chunk.hasAll(needs.follow)) this.#take(this.#select(code.selectFollow, follow), true);
  }

  #select(select: RuleCode['select'], place: number): number {
    const { candidates, counts } = this.#dispatcher;
    if (place < 0) return select(this.#chunk.rows, 0, this.#chunk.length);
    return select(candidates, place * CANDIDATES, counts[place]);
  }

  #take(selected: number, follow: boolean): void {
    let n = selected;
    if (n > 0 && this.#chunk.long > 0) n = this.#setLongAside(n);
    if (n > 0 && this.#chunk.earliestUs < this.closedUs) n = this.#dropLate(n);
    if (n > 0) this.#feedRuns(n, follow);
    if (this.#long.length > 0) this.#feedLong(follow);
  }

  #setLongAside(n: number): number {
    const { selected } = this.#scratch;
    this.#long.length = 0;
    let kept = 0;
    for (let j = 0; j < n; j++) {
      if (isLong(this.#chunk, selected[j] >> 1)) this.#long.push(selected[j]);
      else selected[kept++] = selected[j];
    }
    return kept;
  }

  #dropLate(n: number): number {
    const { selected } = this.#scratch;
    const { startUs } = this.#chunk;
    let kept = 0;
    for (let j = 0; j < n; j++) if (startUs[selected[j] >> 1] >= this.closedUs) selected[kept++] = selected[j];
    return kept;
  }

  /** Most chunks lie within one pane; else rows of the same pane are brought together. */
  #feedRuns(n: number, follow: boolean): void {
    const { paneUs } = this.compiled;
    const { earliestUs, latestUs } = this.#chunk;
    const only = Math.floor(earliestUs / paneUs);
    if (only === Math.floor(latestUs / paneUs)) {
      this.#hash(n);
      this.#feed(0, n, only, follow);
      return;
    }
    for (let from = 0, gathered = 0; from < n && gathered < MOST_GATHERED; gathered++) from = this.#gather(from, n);
    this.#hash(n);
    for (let from = 0, to = 0; from < n; from = to) {
      const pane = this.#paneOf(from);
      to = this.#endOfRun(from, n);
      this.#feed(from, to, pane, follow);
    }
  }

  /** Rows that wait need no words. */
  #hash(n: number): void {
    const { deferral } = this.panes;
    if (deferral && !deferral.whole) this.compiled.code.hashes(0, n);
    else this.compiled.code.keys(0, n);
  }

  #paneOf(j: number): number {
    return Math.floor(this.#chunk.startUs[this.#scratch.selected[j] >> 1] / this.compiled.paneUs);
  }

  #endOfRun(from: number, n: number): number {
    const { selected } = this.#scratch;
    const { startUs } = this.#chunk;
    const beginUs = this.#paneOf(from) * this.compiled.paneUs;
    const endUs = beginUs + this.compiled.paneUs;
    let to = from + 1;
    while (to < n && startUs[selected[to] >> 1] >= beginUs && startUs[selected[to] >> 1] < endUs) to++;
    return to;
  }

  /** Moves the rows of the first row's pane to the front, all in their order; answers where the others begin. */
  #gather(from: number, n: number): number {
    const { selected, row: others } = this.#scratch;
    const { startUs } = this.#chunk;
    const beginUs = this.#paneOf(from) * this.compiled.paneUs;
    const endUs = beginUs + this.compiled.paneUs;
    let own = from;
    let rest = 0;
    for (let j = from; j < n; j++) {
      const row = selected[j];
      const timeUs = startUs[row >> 1];
      if (timeUs >= beginUs && timeUs < endUs) selected[own++] = row;
      else others[rest++] = row;
    }
    for (let k = 0; k < rest; k++) selected[own + k] = others[k];
    return own;
  }

  /** Long records, piece by piece of each pane they touch. */
  #feedLong(follow: boolean): void {
    const { code, paneUs } = this.compiled;
    const { selected } = this.#scratch;
    if (this.panes.deferral) this.#enterAllOfLong();
    for (const row of this.#long) {
      const firstPane = Math.floor(this.#chunk.startUs[row >> 1] / paneUs);
      const [open, lastPane] = this.#panesOf(row);
      for (let pane = open; pane <= lastPane; pane++) {
        selected[0] = pieceOf(this.#chunk, row, pane * paneUs, paneUs, pane === firstPane);
        if (pane !== firstPane && this.#chunk.packets[selected[0]] === 0) continue;
        code.keys(0, 1);
        this.#feed(0, 1, pane, follow, true);
      }
    }
    this.#long.length = 0;
  }

  /** Open panes that a long record touches, first and last. */
  #panesOf(row: number): [number, number] {
    const { paneUs } = this.compiled;
    const firstPane = Math.floor(this.#chunk.startUs[row >> 1] / paneUs);
    const lastPane = Math.floor(this.#chunk.endUs[row >> 1] / paneUs);
    return [Math.max(firstPane, Math.ceil(this.closedUs / paneUs), lastPane - MOST_PANES), lastPane];
  }

  /** Pieces of records are no rows that could be fetched later: in panes that have some no row waits. */
  #enterAllOfLong(): void {
    if (![...this.panes.all()].some(({ deferred }) => deferred !== null)) return;
    const waiting = new Set<Pane>();
    for (const row of this.#long) {
      const [first, last] = this.#panesOf(row);
      for (let number = first; number <= last; number++) {
        const pane = this.panes.known(number);
        if (pane && pane.deferred !== null) waiting.add(pane);
      }
    }
    const { batch, first, slices } = this.#chunk;
    for (const pane of waiting) this.enterAll(pane);
    if (batch && waiting.size > 0) this.#chunk.load(batch, first, first + slices);
  }

  #feed(from: number, to: number, number: number, follow: boolean, piece = false): void {
    const pane = this.panes.open(number);
    if (pane === null) {
      this.#drops.panes.value += to - from;
      return;
    }
    const { deferral } = this.panes;
    if (piece) this.enterAll(pane);
    if (deferral === null) this.#enter(pane, from, to, follow);
    else if (pane.deferred !== null) this.#defer(pane, pane.deferred, deferral, from, to);
    else {
      if (!deferral.whole) this.compiled.code.keys(from, to);
      this.#enter(pane, from, to, follow);
    }
  }

  #defer(pane: Pane, rows: DeferredRows, deferral: Deferral, from: number, to: number): void {
    const { code } = this.compiled;
    // Keys of single events stand in no table: where they wait stands for them.
    const logs = deferral.whole ? pane.pairs.flatMap(({ events }) => events ?? []) : [];
    const now = deferral.sort(from, to, rows, this.#recent.firstOfBatch + this.#chunk.first, logs);
    if (now === from) return;
    code.keys(from, now);
    this.#enter(pane, from, now, false);
  }

  /** Rows of a pane that waited enter its tables; whether as single events, too. */
  replay(pane: Pane, rows: DeferredRows, refs: Int32Array, logged: boolean): void {
    this.#replayed ??= createFlowBatch(CHUNK);
    const { selected } = this.#scratch;
    for (let from = 0; from < refs.length; from += CHUNK) {
      const some = refs.subarray(from, from + CHUNK);
      const places = some.map((ref) => ref >> 1);
      this.#recent.gather(rows.base, places, this.#replayed);
      this.#chunk.load(this.#replayed, 0, some.length);
      for (let k = 0; k < some.length; k++) selected[k] = 2 * k + (some[k] & 1);
      this.compiled.code.keys(0, some.length);
      this.#enter(pane, 0, some.length, false, logged);
    }
  }

  /** All rows of a pane that waited enter its tables, and none waits from then on. */
  enterAll(pane: Pane): void {
    const { deferred } = pane;
    if (deferred === null) return;
    pane.deferred = null;
    for (const { events } of pane.pairs) events?.reset();
    this.replay(pane, deferred, deferred.refs.slice(0, deferred.length), true);
    deferred.release();
  }

  /** A full pane is relieved at the very row that fills it, wherever batches are cut. */
  #enter(pane: Pane, from: number, to: number, follow: boolean, logged = true): void {
    const { maxKeys } = this.compiled.rule;
    for (let at = from; at < to; ) {
      at = this.#enterUntilFull(pane, at, to, follow, logged);
      if (pane.keys.count > maxKeys) this.#drops.keys.value += pruneKeys(pane, Math.max(1, maxKeys >> 1));
    }
  }

  /** @returns where it stopped: behind the first row whose key is one too many, else at `to` */
  #enterUntilFull(pane: Pane, from: number, to: number, follow: boolean, logged: boolean): number {
    const { code, rule } = this.compiled;
    const { keys } = pane;
    const { hash, words, row } = this.#scratch;
    // Without a key there is one row.
    if (code.keyWords === 0) row.fill(0, from + 1, to);
    findAll(this.#findKeys, keys, from, code.keyWords === 0 ? from + 1 : to, hash, words, row);
    const end = endOfRoom(keys, row, from, to, rule.maxKeys);
    if (follow) code.updateFollow(from, end, keys);
    else {
      code.update(from, end, keys);
      for (let p = 0; p < pane.pairs.length; p++) {
        if (!logged && pane.pairs[p].plan.log) continue;
        this.#pairs.add(code.pairs[p](from, end, keys), pane.pairs[p], keys);
      }
    }
    return end;
  }
}
