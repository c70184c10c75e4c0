import { DatabaseSync } from 'node:sqlite';
import { ManualClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { Metrics } from '../../src/core/metrics.ts';
import type { PlotSource } from '../../src/model/alert.ts';
import {
  type Channel,
  type ChannelOptions,
  channelOptions,
  createChannels,
  Delivery,
  type DeliveryOptions,
  Outbox,
  type OutboxLimits,
} from '../../src/notify/notify.ts';

/** 2026-11-24T03:15:20Z. */
export const START_US = Date.UTC(2026, 10, 24, 3, 15, 20) * 1000;

export interface Bench {
  db: DatabaseSync;
  clock: ManualClock;
  metrics: Metrics;
  outbox: Outbox;
  channels: Channel[];
  delivery: Delivery;
  /** Lets time pass, then waits until nothing more can happen. */
  pass(ms: number): Promise<void>;
}

export interface BenchOptions {
  db?: DatabaseSync;
  /** Goes on after a restart. */
  clock?: ManualClock;
  limits?: OutboxLimits;
  delivery?: DeliveryOptions;
  plot?: PlotSource;
  dashboard?: string;
  env?: Record<string, string>;
}

export function optionsOf(input: unknown): ChannelOptions {
  return channelOptions.parse(input);
}

/** An outbox in memory, with delivery by a clock that moves only when told to. Jitter is off. */
export function bench(channels: unknown[], options: BenchOptions = {}): Bench {
  const db = options.db ?? new DatabaseSync(':memory:');
  const clock = options.clock ?? new ManualClock(START_US);
  const metrics = new Metrics();
  const logger = silentLogger();
  const outbox = new Outbox(db, { clock, metrics, limits: options.limits });
  const made = createChannels(channels.map(optionsOf), {
    clock,
    metrics,
    logger,
    version: '0.1.0',
    dashboard: options.dashboard ?? null,
    plot: options.plot,
    baseDir: import.meta.dirname,
    env: options.env ?? {},
  });
  const delivery = new Delivery(
    { random: () => 1, ...options.delivery },
    { outbox, channels: made, metrics, logger, clock },
  );
  const pass = async (ms: number) => {
    clock.advance(ms);
    await delivery.settled();
  };
  return { db, clock, metrics, outbox, channels: made, delivery, pass };
}
