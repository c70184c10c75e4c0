import type { Counter } from '../core/metrics.ts';
import { type Chunk, isLong } from './chunk.ts';
import { CANDIDATES, type Dispatcher } from './dispatch.ts';
import { type FindRows, findAll, findRows } from './find-code.ts';
import { enterValue, REGISTERS } from './hyper-log-log.ts';
import type { KeyedTable } from './keyed-table.ts';
import { type PairTable, Pane } from './pane.ts';
import { pieceOf } from './pro-rate.ts';
import { dropPairs, pruneKeys, prunePairs } from './prune.ts';
import type { Scratch } from './rule-code.ts';
import type { CompiledRule } from './rule-plan.ts';

/** Panes of one rule that wait for the watermark; rows of more than this many are not of one stream's time. */
const MOST_PANES = 1 << 14;
/** Pairs of one measure and pane. */
const MOST_PAIRS = 1 << 20;
/** Sketches of one measure and pane: 16 MiB. */
const MOST_SKETCHES = 1 << 10;
/** Keys with this many tuples are counted by sketch when pairs run out. */
const FEW_TUPLES = 64;
const SPARE_PANES = 4;

/** Sorts the rows of chunks into the panes of one rule. */
export class RuleFeed {
  readonly compiled: CompiledRule;
  readonly panes = new Map<number, Pane>();
  #earliest = Number.POSITIVE_INFINITY;
  /** Rows before this time belong to windows that are closed. */
  closedUs = Number.NEGATIVE_INFINITY;
  readonly #chunk: Chunk;
  readonly #scratch: Scratch;
  readonly #dispatcher: Dispatcher;
  /** Numbers of the match and of the follow-up among the dispatcher's conditions. */
  readonly #conditions: number[];
  readonly #pairLimit: number;
  readonly #findKeys: FindRows;
  readonly #spare: Pane[] = [];
  readonly #long: number[] = [];
  readonly #drops: { keys: Counter; pairs: Counter; panes: Counter };

  constructor(
    compiled: CompiledRule,
    deps: { chunk: Chunk; scratch: Scratch; dispatcher: Dispatcher; conditions: number[] },
    options: { maxPairs?: number } = {},
  ) {
    this.compiled = compiled;
    this.#chunk = deps.chunk;
    this.#scratch = deps.scratch;
    this.#dispatcher = deps.dispatcher;
    this.#conditions = deps.conditions;
    this.#pairLimit = options.maxPairs ?? MOST_PAIRS;
    this.#findKeys = findRows(compiled.code.keyWords);
    const { dropped } = compiled;
    this.#drops = { keys: dropped('max_keys'), pairs: dropped('max_pairs'), panes: dropped('max_panes') };
  }

