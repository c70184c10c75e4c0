import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
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
  removeStaged,
  TransitionLog,
} from '../store/store.ts';

/** Staged rows that make a file of their own at a checkpoint. */
const MUCH_ROWS = 32_768;

/** Where the sources and event time are when transitions are stored. */
export interface Position {
  epoch: number;
  eventUs: number;
  sources: Uint8Array;
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
   * Opens the history as it was at the checkpoint; what was written after it goes away and comes again. A fresh start
   * keeps what there is.
   * @returns the epoch to go on from
   */
  async start(names: Names, found: FoundCheckpoint | null, fresh: boolean): Promise<number> {
    const path = join(this.folder, 'history');
    const epoch = found?.epoch ?? (fresh ? await newestEpoch(path) : 0);
    const deps = { metrics: this.#metrics, logger: this.#logger };
    this.#raw = new History({ path, writer: 'run', epoch }, { names, metrics: this.#metrics });
    this.#history = new GuardedHistory(this.#raw, { flushEveryMs: this.#flushEveryMs }, deps);
    await this.#raw.start();
    if (found) await this.#history.attempt(() => this.#raw.recover(this.checkpoints.folder, epoch));
    return epoch;
  }

  /**
   * Copies staged history beside the checkpoint that `write` will complete; where there is much, it goes to its files
   * at once instead of being copied again and again. Throws what the disk throws.
   */
  async stage(epoch: number): Promise<void> {
    if (this.#raw.staged >= MUCH_ROWS) await this.#history.flush();
    await this.#raw.stage(this.checkpoints.folder, epoch);
  }

  async write(epoch: number, body: Uint8Array): Promise<void> {
    await this.checkpoints.write(epoch, body);
    await removeStaged(this.checkpoints.folder, this.checkpoints.oldest);
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
