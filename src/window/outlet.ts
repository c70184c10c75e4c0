import type { Stateful, StateReader, StateWriter } from '../core/state.ts';
import type { WindowSink } from '../model/window-result.ts';
import { Results } from './results.ts';
import type { CompiledRule } from './rule-plan.ts';
import type { Twin } from './twins.ts';
import type { WindowView } from './window-view.ts';

/** Empty windows are given out for this long at most; what needed them has seen enough zeros by then. */
const SILENCE_US = 3600e6;

/** Gives the windows of one set of tables out to its rules, empty ones to those that want them. */
export class Outlet implements Stateful {
  readonly twins: readonly Twin[];
  readonly #compiled: CompiledRule;
  readonly #sink: WindowSink;
  readonly #wants: boolean[];
  #emptySinceUs = 0;
  #results: Results[] = [];
  #everyone = false;
  #live = false;

  constructor(compiled: CompiledRule, twins: readonly Twin[], sink: WindowSink) {
    this.#compiled = compiled;
    this.twins = twins;
    this.#sink = sink;
    this.#wants = twins.map(() => false);
  }

  /** True when some rule wants empty windows. */
  get wantsEmpty(): boolean {
    return this.#wants.includes(true);
  }

  /**
   * The window that `give` gives out next.
   * @param everyone rules that want no empty windows get it, too
   * @param live the window has rows, if not of keys that matter
   */
  prepare(
    startUs: number,
    endUs: number,
    view: WindowView,
    { everyone, live }: { everyone: boolean; live: boolean },
  ): void {
    const first = new Results(this.#compiled, this.twins[0], startUs, endUs, view);
    // Whoever judges writes learned values into the results: each rule has its own.
    this.#results = this.twins.map((twin, k) => (k === 0 ? first : first.twin(twin)));
    this.#everyone = everyone;
    this.#live = live;
  }

  give(k: number): void {
    if (this.#results.length === 0 || (!this.#everyone && !this.#wants[k])) return;
    this.#wants[k] = this.#sink(this.#results[k]);
  }

  /** All rules have had the window. */
  settle(): void {
    if (this.#results.length === 0) return;
    const [{ endUs }] = this.#results;
    this.#results = [];
    if (this.#live) this.#emptySinceUs = endUs;
    else if (endUs - this.#emptySinceUs >= SILENCE_US) this.#wants.fill(false);
  }

  save(out: StateWriter): void {
    out.number(this.#emptySinceUs);
    out.json(this.twins.map(({ rule }, k) => [rule.fingerprint, this.#wants[k]]));
  }

  restore(state: StateReader): void {
    this.#emptySinceUs = state.number();
    const known = new Map(state.json<[string, boolean][]>());
    this.twins.forEach(({ rule }, k) => {
      this.#wants[k] = known.get(rule.fingerprint) ?? false;
    });
  }
}
