import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../core/clock.ts';
import { labelled, type Metrics } from '../core/metrics.ts';
import type { Transition } from '../model/alert.ts';
import type { Content, Told } from './content.ts';
import { type DigestData, digestKey } from './digest.ts';
import { type Grouping, Groups, isGroup } from './group.ts';
import { DEPTH, DUE, NEXT, OUTBOX_SCHEMA, STATS, THREAD, TO_DROP, TOLD_CHANNELS } from './outbox-sql.ts';
import { Repeats } from './repeat.ts';
import type { Target } from './route.ts';
import { Statements } from './statements.ts';

const PRUNE_EVERY = 64;

export interface OutboxLimits {
  /** Messages waiting for one channel. Default 10,000. */
  waiting?: number;
  /** Delivered and dead messages kept for one channel, so that a message that comes again is known. Default 100,000. */
  kept?: number;
  /**
   * When as many wait as allowed: `drop_oldest` (default) moves the oldest waiting message to the dead letters,
   * `drop_info_first` the oldest of severity info, or the oldest where none is,
   * `refuse_newest` moves the new one there. Both are counted.
   */
  whenFull?: keyof typeof TO_DROP;
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
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #limits: Required<OutboxLimits>;
  readonly #sql: Statements;
  readonly #groups: Groups;
  readonly #repeats: Repeats;
  readonly #listeners = new Set<() => void>();

  constructor(db: DatabaseSync, deps: { clock: Clock; metrics: Metrics; limits?: OutboxLimits }) {
    const { clock, metrics } = deps;
    this.#clock = clock;
    this.#metrics = metrics;
    this.#limits = { waiting: 10_000, kept: 100_000, whenFull: 'drop_oldest', ...deps.limits };
    db.exec(OUTBOX_SCHEMA);
    this.#sql = new Statements(db);
    this.#groups = new Groups(db, { clock, limits: this.#limits, put: (...message) => this.#take(...message) });
    const refused = (channel: string) => this.#drop(channel, 'repeats_full');
    this.#repeats = new Repeats(db, { clock, most: this.#limits.waiting, refused });
  }

