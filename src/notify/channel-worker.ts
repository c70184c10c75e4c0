import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { type Histogram, labelled, type Metrics } from '../core/metrics.ts';
import { type BackoffOptions, Breaker, backoffMs } from './backoff.ts';
import type { Channel, Outcome } from './content.ts';
import type { Outbox, OutboxRow } from './outbox.ts';

/** Seconds. */
const LAG_BOUNDS = [0.1, 0.5, 1, 5, 30, 120, 600, 3600];

/** Another process (`weir notify dead --replay`) may have put something into the outbox. */
const LOOK_AGAIN_MS = 15_000;

export interface WorkerOptions extends BackoffOptions {
  /** A message that found nobody for so long becomes a dead letter. */
  giveUpMs: number;
  /** Failures in a row after which a channel rests. */
  breakerAfter: number;
  breakerPauseMs: number;
}

export interface WorkerDeps {
  outbox: Outbox;
  clock: Clock;
  metrics: Metrics;
  logger: Logger;
}

/**
 * Empties the outbox of one channel. Several messages may be on their way at once, never two of one alert; a message is
 * marked after its receiver took it, so a crash in between sends it again under the same key.
 */
export class ChannelWorker {
  readonly channel: Channel;
  readonly #options: WorkerOptions;
  readonly #deps: WorkerDeps;
  readonly #breaker: Breaker;
  readonly #lag: Histogram;
  readonly #abort = new AbortController();
  /** Sequence numbers on their way. */
  readonly #flying = new Map<number, Promise<void>>();
  /** The receiver asked for silence until then (Retry-After). */
  #pausedUntilUs = 0;
  #wake: () => void = () => {};
  #woken = false;
  #onRest = new Set<() => void>();

  constructor(channel: Channel, options: WorkerOptions, deps: WorkerDeps) {
    this.channel = channel;
    this.#options = options;
    this.#deps = deps;
    const lag = labelled('weir_notify_lag_seconds', { channel: channel.name });
    this.#lag = deps.metrics.histogram(lag, 'From an alert to its delivery.', LAG_BOUNDS);
    this.#breaker = new Breaker({ after: options.breakerAfter, pauseMs: options.breakerPauseMs });
  }

