import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Counter, Metrics } from '../core/metrics.ts';
import type { FlowBatch } from '../model/flow-batch.ts';
import type { History } from './history.ts';

export interface GuardOptions {
  /** Staged rows beyond which they are given up while nothing can be written, or not as fast as they come. */
  mostRows: number;
  /** Whoever gives rows can wait, so that none is given up because they come too fast. */
  waits: () => boolean;
  /** Rows leave at the latest after this, so that queries see them. */
  flushEveryMs: number;
  /** Pause after a failure. */
  retryMs: number;
  nowMs: () => number;
}

const DEFAULTS: GuardOptions = {
  mostRows: 1 << 19,
  waits: () => true,
  flushEveryMs: 300_000,
  retryMs: 5000,
  nowMs: () => performance.now(),
};

/**
 * History that gives way: when the disk is full, read-only or broken, rows are kept as long as memory allows, then given
 * up and counted, and it goes on by itself once the disk does. Nothing here ever throws to whoever gives rows.
 */
export class GuardedHistory {
  readonly #history: History;
  readonly #options: GuardOptions;
  readonly #logger: Logger;
  readonly #gap: Counter;
  readonly #failures: Counter;
  #problem: string | null = null;
  #retryMs = 0;
  #writing: Promise<void> | null = null;
  /** Whether what was begun before a checkpoint is done; null when none waits for it. */
  #light: boolean | null = null;
  #flushedMs: number;

  constructor(
    history: History,
    options: Partial<GuardOptions>,
    { metrics, logger }: { metrics: Metrics; logger: Logger },
  ) {
    this.#history = history;
    this.#options = { ...DEFAULTS, ...options };
    this.#logger = logger;
    this.#flushedMs = this.#options.nowMs();
    this.#gap = metrics.counter('weir_history_gap_rows_total', 'Rows that the history could not keep: the disk.');
    metrics.gauge('weir_history_staged_rows', 'Rows that are not in files yet.').from(() => history.staged);
    this.#failures = metrics.counter('weir_history_failures_total', 'Times the history could not be written.');
  }

  /** Why nothing can be written at present; null when all is well. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Rows that wait in memory, also those on their way. */
  get staged(): number {
    return this.#history.staged;
  }

  /** Rows lost so far. */
  get gapRows(): number {
    return this.#gap.value;
  }

  flows(batch: FlowBatch): void {
    this.#history.flows(batch);
  }

  series(series: string, timeUs: number, value: number): void {
    this.#history.series(series, timeUs, value);
  }

  window(...window: Parameters<History['window']>): void {
    this.#history.window(...window);
  }

  /** Begins to write when enough is staged or it is time. To be awaited between rounds: back-pressure, where that may be. */
  async settle(): Promise<void> {
    if (this.#writing !== null) {
      if (!this.#history.isFull) return;
      if (!this.#options.waits()) return this.#giveUp();
      await this.#writing;
    }
    const nowMs = this.#options.nowMs();
    if (this.#problem !== null && nowMs < this.#retryMs) return this.#giveUp();
    const isDue = nowMs - this.#flushedMs >= this.#options.flushEveryMs;
    if (this.#problem !== null || this.#history.isFull || isDue) this.begin();
  }

  /** Begins to write what is staged. */
  begin(): void {
    this.#flushedMs = this.#options.nowMs();
    this.#writing = this.flush().finally(() => {
      this.#writing = null;
    });
  }

  /** Writes what is staged; a failure is noted, not thrown. */
  async flush(): Promise<void> {
    try {
      await this.#history.flush();
      if (this.#problem !== null) this.#logger.warn({ code: 'history.recovered', gapRows: this.#gap.value });
      this.#problem = null;
    } catch (error) {
      if (this.#problem === null) this.#logger.error({ code: 'history.stopped', error: messageOf(error) });
      this.#problem = messageOf(error);
      this.#failures.value++;
      this.#retryMs = this.#options.nowMs() + this.#options.retryMs;
      this.#giveUp();
    }
  }

  /**
   * Before a checkpoint, which holds all that is staged: begins to write where that is more than `most` rows, once.
   * @returns whether the checkpoint may be taken
   */
  lighten(most: number): boolean {
    if (this.#light !== null) {
      const isLight = this.#light;
      if (isLight) this.#light = null;
      return isLight;
    }
    if (this.#problem !== null || this.#history.staged <= most) return true;
    if (this.#writing === null) this.begin();
    this.#light = false;
    void this.#writing?.then(() => {
      this.#light = true;
    });
    return false;
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    await this.#writing;
  }

  #giveUp(): void {
    if (this.#history.staged <= this.#options.mostRows) return;
    const lost = this.#history.discard();
    this.#gap.value += lost;
    this.#logger.error({ code: 'history.gap', rows: lost, total: this.#gap.value });
  }

  /** What is staged and cannot be written now is lost, and counted. */
  async stop(): Promise<void> {
    await this.flush();
    if (this.#problem !== null) this.#gap.value += this.#history.discard();
    await this.#history.stop();
  }
}
