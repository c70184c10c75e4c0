import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../core/clock.ts';
import type { AlertState, Transition } from '../model/alert.ts';
import type { Told } from './content.ts';
import { Statements } from './statements.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS outbox_repeat (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    alert_id TEXT NOT NULL,
    body TEXT NOT NULL,
    every_us INTEGER NOT NULL,
    repeats INTEGER NOT NULL,
    last_key TEXT NOT NULL,
    next_at INTEGER,
    UNIQUE (channel, alert_id)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS outbox_repeat_key ON outbox_repeat (channel, last_key);
  CREATE INDEX IF NOT EXISTS outbox_repeat_next ON outbox_repeat (channel, next_at);
`;
const NOTE = `
  INSERT INTO outbox_repeat (channel, alert_id, body, every_us, repeats, last_key) VALUES (?, ?, ?, ?, 0, ?)
  ON CONFLICT DO UPDATE SET body = excluded.body, every_us = excluded.every_us, repeats = 0,
    last_key = excluded.last_key, next_at = NULL`;
/** The message that carried the last key has ended, alone or in a group. */
const ENDED = `
  UPDATE outbox_repeat SET next_at = ?1 + every_us WHERE channel = ?2 AND last_key IN (
    SELECT idempotency_key FROM outbox WHERE seq = ?3
    UNION ALL SELECT idempotency_key FROM outbox_member WHERE message = ?3)`;
const FIRES: readonly AlertState[] = ['firing', 'escalated', 'deescalated'];

/**
 * Alerts that fire and are told again: their interval begins when the message before has ended, so that a receiver who
 * was away is not told the same twice at once.
 */
export class Repeats {
  readonly #sql: Statements;
  readonly #clock: Clock;
  readonly #most: number;
  readonly #refused: (channel: string) => void;

  constructor(db: DatabaseSync, deps: { clock: Clock; most: number; refused: (channel: string) => void }) {
    db.exec(SCHEMA);
    this.#sql = new Statements(db);
    this.#clock = deps.clock;
    this.#most = deps.most;
    this.#refused = deps.refused;
  }

  /** A channel is about to be told of a transition. `everyUs` null: as it was for this alert before. */
  note(channel: string, alert: Transition, everyUs: number | null): void {
    const { alertId, idempotencyKey, state } = alert;
    const known = this.#sql.of('SELECT every_us FROM outbox_repeat WHERE channel = ? AND alert_id = ?');
    const before = known.get(channel, alertId)?.['every_us'];
    const every = everyUs ?? (before === undefined ? null : Number(before));
    if (every === null) return;
    const drop = 'DELETE FROM outbox_repeat WHERE channel = ? AND alert_id = ?';
    if (!FIRES.includes(state)) this.#sql.of(drop).run(channel, alertId);
    else if (before === undefined && this.#size(channel) >= this.#most) this.#refused(channel);
    else this.#sql.of(NOTE).run(channel, alertId, JSON.stringify(alert), every, idempotencyKey);
  }

  /** A message of the outbox was delivered or given up. */
  ended(channel: string, seq: number): void {
    this.#sql.of(ENDED).run(this.#clock.nowUs(), channel, seq);
  }

  /** When the next repetition is due; null when none is. */
  nextUs(channel: string): number | null {
    const row = this.#sql.of('SELECT min(next_at) AS at FROM outbox_repeat WHERE channel = ?').get(channel);
    return row?.['at'] == null ? null : Number(row['at']);
  }

  /** Hands over what is due: the `n`th repetition has the key of its transition, `#` and n. */
  fire(channel: string, put: (told: Told) => void): void {
    const due = this.#sql.of(
      'SELECT seq, body, repeats FROM outbox_repeat WHERE channel = ? AND next_at <= ? ORDER BY next_at, seq',
    );
    const mark = this.#sql.of('UPDATE outbox_repeat SET repeats = ?, last_key = ?, next_at = NULL WHERE seq = ?');
    for (const row of due.all(channel, this.#clock.nowUs())) {
      const alert = JSON.parse(String(row['body'])) as Transition;
      const repeat = Number(row['repeats']) + 1;
      const idempotencyKey = `${alert.idempotencyKey}#${repeat}`;
      this.#sql.atomically(() => {
        mark.run(repeat, idempotencyKey, Number(row['seq']));
        put({ alert: { ...alert, idempotencyKey }, repeat });
      });
    }
  }

  #size(channel: string): number {
    return Number(this.#sql.of('SELECT count(*) AS n FROM outbox_repeat WHERE channel = ?').get(channel)?.['n']);
  }
}
