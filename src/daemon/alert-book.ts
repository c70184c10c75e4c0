import { DatabaseSync } from 'node:sqlite';
import { Notifier } from '../cli/notifier.ts';
import type { Config } from '../config.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Counter, Metrics } from '../core/metrics.ts';
import type { PlotSource, Transition } from '../model/alert.ts';
import type { Position, RunStore } from './run-store.ts';

/** Transitions kept in memory while the database cannot be written. */
const MOST_UNSTORED = 10_000;
const RETRY_MS = 1000;

export interface BookPorts {
  store: RunStore;
  metrics: Metrics;
  logger: Logger;
  plot: PlotSource;
  drainMs: number;
  /** Hears of each transition that was not there before, once it is safe. */
  fresh: (transition: Transition) => void;
}

/**
 * Takes the transitions of a round into the store and the outbox, in one transaction with the position. When the
 * database cannot be written they go out all the same, through an outbox in memory, and are stored once it can.
 */
export class AlertBook {
  readonly #ports: BookPorts;
  readonly #unstored: Counter;
  #config: Config;
  #notifier: Notifier | null = null;
  #emergency: Notifier | null = null;
  #told: Transition[] = [];
  /** Told and sent, but not stored yet. */
  #owed: Transition[] = [];
  #problem: string | null = null;
  #triedMs = 0;

  constructor(config: Config, ports: BookPorts) {
    this.#config = config;
    this.#ports = ports;
    this.#unstored = ports.metrics.counter(
      'weir_alert_unstored_total',
      'Transitions that were sent while the database could not be written.',
    );
  }

  get problem(): string | null {
    return this.#problem;
  }

  get notifier(): Notifier | null {
    return this.#notifier;
  }

  start(): void {
    this.#notifier = this.#open(this.#ports.store.db);
  }

  #open(db: DatabaseSync): Notifier | null {
    if (this.#config.channels.length === 0) return null;
    const { metrics, plot, drainMs } = this.#ports;
    const notifier = new Notifier(this.#config, db, { metrics, plot, drainMs });
    notifier.start();
    return notifier;
  }

  /** Other channels and routes: what waits in the outbox goes out by them. */
  async reload(config: Config): Promise<void> {
    await this.#notifier?.stop();
    this.#config = config;
    this.start();
  }

  tell(transition: Transition): void {
    this.#told.push(transition);
  }

  /** At the end of a round: everything that was told in it. */
  commit(position: () => Position): void {
    const again = this.#owed.length > 0 && performance.now() - this.#triedMs >= RETRY_MS;
    if (this.#told.length === 0 && !again) return;
    this.#triedMs = performance.now();
    const told = this.#told;
    this.#told = [];
    try {
      this.#store([...this.#owed, ...told], position());
    } catch (error) {
      this.#sendAnyway(told, error);
    }
  }

  #store(all: readonly Transition[], position: Position): void {
    const { store, fresh, logger } = this.#ports;
    const sent = new Set(this.#owed.map(({ idempotencyKey }) => idempotencyKey));
    const added = store.commit(all, position, (transition) => {
      if (!sent.has(transition.idempotencyKey)) this.#notifier?.enqueue(transition);
    });
    if (this.#problem !== null) logger.warn({ code: 'state.recovered', stored: this.#owed.length });
    this.#problem = null;
    this.#owed = [];
    for (const transition of added) if (!sent.has(transition.idempotencyKey)) fresh(transition);
  }

  #sendAnyway(told: readonly Transition[], error: unknown): void {
    const { logger, fresh } = this.#ports;
    if (this.#problem === null) logger.error({ code: 'state.unwritable', error: messageOf(error) });
    this.#problem = messageOf(error);
    this.#emergency ??= this.#open(new DatabaseSync(':memory:'));
    for (const transition of told) {
      if (this.#owed.some(({ idempotencyKey }) => idempotencyKey === transition.idempotencyKey)) continue;
      this.#unstored.value++;
      this.#emergency?.enqueue(transition);
      fresh(transition);
      this.#owed.push(transition);
    }
    if (this.#owed.length > MOST_UNSTORED) this.#owed.splice(0, this.#owed.length - MOST_UNSTORED);
  }

  /** Waits for deliveries, as long as the drain may take. */
  async drain(): Promise<void> {
    await Promise.all([this.#notifier?.drain(), this.#emergency?.drain()]);
  }

  async stop(): Promise<void> {
    await this.#notifier?.stop();
    await this.#emergency?.stop();
  }
}
