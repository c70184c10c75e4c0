export interface BurstOptions {
  /** Lines of one event within a period that are written. */
  most: number;
  periodMs: number;
  /** Events that are told apart; beyond them the oldest is forgotten. */
  events: number;
}

interface Entry {
  untilMs: number;
  written: number;
  held: number;
  /** Writes the last line that was held, with how many it stands for. */
  write: (repeated: number) => void;
}

/**
 * Lets an event that comes again and again through a few times a period; the rest is counted, and told once with its
 * count when the period is over.
 */
export class Burst {
  readonly #options: BurstOptions;
  readonly #nowMs: () => number;
  readonly #entries = new Map<string, Entry>();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: BurstOptions, nowMs: () => number = () => performance.now()) {
    this.#options = options;
    this.#nowMs = nowMs;
  }

  /** @param write writes the line; `repeated` is how many it stands for, 1 for a line of its own */
  pass(event: string, write: (repeated: number) => void): void {
    const { most, periodMs } = this.#options;
    const now = this.#nowMs();
    let entry = this.#entries.get(event);
    if (entry && now >= entry.untilMs) {
      this.#close(event, entry);
      entry = undefined;
    }
    if (!entry) {
      entry = { untilMs: now + periodMs, written: 0, held: 0, write };
      this.#remember(event, entry);
    }
    if (entry.written < most) {
      entry.written++;
      write(1);
      return;
    }
    entry.held++;
    entry.write = write;
    this.#arm();
  }

  /** Writes what is held. */
  flush(): void {
    for (const [event, entry] of this.#entries) this.#close(event, entry);
  }

  #remember(event: string, entry: Entry): void {
    const oldest = this.#entries.entries().next().value;
    if (this.#entries.size >= this.#options.events && oldest) this.#close(...oldest);
    this.#entries.set(event, entry);
  }

  #close(event: string, entry: Entry): void {
    this.#entries.delete(event);
    if (entry.held > 0) entry.write(entry.held);
  }

  /** The last burst is told too, though nothing comes after it. */
  #arm(): void {
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      const now = this.#nowMs();
      for (const [event, entry] of this.#entries) if (now >= entry.untilMs) this.#close(event, entry);
      if ([...this.#entries.values()].some(({ held }) => held > 0)) this.#arm();
    }, this.#options.periodMs);
    this.#timer.unref();
  }
}
