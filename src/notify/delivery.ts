import { type Clock, systemClock } from '../core/clock.ts';
import type { Component } from '../core/component.ts';
import type { Logger } from '../core/logger.ts';
import { labelled, type Metrics } from '../core/metrics.ts';
import { ChannelWorker, type WorkerOptions } from './channel-worker.ts';
import type { Channel } from './content.ts';
import type { Outbox } from './outbox.ts';

export type DeliveryOptions = Partial<WorkerOptions>;

export interface DeliveryDeps {
  outbox: Outbox;
  channels: readonly Channel[];
  metrics: Metrics;
  logger: Logger;
  clock?: Clock;
}

const DEFAULTS: WorkerOptions = {
  firstMs: 1000,
  mostMs: 300_000,
  giveUpMs: 24 * 3600_000,
  breakerAfter: 5,
  breakerPauseMs: 30_000,
  random: Math.random,
};

/** Empties the outbox, each channel at its own pace, so that a slow receiver holds up nobody else. */
export class Delivery implements Component {
  readonly name = 'notify';
  readonly #outbox: Outbox;
  readonly #clock: Clock;
  readonly #workers: ChannelWorker[];
  #running: Promise<void>[] = [];
  #forget: () => void = () => {};

  constructor(options: DeliveryOptions, deps: DeliveryDeps) {
    const { outbox, channels, metrics, logger, clock = systemClock } = deps;
    this.#outbox = outbox;
    this.#clock = clock;
    const all = { ...DEFAULTS, ...options };
    for (const { name } of channels) this.#watch(name, metrics);
    this.#workers = channels.map((channel) => new ChannelWorker(channel, all, { outbox, clock, metrics, logger }));
  }

  /** What waits, and for how long, as measurements. */
  #watch(channel: string, metrics: Metrics): void {
    const gauge = (name: string, help: string) => metrics.gauge(labelled(name, { channel }), help);
    const age = () => {
      const { oldestUs } = this.#outbox.depth(channel);
      return oldestUs === null ? 0 : Math.max(0, (this.#clock.nowUs() - oldestUs) / 1e6);
    };
    gauge('weir_outbox_waiting', 'Messages that wait for a channel.').from(() => this.#outbox.depth(channel).waiting);
    gauge('weir_outbox_oldest_seconds', 'How long the oldest waiting message waits.').from(age);
  }

  start(): void {
    if (this.#running.length > 0) return;
    this.#forget = this.#outbox.onNew(() => {
      for (const worker of this.#workers) worker.poke();
    });
    this.#running = this.#workers.map((worker) => worker.run());
  }

  /** What is on its way is cut off; it stays in the outbox and goes again under the same key. */
  async stop(): Promise<void> {
    this.#forget();
    for (const worker of this.#workers) worker.stop();
    await Promise.all(this.#running);
  }

  /** Resolves when nothing is on its way and nothing may go before the clock moves. */
  async settled(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.settled()));
  }

  /**
   * Sends open groups at once, then waits until the outbox is empty, at most `deadlineMs`.
   * @returns how many messages of these channels still wait
   */
  async drain(deadlineMs: number): Promise<number> {
    const endUs = this.#clock.nowUs() + deadlineMs * 1000;
    for (const { channel } of this.#workers) this.#outbox.closeGroups(channel.name);
    let waiting = this.#waiting();
    while (waiting > 0 && this.#clock.nowUs() < endUs) {
      await this.#clock.sleep(Math.min(DRAIN_STEP_MS, deadlineMs));
      waiting = this.#waiting();
    }
    return waiting;
  }

  #waiting(): number {
    const names = new Set(this.#workers.map((worker) => worker.channel.name));
    const stats = this.#outbox.stats().filter(({ channel }) => names.has(channel));
    return stats.reduce((sum, { waiting }) => sum + waiting, 0);
  }
}

const DRAIN_STEP_MS = 50;
