import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '../core/clock.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Transition } from '../model/alert.ts';
import type { Content } from './content.ts';
import { type DigestData, digestKey } from './digest.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    alert_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'dead')),
    attempts INTEGER NOT NULL,
    enqueued_at INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    last_error TEXT,
    remaining TEXT,
    answer TEXT,
    UNIQUE (channel, idempotency_key)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS outbox_state ON outbox (channel, state, seq);
  CREATE INDEX IF NOT EXISTS outbox_alert ON outbox (channel, alert_id, seq);
`;
/** A message waits for those before it of the same alert: nobody hears of an end before its beginning. */
const FIRST_OF_ALERT = `NOT EXISTS (
    SELECT 1 FROM outbox AS before WHERE before.channel = m.channel AND before.alert_id = m.alert_id
      AND before.seq < m.seq AND before.state = 'waiting')`;
const DUE = `
  SELECT seq, alert_id, idempotency_key, body, attempts, enqueued_at, remaining FROM outbox AS m
  WHERE channel = ? AND state = 'waiting' AND next_at <= ? AND ${FIRST_OF_ALERT} ORDER BY seq LIMIT ?`;
const NEXT = `
  SELECT seq, next_at FROM outbox AS m
  WHERE channel = ? AND state = 'waiting' AND ${FIRST_OF_ALERT} ORDER BY next_at LIMIT ?`;
const THREAD = `
  SELECT idempotency_key FROM outbox
  WHERE channel = ? AND alert_id = ? AND seq < ? AND state = 'done' ORDER BY seq LIMIT 50`;
const STATS = `
  SELECT channel, sum(state = 'waiting') AS waiting, sum(state = 'done') AS done, sum(state = 'dead') AS dead,
    min(CASE WHEN state = 'waiting' THEN enqueued_at END) AS oldest
  FROM outbox GROUP BY channel ORDER BY channel`;

const PRUNE_EVERY = 64;

export interface OutboxLimits {
  /** Messages waiting for one channel. Default 10,000. */
  waiting?: number;
  /** Delivered and dead messages kept for one channel, so that a message that comes again is known. Default 100,000. */
  kept?: number;
  /**
   * When as many wait as allowed: `drop_oldest` (default) moves the oldest waiting message to the dead letters,
   * `refuse_newest` moves the new one there. Both are counted.
   */
  whenFull?: 'drop_oldest' | 'refuse_newest';
}

/** A waiting message as the delivery takes it. Times are microseconds of the wall clock. */
export interface OutboxRow {
  seq: number;
  alertId: string;
  idempotencyKey: string;
  content: Content;
  attempts: number;
  enqueuedUs: number;
  remaining: string[] | null;
}

export interface ChannelStats {
  channel: string;
  waiting: number;
  done: number;
  dead: number;
  /** When the oldest waiting message came; null when nothing waits. */
  oldestUs: number | null;
}

export interface DeadLetter {
  channel: string;
  seq: number;
  alertId: string;
  idempotencyKey: string;
  attempts: number;
  error: string;
}

/**
 * Messages that must reach a channel, in the database that also holds the alerts: written in the caller's transaction,
 * so that an alert and its messages are there together or not at all. Each (channel, idempotency key) is taken once.
 */
export class Outbox {
  readonly #db: DatabaseSync;
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #limits: Required<OutboxLimits>;
  readonly #sql: Map<string, StatementSync> = new Map();
  readonly #listeners = new Set<() => void>();

  constructor(db: DatabaseSync, deps: { clock: Clock; metrics: Metrics; limits?: OutboxLimits }) {
    this.#db = db;
    this.#clock = deps.clock;
    this.#metrics = deps.metrics;
    this.#limits = { waiting: 10_000, kept: 100_000, whenFull: 'drop_oldest', ...deps.limits };
    db.exec(SCHEMA);
  }

  /**
   * Takes a transition for the channels, and for those that were told of the same alert before. To be called inside the
   * caller's transaction, which must end in the same turn of the event loop.
   * @returns how many messages are new
   */
  enqueue(transition: Transition, channels: readonly string[]): number {
    const told = this.#run('SELECT DISTINCT channel FROM outbox WHERE alert_id = ?').all(transition.alertId);
    const names = new Set([...channels, ...told.map((row) => String(row['channel']))]);
    const { alertId, idempotencyKey } = transition;
    let taken = 0;
    for (const name of names) {
      taken += this.#take(name, alertId, idempotencyKey, { kind: 'alert', alert: transition });
    }
    return taken;
  }

  /** Takes a digest; the same digest (its period) is taken once. */
  enqueueDigest(digest: DigestData, channels: readonly string[]): number {
    const key = digestKey(digest);
    let taken = 0;
    for (const name of channels) taken += this.#take(name, `digest-${key}`, key, { kind: 'digest', digest });
    return taken;
  }

  /** Calls back, in a later turn, whenever something new waits. @returns a function that ends it */
  onNew(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The first messages of a channel that may go now, each of another alert. */
  due(channel: string, limit: number): OutboxRow[] {
    return this.#run(DUE)
      .all(channel, this.#clock.nowUs(), limit)
      .map((row) => ({
        seq: Number(row['seq']),
        alertId: String(row['alert_id']),
        idempotencyKey: String(row['idempotency_key']),
        content: JSON.parse(String(row['body'])) as Content,
        attempts: Number(row['attempts']),
        enqueuedUs: Number(row['enqueued_at']),
        remaining: row['remaining'] === null ? null : (JSON.parse(String(row['remaining'])) as string[]),
      }));
  }

  /** When the next waiting message of a channel may go, leaving out those on their way; null when there is none. */
  nextUs(channel: string, flying: ReadonlySet<number>): number | null {
    const rows = this.#run(NEXT).all(channel, flying.size + 1);
    const next = rows.find((row) => !flying.has(Number(row['seq'])));
    return next ? Number(next['next_at']) : null;
  }

  /** Keys of what this channel delivered of the same alert before `row`, oldest first. */
  thread(channel: string, row: OutboxRow): string[] {
    return this.#run(THREAD)
      .all(channel, row.alertId, row.seq)
      .map((each) => String(each['idempotency_key']));
  }

  done(channel: string, row: OutboxRow, answer: Record<string, string | number>): void {
    const sql =
      "UPDATE outbox SET state = 'done', attempts = attempts + 1, last_error = NULL, answer = ?, body = '{}' WHERE seq = ? AND state = 'waiting'";
    if (this.#run(sql).run(JSON.stringify(answer), row.seq).changes > 0) this.#left(channel, row.seq);
  }

  retry(row: OutboxRow, nextUs: number, error: string, remaining: string[] | null): void {
    const sql =
      'UPDATE outbox SET attempts = attempts + 1, next_at = ?, last_error = ?, remaining = coalesce(?, remaining) WHERE seq = ?';
    this.#run(sql).run(Math.round(nextUs), error, remaining === null ? null : JSON.stringify(remaining), row.seq);
  }

  /** Gives a message up: it stays as a dead letter with the reason. */
  bury(channel: string, seq: number, error: string): void {
    const sql =
      "UPDATE outbox SET state = 'dead', attempts = attempts + 1, last_error = ? WHERE seq = ? AND state = 'waiting'";
    if (this.#run(sql).run(error, seq).changes > 0) this.#left(channel, seq);
  }

  /** A receiver that came back need not wait for the times that were set while it was away. */
  hurry(channel: string): void {
    const now = this.#clock.nowUs();
    const sql = "UPDATE outbox SET next_at = ? WHERE channel = ? AND state = 'waiting' AND next_at > ?";
    this.#run(sql).run(now, channel, now);
  }

  /** Puts the dead letters of a channel back in their places. @returns how many */
  revive(channel: string): number {
    const sql =
      "UPDATE outbox SET state = 'waiting', next_at = 0, enqueued_at = ?, attempts = 0 WHERE channel = ? AND state = 'dead'";
    const count = Number(this.#run(sql).run(this.#clock.nowUs(), channel).changes);
    if (count > 0) this.#announce();
    return count;
  }

  deadLetters(channel: string, limit = 100): DeadLetter[] {
    const sql =
      "SELECT seq, alert_id, idempotency_key, attempts, last_error FROM outbox WHERE channel = ? AND state = 'dead' ORDER BY seq DESC LIMIT ?";
    return this.#run(sql)
      .all(channel, limit)
      .map((row) => ({
        channel,
        seq: Number(row['seq']),
        alertId: String(row['alert_id']),
        idempotencyKey: String(row['idempotency_key']),
        attempts: Number(row['attempts']),
        error: String(row['last_error'] ?? ''),
      }));
  }

  stats(): ChannelStats[] {
    return this.#run(STATS)
      .all()
      .map((row) => ({
        channel: String(row['channel']),
        waiting: Number(row['waiting']),
        done: Number(row['done']),
        dead: Number(row['dead']),
        oldestUs: row['oldest'] === null ? null : Number(row['oldest']),
      }));
  }

  #take(channel: string, alertId: string, key: string, content: Content): number {
    const now = this.#clock.nowUs();
    const sql = `INSERT OR IGNORE INTO outbox
      (channel, alert_id, idempotency_key, body, state, attempts, enqueued_at, next_at) VALUES (?, ?, ?, ?, 'waiting', 0, ?, ?)`;
    const { changes, lastInsertRowid } = this.#run(sql).run(channel, alertId, key, JSON.stringify(content), now, now);
    if (changes === 0) return 0;
    const count = "SELECT count(*) AS n FROM outbox WHERE channel = ? AND state = 'waiting'";
    const waiting = Number(this.#run(count).get(channel)?.['n']);
    if (waiting > this.#limits.waiting) this.#makeRoom(channel, Number(lastInsertRowid));
    this.#announce();
    return 1;
  }

  #makeRoom(channel: string, newest: number): void {
    const sql = "SELECT min(seq) AS seq FROM outbox WHERE channel = ? AND state = 'waiting'";
    const oldest = Number(this.#run(sql).get(channel)?.['seq']);
    this.bury(channel, this.#limits.whenFull === 'drop_oldest' ? oldest : newest, 'the outbox is full');
    const name = `weir_outbox_drops_total{channel="${channel}",cause="full"}`;
    this.#metrics.counter(name, 'Messages given up because as many as allowed were waiting.').value++;
  }

  /** Forgets the oldest of what is over, now and then. */
  #left(channel: string, seq: number): void {
    if (seq % PRUNE_EVERY !== 0) return;
    const sql = `DELETE FROM outbox WHERE channel = ?1 AND state <> 'waiting' AND seq <= (
      SELECT seq FROM outbox WHERE channel = ?1 AND state <> 'waiting' ORDER BY seq DESC LIMIT 1 OFFSET ?2)`;
    this.#run(sql).run(channel, this.#limits.kept);
  }

  #announce(): void {
    for (const listener of this.#listeners) queueMicrotask(listener);
  }

  #run(sql: string): StatementSync {
    const known = this.#sql.get(sql);
    if (known) return known;
    const statement = this.#db.prepare(sql);
    this.#sql.set(sql, statement);
    return statement;
  }
}