  /**
   * Takes a transition for channels (a name alone: at once and once), and for those that were told of the same alert
   * before. To be called inside the caller's transaction, which must end in the same turn of the event loop.
   * @returns how many messages are new
   */
  enqueue(alert: Transition, targets: readonly (Target | string)[]): number {
    const told = this.#sql.of(TOLD_CHANNELS).all(alert.alertId);
    const all = new Map<string, Target>(told.map((row) => plain(String(row['channel']))));
    for (const target of targets) {
      const [name, whole] = typeof target === 'string' ? plain(target) : [target.channel, target];
      all.set(name, whole);
    }
    let taken = 0;
    for (const { channel, group, repeatUs } of all.values()) {
      if (!this.#tell(channel, group, { alert })) continue;
      this.#repeats.note(channel, alert, repeatUs);
      taken++;
    }
    return taken;
  }

  /** Takes a digest; the same digest (its period) is taken once. */
  enqueueDigest(digest: DigestData, channels: readonly string[]): number {
    const key = digestKey(digest);
    let taken = 0;
    for (const name of channels) {
      if (this.#take(name, `digest-${key}`, key, { kind: 'digest', digest }) > 0) taken++;
    }
    return taken;
  }

  /** Calls back, in a later turn, whenever something new waits. @returns a function that ends it */
  onNew(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The first messages of a channel that may go now, each of another alert. */
  due(channel: string, limit: number): OutboxRow[] {
    this.#repeats.fire(channel, (told) => this.#tell(channel, null, told));
    this.#groups.close(channel, this.#clock.nowUs());
    return this.#sql
      .of(DUE)
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

  /** Groups of a channel do not wait any longer. */
  closeGroups(channel: string): void {
    this.#groups.close(channel, Number.MAX_SAFE_INTEGER);
  }

  /** When a channel has something to do again, leaving out messages on their way; null when there is nothing. */
  nextUs(channel: string, flying: ReadonlySet<number>): number | null {
    const times = [this.#nextMessageUs(channel, flying), this.#groups.nextUs(channel), this.#repeats.nextUs(channel)];
    return times.reduce((least, us) => (us !== null && (least === null || us < least) ? us : least), null);
  }

  #nextMessageUs(channel: string, flying: ReadonlySet<number>): number | null {
    const rows = this.#sql.of(NEXT).all(channel, flying.size + 1);
    const next = rows.find((row) => !flying.has(Number(row['seq'])));
    return next ? Number(next['next_at']) : null;
  }

  /** Keys of what this channel delivered of the same alerts before `row`, oldest first. */
  thread(channel: string, row: OutboxRow): string[] {
    if (isGroup(row.alertId)) return this.#groups.thread(row.seq);
    return this.#sql
      .of(THREAD)
      .all(channel, row.alertId, row.seq)
      .map((each) => String(each['idempotency_key']));
  }

  done(channel: string, row: OutboxRow, answer: Record<string, string | number>): void {
    const sql =
      "UPDATE outbox SET state = 'done', attempts = attempts + 1, last_error = NULL, answer = ?, body = '{}' WHERE seq = ? AND state = 'waiting'";
    this.#sql.atomically(() => {
      if (this.#sql.of(sql).run(JSON.stringify(answer), row.seq).changes > 0) this.#left(channel, row.seq);
    });
  }

  retry(row: OutboxRow, nextUs: number, error: string, remaining: string[] | null): void {
    const sql =
      'UPDATE outbox SET attempts = attempts + 1, next_at = ?, last_error = ?, remaining = coalesce(?, remaining) WHERE seq = ?';
    this.#sql.of(sql).run(Math.round(nextUs), error, remaining === null ? null : JSON.stringify(remaining), row.seq);
  }

  /** Gives a message up: it stays as a dead letter with the reason. */
  bury(channel: string, seq: number, error: string): void {
    const sql =
      "UPDATE outbox SET state = 'dead', attempts = attempts + 1, last_error = ? WHERE seq = ? AND state = 'waiting'";
    this.#sql.atomically(() => {
      if (this.#sql.of(sql).run(error, seq).changes === 0) return;
      this.#left(channel, seq);
      const name = labelled('weir_outbox_dead_total', { channel });
      this.#metrics.counter(name, 'Messages given up: dead letters.').value++;
    });
  }

  /** A receiver that came back need not wait for the times that were set while it was away. */
  hurry(channel: string): void {
    const now = this.#clock.nowUs();
    const sql = "UPDATE outbox SET next_at = ? WHERE channel = ? AND state = 'waiting' AND next_at > ?";
    this.#sql.of(sql).run(now, channel, now);
  }

  /** Puts the dead letters of a channel back in their places. @returns how many */
  revive(channel: string): number {
    const sql =
      "UPDATE outbox SET state = 'waiting', next_at = 0, enqueued_at = ?, attempts = 0 WHERE channel = ? AND state = 'dead'";
    const count = Number(this.#sql.of(sql).run(this.#clock.nowUs(), channel).changes);
    if (count > 0) this.#announce();
    return count;
  }

  deadLetters(channel: string, limit = 100): DeadLetter[] {
    const sql =
      "SELECT seq, alert_id, idempotency_key, attempts, last_error FROM outbox WHERE channel = ? AND state = 'dead' ORDER BY seq DESC LIMIT ?";
    return this.#sql
      .of(sql)
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

  /** What waits for a channel, without counting all that ever went through it. */
  depth(channel: string): { waiting: number; oldestUs: number | null } {
    const row = this.#sql.of(DEPTH).get(channel);
    return { waiting: Number(row?.['waiting']), oldestUs: row?.['oldest'] == null ? null : Number(row['oldest']) };
  }

  stats(): ChannelStats[] {
    return this.#sql
      .of(STATS)
      .all()
      .map((row) => ({
        channel: String(row['channel']),
        waiting: Number(row['waiting']),
        done: Number(row['done']),
        dead: Number(row['dead']),
        oldestUs: row['oldest'] === null ? null : Number(row['oldest']),
      }));
  }

  /** @returns false when the channel knows of this already */
  #tell(channel: string, group: Grouping | null, told: Told): boolean {
    const { alertId, idempotencyKey } = told.alert;
    const home = this.#groups.homeOf(channel, alertId) ?? (group && this.#tells(channel, alertId) ? null : group);
    if (home === null) return this.#take(channel, alertId, idempotencyKey, { kind: 'alert', ...told }) > 0;
    const added = this.#groups.add(channel, home, told);
    if (added) this.#announce();
    return added;
  }

  /** The channel hears of this alert alone. */
  #tells(channel: string, alertId: string): boolean {
    return (
      this.#sql.of('SELECT 1 FROM outbox WHERE channel = ? AND alert_id = ? LIMIT 1').get(channel, alertId) != null
    );
  }

  /** @returns the sequence number; 0 when the channel has this key already */
  #take(channel: string, alertId: string, key: string, content: Content): number {
    const now = this.#clock.nowUs();
    const sql = `INSERT OR IGNORE INTO outbox
      (channel, alert_id, idempotency_key, body, state, attempts, enqueued_at, next_at) VALUES (?, ?, ?, ?, 'waiting', 0, ?, ?)`;
    const { changes, lastInsertRowid } = this.#sql
      .of(sql)
      .run(channel, alertId, key, JSON.stringify(content), now, now);
    if (changes === 0) return 0;
    const count = "SELECT count(*) AS n FROM outbox WHERE channel = ? AND state = 'waiting'";
    const waiting = Number(this.#sql.of(count).get(channel)?.['n']);
    if (waiting > this.#limits.waiting) this.#makeRoom(channel);
    this.#announce();
    return Number(lastInsertRowid);
  }

  #makeRoom(channel: string): void {
    const seq = this.#sql.of(TO_DROP[this.#limits.whenFull]).get(channel)?.['seq'];
    this.bury(channel, Number(seq), 'the outbox is full');
    this.#drop(channel, 'full');
  }

  #drop(channel: string, cause: 'full' | 'repeats_full'): void {
    const name = `weir_outbox_drops_total{channel="${channel}",cause="${cause}"}`;
    this.#metrics.counter(name, 'Messages given up because as many as allowed were waiting.').value++;
  }

  /** A message is over. Forgets the oldest of those, now and then. */
  #left(channel: string, seq: number): void {
    this.#repeats.ended(channel, seq);
    if (seq % PRUNE_EVERY !== 0) return;
    const sql = `DELETE FROM outbox WHERE channel = ?1 AND state <> 'waiting' AND seq <= (
      SELECT seq FROM outbox WHERE channel = ?1 AND state <> 'waiting' ORDER BY seq DESC LIMIT 1 OFFSET ?2)`;
    this.#sql.of(sql).run(channel, this.#limits.kept);
  }

  #announce(): void {
    for (const listener of this.#listeners) queueMicrotask(listener);
  }
}

function plain(channel: string): [string, Target] {
  return [channel, { channel, group: null, repeatUs: null }];
}
