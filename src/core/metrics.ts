/** A counter that only grows. `value` may be added to directly in a hot path. */
export class Counter {
  readonly name: string;
  readonly help: string;
  value = 0;

  constructor(name: string, help: string) {
    this.name = name;
    this.help = help;
  }
}

/**
 * All counters of a process, by name. Names end in a base unit (`_total`, `_bytes`, `_seconds`);
 * labels are part of the name (`weir_drops_total{cause="table_full"}`), fixed at construction.
 */
export class Metrics {
  readonly #counters = new Map<string, Counter>();

  counter(name: string, help: string): Counter {
    const known = this.#counters.get(name);
    if (known) return known;
    const counter = new Counter(name, help);
    this.#counters.set(name, counter);
    return counter;
  }

  /** Every counter in order of its name. */
  all(): Counter[] {
    return [...this.#counters.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Counters that moved, as a plain object: for summaries and `--json`. */
  snapshot(): Record<string, number> {
    return Object.fromEntries(
      this.all()
        .filter((counter) => counter.value !== 0)
        .map((counter) => [counter.name, counter.value]),
    );
  }
}
