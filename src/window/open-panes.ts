import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import type { Deferral } from './deferral.ts';
import type { Layout } from './layout.ts';
import { Pane } from './pane.ts';

/** Panes of one rule that wait for the watermark; rows of more than this many are not of one stream's time. */
export const MOST_PANES = 1 << 14;
const SPARE_PANES = 1;
/** Fresh panes have room for as many keys and pairs as the last one held, up to so many, while so few are open. */
const MOST_EXPECTED = 1 << 16;
const FEW_PANES = 8;

/** The panes of one rule that are not over yet, and a few empty ones to use again. */
export class OpenPanes implements Stateful {
  readonly #layout: Layout;
  readonly #keyWords: number;
  readonly #open = new Map<number, Pane>();
  readonly #spare: Pane[] = [];
  #earliest = Number.POSITIVE_INFINITY;
  #expected: number[] = [];
  /** How rows of fresh panes are deferred. */
  deferral: Deferral | null = null;

  constructor(layout: Layout, keyWords: number) {
    this.#layout = layout;
    this.#keyWords = keyWords;
  }

  /** Number of the first open pane; Infinity without any. */
  get earliest(): number {
    return this.#earliest;
  }

  /** The pane of this number; null when too many are open. */
  open(number: number): Pane | null {
    const known = this.#open.get(number);
    if (known) return known;
    if (this.#open.size >= MOST_PANES) return null;
    const pane = this.fresh();
    pane.number = number;
    if (this.deferral) pane.deferred ??= this.deferral.fresh();
    this.#enter(pane);
    return pane;
  }

  /** The pane of this number, if it is open. */
  known(number: number): Pane | undefined {
    return this.#open.get(number);
  }

  /** The open panes. */
  all(): IterableIterator<Pane> {
    return this.#open.values();
  }

  #enter(pane: Pane): void {
    this.#open.set(pane.number, pane);
    if (pane.number < this.#earliest) this.#earliest = pane.number;
  }

  /** An empty pane that is not open. */
  fresh(): Pane {
    const expected = this.#open.size < FEW_PANES ? this.#expected : [];
    return this.#spare.pop() ?? new Pane(this.#layout, this.#keyWords, expected);
  }

  /** Takes the first open pane out. */
  shift(): Pane {
    const pane = this.#open.get(this.#earliest) as Pane;
    this.#open.delete(this.#earliest);
    this.#expected = pane.sizes.map((size) => Math.min(MOST_EXPECTED, size));
    this.#earliest = Number.POSITIVE_INFINITY;
    for (const number of this.#open.keys()) if (number < this.#earliest) this.#earliest = number;
    return pane;
  }

  /** Takes a pane back whose results were given out. */
  recycle(pane: Pane): void {
    if (this.#spare.length >= SPARE_PANES) {
      pane.release();
      return;
    }
    pane.reset();
    this.#spare.push(pane);
  }

  save(out: StateWriter): void {
    out.number(this.#open.size);
    for (const pane of this.#open.values()) pane.save(out);
  }

  restore(state: StateReader): void {
    this.#open.clear();
    this.#earliest = Number.POSITIVE_INFINITY;
    for (let left = state.number(); left > 0; left--) {
      const pane = this.fresh();
      pane.restore(state);
      this.#enter(pane);
    }
  }
}
