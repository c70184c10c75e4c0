import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../core/clock.ts';
import type { Transition } from '../model/alert.ts';
import type { Content, Told } from './content.ts';
import { keyHash } from './key-hash.ts';
import { Statements } from './statements.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS outbox_member (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    group_id TEXT NOT NULL,
    alert_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    body TEXT NOT NULL,
    wait_us INTEGER NOT NULL,
    interval_us INTEGER NOT NULL,
    enqueued_at INTEGER NOT NULL,
    message INTEGER,
    UNIQUE (channel, idempotency_key)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS outbox_member_open ON outbox_member (channel, group_id, seq) WHERE message IS NULL;
  CREATE INDEX IF NOT EXISTS outbox_member_by_alert ON outbox_member (alert_id, channel, seq);
  CREATE INDEX IF NOT EXISTS outbox_member_message ON outbox_member (message);
  CREATE TABLE IF NOT EXISTS outbox_group (
    channel TEXT NOT NULL,
    group_id TEXT NOT NULL,
    ready_at INTEGER,
    quiet_until INTEGER NOT NULL,
    PRIMARY KEY (channel, group_id)
  ) STRICT;
`;
const OPEN = 'channel = ? AND group_id = ? AND message IS NULL';
/** The first member opens the group; the others come with it. */
const OPEN_GROUP = `
  INSERT INTO outbox_group (channel, group_id, ready_at, quiet_until) VALUES (?, ?, ?, 0)
  ON CONFLICT DO UPDATE SET ready_at = coalesce(ready_at, max(excluded.ready_at, quiet_until))`;
const THREAD = `
  SELECT DISTINCT earlier.idempotency_key FROM outbox_member AS mine
  JOIN outbox_member AS other ON other.channel = mine.channel AND other.alert_id = mine.alert_id
  JOIN outbox AS earlier ON earlier.seq = other.message
  WHERE mine.message = ?1 AND earlier.seq < ?1 AND earlier.state = 'done' ORDER BY earlier.seq DESC LIMIT 50`;
const PRUNE = `
  DELETE FROM outbox_member WHERE channel = ?1 AND message IS NOT NULL AND seq <= (
    SELECT seq FROM outbox_member WHERE channel = ?1 AND message IS NOT NULL ORDER BY seq DESC LIMIT 1 OFFSET ?2)`;
/** A message of more would be cut by the programs that show mail. */
const MOST_ALERTS = 200;

/** The group of an alert and its times. */
export interface Grouping {
  id: string;
  waitUs: number;
  intervalUs: number;
}

/** Puts a message into the outbox. @returns its sequence number, 0 when its key is there already */
export type Put = (channel: string, alertId: string, key: string, content: Content) => number;

/** The same for alerts that agree in what `by` names: `rule`, `severity` or a field of the key. */
export function groupIdOf(alert: Transition, by: readonly string[]): string {
  const value = (name: string) => (name === 'rule' || name === 'severity' ? alert[name] : (alert.key[name] ?? null));
  return `group-${keyHash(by.map((name) => [name, value(name)]))}`;
}

/** Messages of groups have the group's id where others have that of their alert. */
export function isGroup(id: string): boolean {
  return id.startsWith('group-');
}

/**
 * Transitions that wait to be told in one message. When a group is ready its members become one message of the outbox
 * under a key made of theirs, in one step; from then on who is in it does not change, whatever happens on the way.
 */
export class Groups {
  readonly #sql: Statements;
  readonly #clock: Clock;
  readonly #limits: { waiting: number; kept: number };
  readonly #put: Put;

  constructor(db: DatabaseSync, deps: { clock: Clock; limits: { waiting: number; kept: number }; put: Put }) {
    db.exec(SCHEMA);
    this.#sql = new Statements(db);
    this.#clock = deps.clock;
    this.#limits = deps.limits;
    this.#put = deps.put;
  }

  /** An alert stays in the group of its first transition, so that what happens to it is told in order. */
  homeOf(channel: string, alertId: string): Grouping | null {
    const sql =
      'SELECT group_id, wait_us, interval_us FROM outbox_member WHERE channel = ? AND alert_id = ? ORDER BY seq DESC LIMIT 1';
    const row = this.#sql.of(sql).get(channel, alertId);
    if (!row) return null;
    return { id: String(row['group_id']), waitUs: Number(row['wait_us']), intervalUs: Number(row['interval_us']) };
  }

  /** @returns false when this transition is or was there */
  add(channel: string, { id, waitUs, intervalUs }: Grouping, told: Told): boolean {
    const now = this.#clock.nowUs();
    const sql = `INSERT OR IGNORE INTO outbox_member
      (channel, group_id, alert_id, idempotency_key, body, wait_us, interval_us, enqueued_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
    const { alertId, idempotencyKey } = told.alert;
    const values = [channel, id, alertId, idempotencyKey, JSON.stringify(told), waitUs, intervalUs, now];
    if (this.#sql.of(sql).run(...values).changes === 0) return false;
    this.#sql.of(OPEN_GROUP).run(channel, id, now + waitUs);
    if (this.#count(OPEN, channel, id) >= MOST_ALERTS) this.#close(channel, id);
    if (this.#count('channel = ? AND message IS NULL', channel) > this.#limits.waiting) this.#closeFirst(channel);
    return true;
  }

  /** Makes messages of the groups that are ready at `nowUs`. */
  close(channel: string, nowUs: number): void {
    const sql = 'SELECT group_id FROM outbox_group WHERE channel = ? AND ready_at <= ? ORDER BY ready_at, rowid';
    const ready = this.#sql.of(sql).all(channel, nowUs);
    for (const row of ready) this.#close(channel, String(row['group_id']));
  }

  /** When the next group is ready; null when none is open. */
  nextUs(channel: string): number | null {
    const row = this.#sql.of('SELECT min(ready_at) AS at FROM outbox_group WHERE channel = ?').get(channel);
    return row?.['at'] == null ? null : Number(row['at']);
  }

  /** Keys of the messages that told of the same alerts before message `seq`, oldest first. */
  thread(seq: number): string[] {
    const rows = this.#sql.of(THREAD).all(seq);
    return rows.map((row) => String(row['idempotency_key'])).reverse();
  }

  #closeFirst(channel: string): void {
    const sql = `SELECT group_id FROM outbox_group WHERE channel = ? AND ready_at IS NOT NULL ORDER BY ready_at, rowid LIMIT 1`;
    const row = this.#sql.of(sql).get(channel);
    if (row) this.#close(channel, String(row['group_id']));
  }

  /** A group of one is told as an alert alone. */
  #close(channel: string, id: string): void {
    const rows = this.#sql
      .of(`SELECT body, interval_us FROM outbox_member WHERE ${OPEN} ORDER BY seq`)
      .all(channel, id);
    const alerts = rows.map((row) => JSON.parse(String(row['body'])) as Told);
    if (alerts.length === 0) return;
    const keys = alerts.map(({ alert }) => alert.idempotencyKey);
    const single = alerts.length === 1;
    const content: Content = single ? { kind: 'alert', ...alerts[0] } : { kind: 'group', alerts };
    this.#sql.atomically(() => {
      const seq = this.#put(channel, id, single ? keys[0] : keyHash(keys), content);
      this.#sql.of(`UPDATE outbox_member SET message = ?, body = '' WHERE ${OPEN}`).run(seq, channel, id);
      this.#rest(channel, id, Number(rows[rows.length - 1]['interval_us']));
    });
  }

  /** The group is quiet for its interval. Forgets groups whose quiet is over, and the oldest members. */
  #rest(channel: string, id: string, intervalUs: number): void {
    const now = this.#clock.nowUs();
    const quiet = 'UPDATE outbox_group SET ready_at = NULL, quiet_until = ? WHERE channel = ? AND group_id = ?';
    this.#sql.of(quiet).run(now + intervalUs, channel, id);
    this.#sql.of('DELETE FROM outbox_group WHERE ready_at IS NULL AND quiet_until <= ?').run(now);
    this.#sql.of(PRUNE).run(channel, this.#limits.kept);
  }

  #count(where: string, ...values: string[]): number {
    return Number(this.#sql.of(`SELECT count(*) AS n FROM outbox_member WHERE ${where}`).get(...values)?.['n']);
  }
}
