import type { DatabaseSync } from 'node:sqlite';
import packageJson from '../../package.json' with { type: 'json' };
import type { Config } from '../config.ts';
import { systemClock } from '../core/clock.ts';
import { WeirError } from '../core/errors.ts';
import { createLogger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { PlotSource, Transition } from '../model/alert.ts';
import { type Channel, createChannels, Delivery, type DigestData, Outbox, Router } from '../notify/notify.ts';
import { notice } from './progress.ts';

/** The channels of a configuration, ready to send. */
export function openChannels(config: Config, metrics: Metrics, plot?: PlotSource): Channel[] {
  return createChannels(config.channels, {
    baseDir: config.folder,
    env: process.env,
    clock: systemClock,
    metrics,
    logger: createLogger(),
    version: packageJson.version,
    dashboard: config.http.url ?? null,
    plot,
  });
}

/** Takes transitions into the outbox, in the caller's transaction, and delivers them beside the replay. */
export class Notifier {
  readonly #outbox: Outbox;
  readonly #router: Router;
  readonly #delivery: Delivery;
  readonly #drainMs: number;

  constructor(config: Config, db: DatabaseSync, options: { metrics: Metrics; plot: PlotSource; drainMs: number }) {
    const { metrics, plot } = options;
    if (config.channels.length === 0) {
      throw new WeirError('config.channels', 'the configuration has no channels to notify', { hint: 'add channels:' });
    }
    const channels = openChannels(config, metrics, plot);
    this.#drainMs = options.drainMs;
    const { max: waiting, when_full: whenFull } = config.outbox;
    this.#outbox = new Outbox(db, { clock: systemClock, metrics, limits: { waiting, whenFull } });
    this.#router = new Router(config.routes, channels);
    this.#delivery = new Delivery({}, { outbox: this.#outbox, channels, metrics, logger: createLogger() });
  }

  start(): void {
    this.#delivery.start();
  }

  /** What is on its way is cut off and goes again, under the same key, by whoever opens the outbox next. */
  stop(): Promise<void> {
    return this.#delivery.stop();
  }

  enqueue(transition: Transition): void {
    this.#outbox.enqueue(transition, this.#router.targetsFor(transition));
  }

  enqueueDigest(digest: DigestData, channels: readonly string[]): void {
    this.#outbox.enqueueDigest(digest, channels);
  }

  /** Waits for what is on its way; says what stays in the outbox for the next run. */
  async drain(): Promise<void> {
    const waiting = await this.#delivery.drain(this.#drainMs);
    await this.#delivery.stop();
    for (const { channel, done, dead } of this.#outbox.stats()) {
      notice(`${channel}: ${done} delivered${dead > 0 ? `, ${dead} given up (weir notify dead)` : ''}`);
    }
    if (waiting > 0) notice(`${waiting} notifications still wait; the next run with this store sends them`);
  }
}
