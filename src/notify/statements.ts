import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** Prepared statements of one database, each made once. */
export class Statements {
  readonly #db: DatabaseSync;
  readonly #made = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  of(sql: string): StatementSync {
    const known = this.#made.get(sql);
    if (known) return known;
    const made = this.#db.prepare(sql);
    this.#made.set(sql, made);
    return made;
  }

  /** All writes of `work` or none, inside the caller's transaction or without one. */
  atomically<T>(work: () => T): T {
    this.#db.exec('SAVEPOINT notify');
    try {
      const result = work();
      this.#db.exec('RELEASE notify');
      return result;
    } catch (error) {
      this.#db.exec('ROLLBACK TO notify; RELEASE notify');
      throw error;
    }
  }
}