  /** Adds the rows of the chunk that match. */
  add(): void {
    const { code, rule } = this.compiled;
    const { candidates, counts } = this.#dispatcher;
    const [own, follow] = this.#conditions;
    this.#take(code.select(candidates, own * CANDIDATES, counts[own]), false);
    if (rule.follow) this.#take(code.selectFollow(candidates, follow * CANDIDATES, counts[follow]), true);
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

  /** Most chunks lie within one pane; else runs of rows of the same pane go together. */
  #feedRuns(n: number, follow: boolean): void {
    const { paneUs, code } = this.compiled;
    const { startUs, earliestUs, latestUs } = this.#chunk;
    const { selected } = this.#scratch;
    code.keys(n);
    const only = Math.floor(earliestUs / paneUs);
    if (only === Math.floor(latestUs / paneUs)) {
      this.#feed(0, n, only, follow);
      return;
    }
    for (let from = 0, to = 0; from < n; from = to) {
      const pane = Math.floor(startUs[selected[from] >> 1] / paneUs);
      const endUs = (pane + 1) * paneUs;
      const beginUs = pane * paneUs;
      for (to = from + 1; to < n; to++) {
        const timeUs = startUs[selected[to] >> 1];
        if (timeUs < beginUs || timeUs >= endUs) break;
      }
      this.#feed(from, to, pane, follow);
    }
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
    const pane = this.panes.get(number) ?? this.#open(number);
    if (pane === null) {
      this.#drops.panes.value += to - from;
      return;
    }
    const { code, rule } = this.compiled;
    const { keys } = pane;
    const { hash, words, row } = this.#scratch;
    keys.reserve(to - from);
    const before = keys.count;
    findAll(this.#findKeys, keys, from, to, hash, words, row);
    keys.beginFrom(before);
    if (follow) code.updateFollow(from, to, keys);
    else {
      code.update(from, to, keys);
      for (let p = 0; p < pane.pairs.length; p++) this.#feedPairs(code.pairs[p](from, to, keys), pane.pairs[p], keys);
    }
    if (keys.count > rule.maxKeys) this.#drops.keys.value += pruneKeys(pane, Math.max(1, rule.maxKeys >> 1));
  }

  #open(number: number): Pane | null {
    if (this.panes.size >= MOST_PANES) return null;
    const { layout, code } = this.compiled;
    const pane = this.#spare.pop() ?? new Pane(layout, code.keyWords);
    pane.number = number;
    this.panes.set(number, pane);
    if (number < this.#earliest) this.#earliest = number;
    return pane;
  }

  /** Number of the first open pane; Infinity without any. */
  get earliest(): number {
    return this.#earliest;
  }

  /** Takes the first open pane out. */
  shift(): Pane {
    const pane = this.panes.get(this.#earliest) as Pane;
    this.panes.delete(this.#earliest);
    this.#earliest = Number.POSITIVE_INFINITY;
    for (const number of this.panes.keys()) if (number < this.#earliest) this.#earliest = number;
    return pane;
  }

  /** Takes a pane back whose results were given out. */
  recycle(pane: Pane): void {
    if (this.#spare.length >= SPARE_PANES) return;
    pane.reset();
    this.#spare.push(pane);
  }

  #feedPairs(selected: number, pairs: PairTable, keys: KeyedTable): void {
    const { pairHash, pairWords, pairRow, amounts } = this.#scratch;
    const { table, plan } = pairs;
    if (pairs.events) {
      pairs.events.addAll(selected, pairWords, table.keyWords, pairHash, amounts);
      return;
    }
    const n = plan.sketchPast < Number.POSITIVE_INFINITY ? this.#sketch(selected, pairs, keys) : selected;
    if (n === 0) return;
    table.reserve(n);
    const before = table.count;
    findAll(findRows(table.keyWords), table, 0, n, pairHash, pairWords, pairRow);
    table.beginFrom(before);
    countNew(table, before, keys, plan.count);
    for (let k = 0; k < plan.amounts.length; k++) {
      const { merge } = plan.amounts[k];
      const offset = table.first + 1 + k;
      if (merge === 'sum') addSums(table, pairRow, amounts[k], n, offset);
      else addExtremes(table, pairRow, amounts[k], n, offset, merge === 'min');
    }
    if (table.count > this.#pairLimit) this.#relieve(pairs, keys);
  }

  /** Enters tuples of keys that have many into their sketches; answers how many pairs remain. */
  #sketch(n: number, pairs: PairTable, keys: KeyedTable): number {
    const { pairHash, pairWords } = this.#scratch;
    const { plan, sketches } = pairs;
    const width = 1 + plan.code.words;
    const count = keys.first + plan.count;
    let kept = 0;
    for (let q = 0; q < n; q++) {
      const at = q * width;
      const key = pairWords[at];
      if (keys.doubles[key * keys.stride + count] >= plan.sketchPast || (sketches.size > 0 && sketches.has(key))) {
        const registers = sketches.get(key) ?? newSketch(sketches, key);
        if (registers !== null) {
          enterValue(registers, pairWords, at + 1, width - 1);
          continue;
        }
      }
      if (kept !== q) {
        pairHash[kept] = pairHash[q];
        pairWords.copyWithin(kept * width, at, at + width);
      }
      kept++;
    }
    return kept;
  }

  /** Too many pairs: keys with more than a few go over to sketches, else the lighter half goes. */
  #relieve(pairs: PairTable, keys: KeyedTable): void {
    const { table, plan, sketches } = pairs;
    if (plan.sketchPast < Number.POSITIVE_INFINITY) {
      const counted = (row: number): boolean => {
        const key = table.words[2 * row * table.stride + 1];
        if (keys.doubles[key * keys.stride + keys.first + plan.count] < FEW_TUPLES) return true;
        const registers = sketches.get(key) ?? newSketch(sketches, key);
        if (registers === null) return true;
        enterValue(registers, table.words, 2 * row * table.stride + 2, table.keyWords - 1);
        return false;
      };
      const keep = Uint8Array.from({ length: table.count }, (_, row) => (counted(row) ? 1 : 0));
      dropPairs(pairs, (row) => keep[row] === 1, keys);
    }
    if (table.count > this.#pairLimit / 2) this.#drops.pairs.value += prunePairs(pairs, this.#pairLimit >> 1, keys);
  }
}

function newSketch(sketches: Map<number, Uint8Array>, key: number): Uint8Array | null {
  if (sketches.size >= MOST_SKETCHES) return null;
  const registers = new Uint8Array(REGISTERS);
  sketches.set(key, registers);
  return registers;
}

function countNew(table: KeyedTable, from: number, keys: KeyedTable, count: number): void {
  const { words, doubles, stride, first } = table;
  for (let row = from; row < table.count; row++) {
    doubles[row * stride + first] = 1;
    keys.doubles[words[2 * row * stride + 1] * keys.stride + keys.first + count]++;
  }
}

function addExtremes(
  { doubles, stride }: KeyedTable,
  rows: Int32Array,
  amounts: Float64Array,
  n: number,
  offset: number,
  least: boolean,
): void {
  for (let q = 0; q < n; q++) {
    const at = rows[q] * stride + offset;
    if (least ? amounts[q] < doubles[at] : amounts[q] > doubles[at]) doubles[at] = amounts[q];
  }
}

function addSums(
  { doubles, stride }: KeyedTable,
  rows: Int32Array,
  amounts: Float64Array,
  n: number,
  offset: number,
): void {
  for (let q = 0; q < n; q++) doubles[rows[q] * stride + offset] += amounts[q];
}
