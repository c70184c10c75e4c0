import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Stateful } from '../core/state.ts';
import { parseDurationUs } from '../core/units.ts';
import type { Evaluation, Transition } from '../model/alert.ts';
import type { Names } from '../model/names.ts';
import {
  Checkpoints,
  type FoundCheckpoint,
  GuardedHistory,
  History,
  lockStore,
  newestEpoch,
  openState,
  TransitionLog,
} from '../store/store.ts';

/** Staged rows that go to their files before a checkpoint, instead of being copied again and again. */
const MUCH_ROWS = 32_768;

/** Where the sources and event time are when transitions are stored. */
export interface Position {
  epoch: number;
  eventUs: number;
  sources: Uint8Array;
}

interface StoreStart {
  again: boolean;
  waits: () => boolean;
}

/** Everything the running daemon keeps: checkpoints, transitions with their position, history. */
export class RunStore {
  readonly folder: string;
  readonly db: DatabaseSync;
  readonly checkpoints: Checkpoints;
  readonly log: TransitionLog;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #flushEveryMs: number;
  readonly #release: () => void;
  #raw!: History;
  #history!: GuardedHistory;

  constructor(
    { path: folder, flush }: { path: string; flush: string },
    { metrics, logger }: { metrics: Metrics; logger: Logger },
  ) {
    this.folder = folder;
    this.#flushEveryMs = parseDurationUs(flush) / 1000;
    this.#metrics = metrics;
    this.#logger = logger;
    this.#release = lockStore(folder);
    this.db = openState(folder);
    this.log = new TransitionLog(this.db);
    this.checkpoints = new Checkpoints(folder);
  }

  get history(): GuardedHistory {
    return this.#history;
  }

  /**
   * Opens the history as it was at the checkpoint; what was written after it goes away and comes again. A run that begins
   * keeps what there is; what it reads again replaces it, hour by hour.
   * @param options `again`: sources are read from their start when there is no checkpoint; `waits`: they may be kept waiting
   * @returns the epoch to go on from
   */
  async start(names: Names, found: FoundCheckpoint | null, options: StoreStart): Promise<number> {
    const path = join(this.folder, 'history');
    const epoch = found?.epoch ?? (await newestEpoch(path));
    const deps = { metrics: this.#metrics, logger: this.#logger };
    const supersedes = found === null && options.again ? epoch : 0;
    this.#raw = new History({ path, writer: 'run', epoch, supersedes }, { names, metrics: this.#metrics });
    this.#history = new GuardedHistory(this.#raw, { flushEveryMs: this.#flushEveryMs, waits: options.waits }, deps);
    await this.#raw.start();
    return epoch;
  }

  /** What is staged, as a checkpoint holds it. */
  get staged(): Stateful {
    return this.#raw;
  }

  /** Before a checkpoint: much history goes to its files, beside the run. @returns whether the checkpoint may be taken */
  lighten(): boolean {
    return this.#history.lighten(MUCH_ROWS);
  }

  /** What comes from now on belongs to the checkpoint after this one. */
  next(epoch: number): void {
    this.#raw.next(epoch);
  }

  write(epoch: number, parts: readonly Uint8Array[]): Promise<void> {
    return this.checkpoints.write(epoch, parts);
  }

  /** Transitions, what `also` does with the fresh ones, and the position, in one transaction. @returns the fresh ones */
  commit(told: readonly Transition[], position: Position, also: (transition: Transition) => void): Transition[] {
    return this.log.transaction(() => {
      const fresh = told.filter((transition) => this.log.append(transition));
      for (const transition of fresh) also(transition);
      this.log.position(position.epoch, position.eventUs, position.sources);
      return fresh;
    });
  }

  evaluation({ rule, keyText, startUs, endUs, holds, values }: Evaluation): void {
    const level = holds.lastIndexOf(true);
    const severity = level < 0 ? null : rule.levels[level].severity;
    this.#history.window(rule.id, keyText, startUs, endUs, severity, JSON.stringify(values));
  }

  /** Gives the store free; may be called twice. */
  close(): void {
    if (!this.db.isOpen) return;
    this.db.close();
    this.#release();
  }

  async stop(): Promise<void> {
    await this.#history.stop();
    this.close();
  }
}
