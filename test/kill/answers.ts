import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DuckDBInstance } from '@duckdb/node-api';
import { StateReader } from '../../src/core/state.ts';
import { Checkpoints } from '../../src/store/store.ts';
import { weir } from '../support/cli.ts';

/** Everything a run must answer the same, however often it was interrupted: name -> text. */
export type Answers = Record<string, string>;

/** Rows added up and hashed without regard to the files they lie in. */
const QUERIES: Record<string, string> = {
  flowTotals: `SELECT count(*)::VARCHAR AS flows, sum(packetDeltaCount)::VARCHAR, sum(octetDeltaCount)::VARCHAR,
    sum(layer2OctetDeltaCount)::VARCHAR, sum(reversePacketDeltaCount)::VARCHAR, sum(reverseOctetDeltaCount)::VARCHAR
    FROM FLOWS`,
  flows: `SELECT CAST(f AS VARCHAR) AS line FROM FLOWS f ORDER BY line`,
  windows: `SELECT CAST(w AS VARCHAR) AS line FROM WINDOWS w ORDER BY line`,
  series: `SELECT CAST(s AS VARCHAR) AS line FROM SERIES s ORDER BY line`,
};

export async function answersOf(config: string, store: string): Promise<Answers> {
  const alerts = await weir(['alerts', '-c', config, '--json']);
  return { alerts: ordered(alerts.stdout), outbox: outboxKeys(store), ...(await history(store)), ...forecasts(store) };
}

/** The transitions that are about traffic, in the order in which they were stored. */
function ordered(lines: string): string {
  return lines
    .split('\n')
    .filter((line) => line !== '' && !line.includes('"rule":"weir-'))
    .join('\n');
}

function outboxKeys(store: string): string {
  const db = new DatabaseSync(join(store, 'state.sqlite'), { readOnly: true });
  const rows = db.prepare('SELECT channel, idempotency_key AS key, state FROM outbox ORDER BY channel, key').all();
  db.close();
  return rows.map((row) => `${row['channel']} ${row['key']} ${row['state']}`).join('\n');
}

async function history(store: string): Promise<Answers> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  const answers: Answers = {};
  for (const [name, sql] of Object.entries(QUERIES)) {
    const query = sql.replace(/\b(FLOWS|WINDOWS|SERIES)\b/, (kind) => {
      const files = join(store, 'history', kind.toLowerCase(), '*', '*', '*.parquet');
      return `read_parquet('${files}', union_by_name = true)`;
    });
    const rows = (await connection.runAndReadAll(query)).getRows();
    answers[name] = rows.map((row) => row.join(' ')).join('\n');
  }
  connection.closeSync();
  return answers;
}

/** The forecasters' whole state, as the checkpoint before the end of input holds it. */
function forecasts(store: string): Answers {
  const found = new Checkpoints(store).newest();
  const loads = found ? sectionBytes(found.body, ['engine', 'loads']) : new Uint8Array(0);
  return { forecasts: `${loads.length} bytes ${createHash('sha256').update(loads).digest('hex')}` };
}

function sectionBytes(body: Uint8Array, names: string[]): Uint8Array {
  let bytes = body;
  for (const name of names) {
    const reader = new StateReader(bytes);
    for (bytes = new Uint8Array(0); !reader.done; ) {
      const found = reader.text();
      const content = reader.bytes();
      if (found === name) {
        bytes = content;
        break;
      }
    }
  }
  return bytes;
}

/** Names of what differs, with the first line that does. */
export function differences(one: Answers, other: Answers): string[] {
  return Object.keys(one).flatMap((name) => {
    if (one[name] === other[name]) return [];
    const [a, b] = [one[name].split('\n'), other[name].split('\n')];
    const at = a.findIndex((line, i) => line !== b[i]);
    return [
      `${name}: ${a.length} and ${b.length} lines, line ${at + 1}:\n  ${a[at]?.slice(0, 600)}\n  ${b[at]?.slice(0, 600)}`,
    ];
  });
}
