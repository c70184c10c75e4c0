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

/** A value that rises and falls: set, or read when somebody asks. */
export class Gauge {
  readonly name: string;
  readonly help: string;
  #value = 0;
  #read: (() => number) | null = null;

  constructor(name: string, help: string) {
    this.name = name;
    this.help = help;
  }

  get value(): number {
    return this.#read ? this.#read() : this.#value;
  }

  set value(value: number) {
    this.#value = value;
  }

  /** From now on the value is what `read` gives; NaN: there is none at present. */
  from(read: () => number): this {
    this.#read = read;
    return this;
  }
}

/** How often a value fell below each of some bounds. */
export class Histogram {
  readonly name: string;
  readonly help: string;
  readonly bounds: readonly number[];
  /** Observations in each bucket, not added up; the last one has no bound. */
  readonly counts: Float64Array;
  sum = 0;

  constructor(name: string, help: string, bounds: readonly number[]) {
    this.name = name;
    this.help = help;
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    let bucket = 0;
    while (bucket < this.bounds.length && value > this.bounds[bucket]) bucket++;
    this.counts[bucket]++;
    this.sum += value;
  }
}

/** Labels as part of a metric's name: `labelled('weir_drops_total', {cause: 'full'})`. */
export function labelled(name: string, labels: Readonly<Record<string, string>>): string {
  const escaped = (text: string) => text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value)}"`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
}

/**
 * All measurements of a process, by name. Names end in a base unit (`_total`, `_bytes`, `_seconds`); labels are part of
 * the name (`weir_drops_total{cause="table_full"}`), fixed at construction.
 */
export class Metrics {
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #histograms = new Map<string, Histogram>();

  counter(name: string, help: string): Counter {
    return known(this.#counters, name, () => new Counter(name, help));
  }

  gauge(name: string, help: string): Gauge {
    return known(this.#gauges, name, () => new Gauge(name, help));
  }

  histogram(name: string, help: string, bounds: readonly number[]): Histogram {
    return known(this.#histograms, name, () => new Histogram(name, help, bounds));
  }

  /** Every counter in order of its name. */
  all(): Counter[] {
    return sorted(this.#counters);
  }

  gauges(): Gauge[] {
    return sorted(this.#gauges);
  }

  histograms(): Histogram[] {
    return sorted(this.#histograms);
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

function known<T>(map: Map<string, T>, name: string, make: () => T): T {
  const there = map.get(name);
  if (there) return there;
  const made = make();
  map.set(name, made);
  return made;
}

function sorted<T extends { name: string }>(map: Map<string, T>): T[] {
  return [...map.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
