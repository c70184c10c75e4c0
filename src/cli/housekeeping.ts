import { join } from 'node:path';
import { type ScheduledTask, schedule } from 'node-cron';
import type { Config } from '../config.ts';
import { systemClock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { trimHeap } from '../core/heap.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import { parseBytes, parseDurationUs } from '../core/units.ts';
import type { DeskReport } from '../forecast/forecast.ts';
import { applyRetention } from '../store/store.ts';
import { collectDigest } from './digest.ts';
import type { Notifier } from './notifier.ts';
import { interfaceSpeeds } from './source-option.ts';

const EVERY_HOUR = '7 * * * *';
const EVERY_MINUTE = '30 * * * * *';
/** When the last five minutes of the hour before have come in. */
const PUBLISH = '2 * * * *';

export interface HousePorts {
  config: () => Config;
  notifier: () => Notifier | null;
  /** Brings staged rows to the disk, so that a report has them. */
  flush: () => Promise<void>;
  /** Judges and publishes the load forecasts. */
  publish: () => DeskReport;
  metrics: Metrics;
  logger: Logger;
}

/** What goes on by the wall clock: forecasts and retention every hour, the digest when it is due, a tidy heap. */
export class Housekeeping {
  readonly name = 'housekeeping';
  readonly #ports: HousePorts;
  #tasks: ScheduledTask[] = [];

  constructor(ports: HousePorts) {
    this.#ports = ports;
  }

  start(): void {
    const { config, notifier } = this.#ports;
    const { digest } = config();
    this.#tasks = [
      schedule(EVERY_HOUR, () => this.#retention()),
      schedule(PUBLISH, () => this.publish()),
      schedule(EVERY_MINUTE, trimHeap),
    ];
    if (notifier() && digest.to.length > 0) {
      this.#tasks.push(schedule(digest.schedule, () => this.#digest()));
    }
  }

  /** With the configuration that is in force now. */
  async restart(): Promise<void> {
    await this.stop();
    this.start();
  }

  /** Judges and publishes the load forecasts, and tells the log. */
  publish(): void {
    const { publish, logger } = this.#ports;
    try {
      const { published, judged, fallbacks } = publish();
      logger.info({ code: 'forecast.published', published, judged });
      for (const text of fallbacks) logger.warn({ code: 'forecast.fallback' }, text);
    } catch (error) {
      logger.error({ code: 'forecast.published', error: messageOf(error) });
    }
  }

  #retention(): void {
    const { config, logger } = this.#ports;
    const { path, retention } = config().store;
    const limits = {
      ageUs: parseDurationUs(retention.age),
      seriesAgeUs: parseDurationUs(retention.series),
      size: parseBytes(retention.size),
    };
    try {
      const { hours, bytes } = applyRetention(join(path, 'history'), limits, systemClock.nowUs());
      if (hours.length > 0) logger.info({ code: 'store.retention', hours: hours.length, bytes });
    } catch (error) {
      logger.error({ code: 'store.retention', error: messageOf(error) });
    }
  }

  async #digest(): Promise<void> {
    const { config, notifier, flush, metrics, logger } = this.#ports;
    try {
      await flush();
      const { store, digest: wanted, forecast: calendar } = config();
      const digest = await collectDigest(store.path, systemClock.nowUs(), metrics, interfaceSpeeds(config()), calendar);
      notifier()?.enqueueDigest(digest, wanted.to);
      logger.info({ code: 'notify.digest', until: digest.until });
    } catch (error) {
      logger.error({ code: 'notify.digest', error: messageOf(error) });
    }
  }

  async stop(): Promise<void> {
    for (const task of this.#tasks.splice(0)) await task.destroy();
  }
}