  /** Runs until `stop`. */
  async run(): Promise<void> {
    while (!this.#abort.signal.aborted) {
      this.#woken = false;
      this.#launch();
      if (!this.#woken) await this.#rest();
    }
    await Promise.all(this.#flying.values());
  }

  /** What is on its way is cut off and stays in the outbox. */
  stop(): void {
    this.#abort.abort();
    this.poke();
  }

  /** Something may be due now. */
  poke(): void {
    this.#woken = true;
    this.#wake();
  }

  /** Resolves when nothing is on its way and nothing may go before the clock moves. */
  settled(): Promise<void> {
    if (this.#flying.size === 0 && this.#dueUs() > this.#deps.clock.nowUs()) return Promise.resolve();
    return new Promise((resolve) => this.#onRest.add(resolve));
  }

  #launch(): void {
    const { outbox, clock } = this.#deps;
    const free = this.#allowed() - this.#flying.size;
    if (free <= 0 || clock.nowUs() < this.#quietUntilUs()) return;
    const rows = outbox.due(this.channel.name, free + this.#flying.size);
    for (const row of rows.filter(({ seq }) => !this.#flying.has(seq)).slice(0, free)) {
      this.#flying.set(row.seq, this.#deliver(row));
    }
  }

  /** While a channel fails, one message at a time finds out whether it is back. */
  #allowed(): number {
    return this.#breaker.isOpen ? 1 : this.channel.concurrency;
  }

  /** When the next message may go that is not on its way; Infinity when there is none. */
  #dueUs(): number {
    const nextUs = this.#deps.outbox.nextUs(this.channel.name, new Set(this.#flying.keys()));
    return nextUs === null ? Number.POSITIVE_INFINITY : Math.max(nextUs, this.#quietUntilUs());
  }

  #quietUntilUs(): number {
    return Math.max(this.#pausedUntilUs, this.#breaker.openUntilUs);
  }

  async #deliver(row: OutboxRow): Promise<void> {
    const outcome = await this.#send(row);
    this.#flying.delete(row.seq);
    if (this.#abort.signal.aborted && outcome.kind !== 'delivered') return;
    this.#settle(row, outcome);
    this.poke();
  }

  async #send(row: OutboxRow): Promise<Outcome> {
    const { content, idempotencyKey, attempts, remaining } = row;
    const thread = this.#deps.outbox.thread(this.channel.name, row);
    try {
      const message = { content, idempotencyKey, attempt: attempts + 1, thread, remaining };
      return await this.channel.send(message, this.#abort.signal);
    } catch (error) {
      return { kind: 'retry', error: messageOf(error) };
    }
  }

  #settle(row: OutboxRow, outcome: Outcome): void {
    const { outbox } = this.#deps;
    const { name } = this.channel;
    this.#count(outcome.kind);
    if (outcome.kind === 'delivered') this.#lag.observe((this.#deps.clock.nowUs() - row.enqueuedUs) / 1e6);
    if (outcome.kind === 'retry') this.#again(row, outcome);
    else if (outcome.kind === 'delivered') outbox.done(name, row, outcome.answer);
    else this.#bury(row, outcome.error);
    if (outcome.kind === 'retry' || !this.#breaker.succeed()) return;
    outbox.hurry(name);
    this.#deps.logger.info({ code: 'notify.channel_back', channel: name });
  }

  #again(row: OutboxRow, outcome: Extract<Outcome, { kind: 'retry' }>): void {
    const { outbox, clock, logger } = this.#deps;
    const now = clock.nowUs();
    this.#breaker.fail(now);
    if (outcome.retryAfterMs !== undefined) this.#pausedUntilUs = now + outcome.retryAfterMs * 1000;
    const waitMs = outcome.retryAfterMs ?? backoffMs(row.attempts + 1, this.#options);
    if (now - row.enqueuedUs >= this.#options.giveUpMs * 1000) this.#bury(row, outcome.error);
    else outbox.retry(row, now + waitMs * 1000, outcome.error, outcome.remaining ?? null);
    if (row.attempts === 0) logger.warn({ code: 'notify.retry', channel: this.channel.name, error: outcome.error });
  }

  #bury(row: OutboxRow, error: string): void {
    this.#deps.outbox.bury(this.channel.name, row.seq, error);
    this.#deps.logger.error({ code: 'notify.dead_letter', channel: this.channel.name, key: row.idempotencyKey, error });
  }

  #count(outcome: Outcome['kind']): void {
    const name = `weir_notify_attempts_total{channel="${this.channel.name}",outcome="${outcome}"}`;
    this.#deps.metrics.counter(name, 'Attempts to deliver a message, by how they ended.').value++;
  }

  /** Sleeps until something is due, or somebody pokes. */
  async #rest(): Promise<void> {
    const timer = new AbortController();
    const poked = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    const dueUs = this.#flying.size < this.#allowed() ? this.#dueUs() : Number.POSITIVE_INFINITY;
    if (this.#flying.size === 0 && dueUs > this.#deps.clock.nowUs()) this.#tellRest();
    await Promise.race([poked, this.#sleepUntil(dueUs, timer.signal)]);
    timer.abort();
  }

  #tellRest(): void {
    for (const resolve of this.#onRest) resolve();
    this.#onRest.clear();
  }

  async #sleepUntil(atUs: number, signal: AbortSignal): Promise<void> {
    const ms = Math.max(1, Math.min(LOOK_AGAIN_MS, Math.ceil((atUs - this.#deps.clock.nowUs()) / 1000)));
    await this.#deps.clock.sleep(ms, signal).catch(() => {});
  }
}
