import { type FSWatcher, watch } from 'node:fs';

/** Calls back when something in a folder may have changed: told by the system where it can, else at every interval. */
export class FolderWatch {
  readonly #folder: string;
  readonly #everyMs: number;
  readonly #changed: () => void;
  #watcher: FSWatcher | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(folder: string, everyMs: number, changed: () => void) {
    this.#folder = folder;
    this.#everyMs = everyMs;
    this.#changed = changed;
  }

  /** Watches are lost on network file systems and when a folder is replaced, so the interval runs beside them. */
  start(): void {
    this.#watch();
    this.#timer = setInterval(() => {
      if (this.#watcher === null) this.#watch();
      this.#changed();
    }, this.#everyMs);
  }

  #watch(): void {
    try {
      this.#watcher = watch(this.#folder, this.#changed);
      this.#watcher.on('error', () => this.#lost());
    } catch {
      this.#lost();
    }
  }

  #lost(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#lost();
  }
}
