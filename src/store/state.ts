import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { messageOf, WeirError } from '../core/errors.ts';
import type { Transition } from '../model/alert.ts';

const SCHEMA_VERSION = 1;
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS transition (
    seq INTEGER PRIMARY KEY,
    idempotency_key TEXT NOT NULL UNIQUE,
    alert_id TEXT NOT NULL,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL,
    state TEXT NOT NULL,
    time TEXT NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS transition_time ON transition (time);
  CREATE INDEX IF NOT EXISTS transition_alert ON transition (alert_id, seq);
  CREATE TABLE IF NOT EXISTS position (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    epoch INTEGER NOT NULL,
    event_us REAL NOT NULL,
    sources BLOB NOT NULL
  ) STRICT;
`;

export interface AlertFilter {
  /** ISO 8601; event time. */
  since?: string;
  until?: string;
  rule?: string;
  severity?: string;
  /** Only the newest transition of alerts that fire: neither resolved nor merely pending or suppressed. */
  active?: boolean;
  limit?: number;
}

/**
 * Keeps a store for one daemon: an empty database, locked as long as the process lives, however it ends.
 * @returns what gives the store free again
 * @throws WeirError `store.locked` when another one has it
 */
export function lockStore(folder: string): () => void {
  mkdirSync(folder, { recursive: true });
  const lock = new DatabaseSync(join(folder, 'run.lock'));
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    throw new WeirError('store.locked', `another weir run uses the store ${folder}`, {
      cause,
      hint: 'stop it first, or give this one another store.path',
    });
  }
  return () => lock.close();
}

/** Opens (and makes) the state database of a store folder. One writer; readers may look at the same time. */
export function openState(folder: string, options: { readOnly?: boolean } = {}): DatabaseSync {
  try {
    if (!options.readOnly) mkdirSync(folder, { recursive: true });
    const db = new DatabaseSync(join(folder, 'state.sqlite'), { readOnly: options.readOnly ?? false });
    db.exec('PRAGMA busy_timeout = 5000');
    if (!options.readOnly) migrate(db);
    return db;
  } catch (cause) {
    if (cause instanceof WeirError) throw cause;
    throw new WeirError('state.open', `cannot open the state in ${folder}: ${messageOf(cause)}`, {
      cause,
      hint: options.readOnly ? 'has anything been stored there? see --store and -c' : 'check the folder and its rights',
    });
  }
}

function migrate(db: DatabaseSync): void {
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (version > SCHEMA_VERSION) {
    throw new WeirError('state.version', `the state is of schema ${version}, this weir knows ${SCHEMA_VERSION}`, {
      hint: 'run the newer weir, or point store.path at another folder',
    });
  }
  db.exec(SCHEMA);
  db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
}

/** Alert transitions in the state database, each once. */
export class TransitionLog {
  readonly #db: DatabaseSync;
  readonly #insert: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#insert = db.prepare(
      'INSERT OR IGNORE INTO transition (idempotency_key, alert_id, rule, severity, state, time, body) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
  }

  /** @returns false when this transition is already there (a replay of the same input). */
  append(transition: Transition): boolean {
    const { idempotencyKey, alertId, rule, severity, state, time } = transition;
    return (
      this.#insert.run(idempotencyKey, alertId, rule, severity, state, time, JSON.stringify(transition)).changes > 0
    );
  }

  /** How far the transitions reach: to be written in their transaction. `sources` is what the sources saved. */
  position(epoch: number, eventUs: number, sources: Uint8Array): void {
    this.#db
      .prepare('INSERT OR REPLACE INTO position (only, epoch, event_us, sources) VALUES (1, ?, ?, ?)')
      .run(epoch, eventUs, sources);
  }

  /** Event time up to which the transitions were told, microseconds; -Infinity before any. */
  get reachedUs(): number {
    return Number(this.#db.prepare('SELECT event_us FROM position').get()?.['event_us'] ?? Number.NEGATIVE_INFINITY);
  }

  /** Runs several writes as one transaction. */
  transaction<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      // A full disk has ended the transaction already.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }
}

/** Stored transitions in order. */
export function readTransitions(db: DatabaseSync, filter: AlertFilter): Transition[] {
  const tests = ['true'];
  const values: string[] = [];
  for (const [sql, value] of [
    ['time >= ?', filter.since],
    ['time < ?', filter.until],
    ['rule = ?', filter.rule],
    ['severity = ?', filter.severity],
  ] as const) {
    if (value === undefined) continue;
    tests.push(sql);
    values.push(value);
  }
  if (filter.active) {
    tests.push('seq IN (SELECT max(seq) FROM transition GROUP BY alert_id)');
    tests.push("state IN ('firing', 'escalated', 'deescalated')");
  }
  const order = filter.limit === undefined ? 'ORDER BY seq' : `ORDER BY seq DESC LIMIT ${Math.floor(filter.limit)}`;
  const rows = db.prepare(`SELECT body FROM transition WHERE ${tests.join(' AND ')} ${order}`).all(...values);
  if (filter.limit !== undefined) rows.reverse();
  return rows.map((row) => JSON.parse(String(row['body'])) as Transition);
}
