import pg from 'pg';
import { pino } from 'pino';
import { Metrics } from '../../src/core/metrics.ts';
import { StateReader, StateWriter } from '../../src/core/state.ts';
import { type SqlOptions, SqlSource } from '../../src/log/log.ts';
import { Names } from '../../src/model/names.ts';

/**
 * Rows of a real PostgreSQL (`PGURL=postgresql://weir@127.0.0.1:15432/postgres npm run test:sql`): transactions that commit
 * late, whatever their ids, and a source that is stopped and begins again.
 */
const url = process.env['PGURL'] ?? 'postgresql://weir@127.0.0.1:15432/postgres';
const table = `weir_test_${process.pid}`;
let failed = false;
const check = (good: boolean, text: string): void => {
  console.log(`${good ? 'ok  ' : 'FAIL'} ${text}`);
  failed ||= !good;
};

const client = async (): Promise<pg.Client> => {
  const made = new pg.Client({ connectionString: url });
  await made.connect();
  return made;
};
const [main, slow, fast] = [await client(), await client(), await client()];
await main.query(
  `CREATE TABLE ${table} (id bigserial PRIMARY KEY, xid xid8 NOT NULL DEFAULT pg_current_xact_id(), at timestamptz, src inet, dst inet, bytes bigint)`,
);
const insert = (by: pg.Client, bytes: number): Promise<unknown> =>
  by.query(
    `INSERT INTO ${table} (at, src, dst, bytes) VALUES ('2024-02-29 12:00:00.5+01', '192.0.2.1', '2001:db8::1', ${bytes})`,
  );

const options: SqlOptions = {
  name: 's',
  type: 'sql',
  url,
  table,
  id: 'id',
  xid: 'xid',
  page: 100,
  delay: '1m',
  fields: { at: 'flowEnd', src: 'sourceAddress', dst: 'destinationAddress', bytes: 'octetDeltaCount' },
};
const seen: number[] = [];
const ends = new Set<number>();
const intake = {
  packets() {},
  rows() {},
  series() {},
  flows(batch: { length: number; octetDeltaCount: Float64Array; endUs: Float64Array }): void {
    for (let n = 0; n < batch.length; n++) {
      seen.push(batch.octetDeltaCount[n]);
      ends.add(batch.endUs[n]);
    }
  },
};
const open = (state?: Uint8Array): SqlSource => {
  const source = new SqlSource(options, {
    names: new Names(),
    metrics: new Metrics(),
    logger: pino({ level: 'warn' }),
    finite: true,
  });
  if (state) source.restore(new StateReader(state));
  return source;
};
const saved = (source: SqlSource): Uint8Array => {
  const out = new StateWriter();
  source.save(out);
  return out.concat().slice();
};
const drain = async (source: SqlSource): Promise<void> => {
  while (await source.poll(intake, 1000));
};

try {
  await insert(main, 1);
  let source = open();
  await drain(source);
  check(seen.join() === '1', 'a committed row is given');

  await slow.query('BEGIN');
  await insert(slow, 2);
  await insert(fast, 3);
  await drain(source);
  check(seen.join() === '1', 'a row waits while an older transaction is open');
  await slow.query('COMMIT');
  await drain(source);
  check(seen.join() === '1,2,3', `both come when it has ended: ${seen.join()}`);

  // The older transaction takes the higher id: with an id alone the younger one's row would be behind the cursor.
  await slow.query('BEGIN');
  await slow.query('SELECT pg_current_xact_id()');
  await fast.query('BEGIN');
  await insert(fast, 4);
  await insert(slow, 5);
  await slow.query('COMMIT');
  await drain(source);
  const state = saved(source);
  await source.stop();
  await fast.query('COMMIT');
  source = open(state);
  await drain(source);
  check(
    [...seen].sort().join() === '1,2,3,4,5',
    `ids against the order of transactions, with a restart: ${seen.join()}`,
  );

  await main.query(
    `INSERT INTO ${table} (at, src, dst, bytes) SELECT now(), '192.0.2.1', '192.0.2.2', 5 + n FROM generate_series(1, 1000) n`,
  );
  await drain(source);
  check(
    seen.length === 1005 && new Set(seen).size === 1005,
    `pages: ${seen.length} of 1005 rows, ${new Set(seen).size} different`,
  );
  check(ends.has(Date.parse('2024-02-29T11:00:00.5Z') * 1000), 'times with an offset');
  await source.stop();
} finally {
  await main.query(`DROP TABLE ${table}`);
  for (const one of [main, slow, fast]) await one.end();
}
process.exitCode = failed ? 1 : 0;
