import { readFileSync } from 'node:fs';
import type { Client } from 'pg';
import { type InputError, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Counter, Metrics } from '../core/metrics.ts';
import type { StateReader, StateWriter } from '../core/state.ts';
import { parseDurationUs } from '../core/units.ts';
import { createFlowBatch } from '../model/flow-batch.ts';
import type { Intake, Source } from '../model/intake.ts';
import type { Names } from '../model/names.ts';
import type { Dialect } from './dialect.ts';
import { LogRow } from './log-row.ts';
import { mappedDialect } from './mapping.ts';
import type { SqlOptions } from './sql-options.ts';

const POLL_MS = 2000;
const TIMEOUT_MS = 30_000;

export interface SqlDeps {
  names: Names;
  metrics: Metrics;
  logger: Logger;
  /** What is there now is all there is. */
  finite: boolean;
}

/** The row that was given last. Both are 64-bit numbers as texts. */
interface SqlPosition {
  xid: string;
  id: string;
}

/**
 * Rows of a PostgreSQL table by a keyset cursor. An id alone loses rows: a slow transaction's low id appears after a fast
 * one's high id. So the cursor is (transaction, id), and only transactions below the snapshot's `xmin` are read: all of
 * those have ended, so nothing can appear behind the cursor any more (PostgreSQL, section 9.27, `pg_snapshot_xmin`). One
 * long transaction anywhere in the cluster holds newer rows back until it ends; none is lost.
 */
export class SqlSource implements Source {
  readonly name: string;
  readonly boundUs: number;
  error: InputError | null = null;
  done = false;
  readonly #options: SqlOptions;
  readonly #deps: SqlDeps;
  readonly #dialect: Dialect;
  readonly #columns: string[];
  readonly #row: LogRow;
  readonly #batch = createFlowBatch(1024);
  readonly #rows: Counter;
  readonly #bad: Counter;
  readonly #query: string;
  #position: SqlPosition = { xid: '0', id: '0' };
  #client: Client | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: SqlOptions, deps: SqlDeps) {
    this.name = options.name;
    this.boundUs = parseDurationUs(options.delay);
    this.#options = options;
    this.#deps = deps;
    this.#dialect = mappedDialect(options);
    this.#columns = Object.keys(options.fields);
    this.#row = new LogRow(deps.names, options.name);
    const counter = (what: string, help: string): Counter =>
      deps.metrics.counter(`weir_sql_${what}_total{source="${options.name}"}`, help);
    this.#rows = counter('rows', 'Rows read from PostgreSQL.');
    this.#bad = counter('bad_rows', 'Rows that are no flow.');
    this.#query = queryOf(options, this.#columns);
  }

  start(wake: () => void): void {
    const { poll } = this.#options;
    wake();
    if (!this.#deps.finite)
      this.#timer = setInterval(wake, poll === undefined ? POLL_MS : parseDurationUs(poll) / 1000);
  }

  async poll(intake: Intake, budget: number): Promise<boolean> {
    try {
      for (let given = 0; given < budget; ) {
        const rows = await this.#page();
        this.#give(rows, intake);
        given += rows.length;
        if (rows.length === this.#options.page) continue;
        this.done = this.#deps.finite;
        return false;
      }
      return true;
    } catch (cause) {
      await this.#failed(cause);
      return false;
    }
  }

  async #page(): Promise<(string | null)[][]> {
    const client = await this.#connected();
    const { xid, id } = this.#position;
    const { rows } = await client.query<(string | null)[]>({
      text: this.#query,
      values: [xid, id, this.#options.page],
      rowMode: 'array',
    });
    this.error = null;
    return rows;
  }

  async #connected(): Promise<Client> {
    if (this.#client !== null) return this.#client;
    const { url, url_file: file } = this.#options;
    const { default: pg } = await import('pg');
    const client = new pg.Client({
      connectionString: file === undefined ? url : readFileSync(file, 'utf8').trim(),
      application_name: `weir ${this.name}`,
      connectionTimeoutMillis: TIMEOUT_MS,
      query_timeout: TIMEOUT_MS,
      types: { getTypeParser: () => (text: string) => text },
    });
    client.on('error', (error) => void this.#failed(error));
    await client.connect();
    await client.query("SET TIME ZONE 'UTC'");
    this.#client = client;
    return client;
  }

  /** The next poll connects again. */
  async #failed(cause: unknown): Promise<void> {
    this.error = { code: 'sql.read', offset: 0, message: messageOf(cause) };
    this.#deps.logger.warn({ code: 'sql.read', source: this.name }, this.error.message);
    const client = this.#client;
    this.#client = null;
    await client?.end().catch(() => {});
    if (this.#deps.finite) this.done = true;
  }

  #give(rows: (string | null)[][], intake: Intake): void {
    const batch = this.#batch;
    batch.length = 0;
    for (const row of rows) {
      this.#rows.value++;
      if (this.#take(row)) this.#row.commit(batch);
      else this.#bad.value++;
      this.#position = { xid: row[0]!, id: row[1]! };
      if (batch.length < batch.capacity) continue;
      intake.flows(batch);
      batch.length = 0;
    }
    if (batch.length > 0) intake.flows(batch);
  }

  /** Transaction and id come first, then the columns. */
  #take(values: (string | null)[]): boolean {
    this.#row.reset();
    for (let c = 0; c < this.#columns.length; c++) {
      const text = values[c + 2];
      if (text === null) continue;
      const bytes = Buffer.from(text);
      if (!this.#row.put(this.#dialect.columns[this.#columns[c]], bytes, 0, bytes.length)) return false;
    }
    return this.#dialect.finish(this.#row) === null;
  }

  save(out: StateWriter): void {
    out.json(this.#position);
  }

  restore(state: StateReader): void {
    this.#position = state.json<SqlPosition>();
  }

  status(): Record<string, string | number | null> {
    return { table: this.#options.table, ...this.#position, rows: this.#rows.value, badRows: this.#bad.value };
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    const client = this.#client;
    this.#client = null;
    await client?.end().catch(() => {});
  }
}

/** Names are quoted, so nothing in them is taken for SQL. */
function queryOf({ table, id, xid }: SqlOptions, columns: readonly string[]): string {
  const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
  const from = table.split('.').map(quote).join('.');
  const wanted = [xid, id, ...columns].map(quote).join(', ');
  return (
    `SELECT ${wanted} FROM ${from} WHERE (${quote(xid)}, ${quote(id)}) > ($1::xid8, $2::bigint) ` +
    `AND ${quote(xid)} < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY ${quote(xid)}, ${quote(id)} LIMIT $3`
  );
}
