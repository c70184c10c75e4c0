import type { Counter } from '../core/metrics.ts';
import { type Chunk, isLong } from './chunk.ts';
import { CANDIDATES, type Dispatcher } from './dispatch.ts';
import { type FindRows, findAll, findRows } from './find-code.ts';
import { MOST_PANES, OpenPanes } from './open-panes.ts';
import { PairFeed } from './pair-feed.ts';
import { pieceOf } from './pro-rate.ts';
import { pruneKeys } from './prune.ts';
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
  readonly #drops: { keys: Counter; panes: Counter };

  constructor(
    compiled: CompiledRule,
    deps: { chunk: Chunk; scratch: Scratch; dispatcher: Dispatcher; conditions: number[] },
    options: { maxPairs?: number } = {},
  ) {
    this.compiled = compiled;
    this.#chunk = deps.chunk;
    this.#scratch = deps.scratch;
    this.#dispatcher = deps.dispatcher;
    this.#places = deps.conditions.map((condition) => deps.dispatcher.places[condition]);
    this.#findKeys = findRows(compiled.code.keyWords);
    const { dropped } = compiled;
    this.panes = new OpenPanes(compiled.layout, compiled.code.keyWords);
    this.#pairs = new PairFeed(deps.scratch, dropped('max_pairs'), options.maxPairs);
    this.#drops = { keys: dropped('max_keys'), panes: dropped('max_panes') };
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
    const { paneUs, code } = this.compiled;
    const { earliestUs, latestUs } = this.#chunk;
    const only = Math.floor(earliestUs / paneUs);
    if (only === Math.floor(latestUs / paneUs)) {
      code.keys(n);
      this.#feed(0, n, only, follow);
      return;
    }
    for (let from = 0, gathered = 0; from < n && gathered < MOST_GATHERED; gathered++) from = this.#gather(from, n);
    code.keys(n);
    for (let from = 0, to = 0; from < n; from = to) {
      const pane = this.#paneOf(from);
      to = this.#endOfRun(from, n);
      this.#feed(from, to, pane, follow);
    }
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
    for (const row of this.#long) {
      const startUs = this.#chunk.startUs[row >> 1];
      const lastPane = Math.floor(this.#chunk.endUs[row >> 1] / paneUs);
      const firstPane = Math.floor(startUs / paneUs);
      const open = Math.max(firstPane, Math.ceil(this.closedUs / paneUs), lastPane - MOST_PANES);
      for (let pane = open; pane <= lastPane; pane++) {
        selected[0] = pieceOf(this.#chunk, row, pane * paneUs, paneUs, pane === firstPane);
        if (pane !== firstPane && this.#chunk.packets[selected[0]] === 0) continue;
        code.keys(1);
        this.#feed(0, 1, pane, follow);
      }
    }
    this.#long.length = 0;
  }

  #feed(from: number, to: number, number: number, follow: boolean): void {
    const pane = this.panes.open(number);
    if (pane === null) {
      this.#drops.panes.value += to - from;
      return;
    }
    const { code, rule } = this.compiled;
    const { keys } = pane;
    const { hash, words, row } = this.#scratch;
    // Without a key there is one row.
    const last = code.keyWords === 0 ? from + 1 : to;
    findAll(this.#findKeys, keys, from, last, hash, words, row);
    if (last < to) row.fill(0, last, to);
    if (follow) code.updateFollow(from, to, keys);
    else {
      code.update(from, to, keys);
      for (let p = 0; p < pane.pairs.length; p++) this.#pairs.add(code.pairs[p](from, to, keys), pane.pairs[p], keys);
    }
    if (keys.count > rule.maxKeys) this.#drops.keys.value += pruneKeys(pane, Math.max(1, rule.maxKeys >> 1));
  }
}
