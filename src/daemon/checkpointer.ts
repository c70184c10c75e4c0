import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Counter, Histogram, Metrics } from '../core/metrics.ts';
import type { StateWriter } from '../core/state.ts';
import { StateCopy } from '../core/state-copy.ts';
import type { RunStore } from './run-store.ts';

const PAUSES_S = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];

/** What the last checkpoint cost, for the log and the status. */
export interface CheckpointCost {
  epoch: number;
  bytes: number;
  /** How long the daemon stood still, and how long the disk took. */
  pauseMs: number;
  writeMs: number;
}

/**
 * Writes checkpoints at an interval. The state is copied while the daemon stands still; the file is written and synced
 * while it goes on. One that fails is noted, and the one before stays in force.
 */
export class Checkpointer {
  /** The newest that is complete. */
  epoch: number;
  last: CheckpointCost | null = null;
  problem: string | null = null;
  readonly #store: RunStore;
  readonly #logger: Logger;
  readonly #bytes: Counter;
  readonly #failures: Counter;
  readonly #pause: Histogram;
  readonly #copy = new StateCopy();
  readonly #intervalMs: () => number;
  #begun: number;
  #writing: Promise<void> | null = null;
  #startedMs = performance.now();
  #completedMs = performance.now();

  constructor(
    epoch: number,
    options: { intervalMs: () => number },
    deps: { store: RunStore; logger: Logger; metrics: Metrics },
  ) {
    this.epoch = epoch;
    this.#begun = epoch;
    this.#intervalMs = options.intervalMs;
    this.#store = deps.store;
    this.#logger = deps.logger;
    this.#bytes = deps.metrics.counter('weir_checkpoint_written_bytes_total', 'Bytes of checkpoints written.');
    this.#pause = deps.metrics.histogram(
      'weir_checkpoint_pause_seconds',
      'How long the daemon stood still for a checkpoint.',
      PAUSES_S,
    );
    this.#failures = deps.metrics.counter('weir_checkpoint_failures_total', 'Checkpoints that could not be written.');
  }

  /** It is time, and the history has become light. */
  get due(): boolean {
    if (this.#writing !== null || performance.now() - this.#startedMs < this.#intervalMs()) return false;
    return this.#store.lighten();
  }

  /** Seconds since the last complete one. */
  get ageSeconds(): number {
    return (performance.now() - this.#completedMs) / 1000;
  }

  /** Takes a checkpoint of what `save` gives; resolves when the daemon may go on. `after` hears when it is complete. */
  async take(save: () => StateWriter, after: { kept(): void }): Promise<void> {
    await this.settled();
    this.#startedMs = performance.now();
    const epoch = ++this.#begun;
    try {
      const parts = this.#copy.take(save().chunks);
      this.#store.next(epoch);
      const pauseMs = performance.now() - this.#startedMs;
      this.#pause.observe(pauseMs / 1000);
      this.#writing = this.#write(epoch, parts, pauseMs, after).finally(() => {
        this.#writing = null;
      });
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #write(epoch: number, parts: readonly Uint8Array[], pauseMs: number, after: { kept(): void }): Promise<void> {
    const startedMs = performance.now();
    const bytes = parts.reduce((sum, { length }) => sum + length, 0);
    try {
      await this.#store.write(epoch, parts);
    } catch (error) {
      this.#failed(error);
      return;
    }
    this.#completedMs = performance.now();
    this.epoch = epoch;
    after.kept();
    this.#bytes.value += bytes;
    if (this.problem !== null) this.#logger.warn({ code: 'checkpoint.recovered', epoch });
    this.problem = null;
    this.last = { epoch, bytes, pauseMs: round(pauseMs), writeMs: round(this.#completedMs - startedMs) };
    this.#logger.info({ code: 'checkpoint.written', ...this.last });
    await this.#copy.reserve(bytes);
  }

  #failed(error: unknown): void {
    this.#failures.value++;
    if (this.problem === null) this.#logger.error({ code: 'checkpoint.failed', error: messageOf(error) });
    this.problem = messageOf(error);
  }
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
