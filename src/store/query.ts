import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { WeirError } from '../core/errors.ts';
import { formatUs } from '../core/time.ts';
import { formatAddress, maskAddress } from '../model/address.ts';
import type { KeyPart, Predicate } from '../model/plan.ts';
import { parseSeriesName, seriesSql } from './series-sql.ts';
import { type FieldSql, FORWARD, predicateSql, REVERSE } from './sql.ts';
import { sqlText } from './sql-text.ts';

export interface FlowQuery {
  predicate: Predicate;
  /** Event time, microseconds: flows that were alive in [since, until). */
  sinceUs: number;
  untilUs: number;
  limit: number;
}

export interface TopQuery extends FlowQuery {
  by: KeyPart[];
  order: 'bytes' | 'packets' | 'flows';
}

export interface TopRow {
  key: Record<string, string | number | null>;
  packets: number;
  bytes: number;
  flows: number;
  firstUs: number;
  lastUs: number;
}

export interface SeriesRow {
  series: string;
  timeUs: number;
  value: number;
}

const ALWAYS = { sinceUs: Number.NEGATIVE_INFINITY, untilUs: Number.POSITIVE_INFINITY };

/** Questions to the stored history; reads Parquet files where they lie, with any number of writers beside it. */
export class HistoryReader {
  readonly #path: string;
  readonly #limits: Readonly<Record<string, string>>;
  #connection: DuckDBConnection | null = null;

  /** @param limits of DuckDB (`threads`, `memory_limit`), for a process that has other things to do */
  constructor(path: string, limits: Readonly<Record<string, string>> = {}) {
    this.#path = path;
    this.#limits = limits;
  }

  /** Flow records in order of their start, as objects with the published column names. */
  async flows(query: FlowQuery): Promise<Record<string, unknown>[]> {
    const files = this.#files('flows', query);
    if (files === null) return [];
    const forward = predicateSql(query.predicate, FORWARD);
    const reverse = predicateSql(query.predicate, REVERSE);
    return this.#rows(
      `SELECT * FROM ${files} WHERE ${timeSql(query)} AND (${forward} OR (reversePacketDeltaCount > 0 AND ${reverse}))
       ORDER BY flowStart, sourceAddress, sourceTransportPort, destinationAddress, destinationTransportPort LIMIT ${query.limit}`,
    );
  }

  /** Both directions of every flow as rows, filtered, grouped, the largest first. */
  async top(query: TopQuery): Promise<TopRow[]> {
    const files = this.#files('flows', query);
    if (files === null) return [];
    const sides = [
      side(query, FORWARD, files, 'true', '1'),
      side(query, REVERSE, files, 'reversePacketDeltaCount > 0', '0'),
    ];
    const keys = query.by.flatMap((part, i) => (isCut(part) ? [`k${i}h`, `k${i}l`] : [`k${i}`]));
    const group = keys.length > 0 ? `GROUP BY ${keys.join(', ')}` : '';
    const rows = await this.#rows(
      `SELECT ${[...keys, ''].join(', ')} sum(packets) AS packets, sum(bytes) AS bytes, sum(flows) AS flows,
       min(flowStart) AS first, max(flowEnd) AS last FROM (${sides.join(' UNION ALL ')}) ${group}
       ORDER BY ${[`${query.order} DESC`, ...keys].join(', ')} LIMIT ${query.limit}`,
    );
    return rows.filter((row) => row['packets'] !== null).map((row) => topRow(row, query.by));
  }

  /** When the newest stored flow ended; NaN without any. */
  async newestUs(): Promise<number> {
    const files = this.#files('flows', null);
    if (files === null) return Number.NaN;
    const rows = await this.#rows(`SELECT max(flowEnd) AS last FROM ${files}`);
    return Number(rows[0]['last']);
  }

  /** Names of stored series, with their span and size. */
  async seriesNames(): Promise<{ series: string; points: number; firstUs: number; lastUs: number }[]> {
    const files = this.#files('series', null);
    if (files === null) return [];
    const rows = await this.#rows(
      `SELECT series, count(*) AS points, min(time) AS first, max(time) AS last FROM ${files} GROUP BY series ORDER BY series`,
    );
    return rows.map((row) => ({
      series: String(row['series']),
      points: Number(row['points']),
      firstUs: Number(row['first']),
      lastUs: Number(row['last']),
    }));
  }

  /**
   * Points of one series in order of time. `total.bps@1h` is its hourly means; `rule/ID/KEY.MEASURE` is a measure of a rule
   * as its windows had it. Of a span, the points in `sinceUs <= time < untilUs`.
   */
  async series(name: string, span = ALWAYS): Promise<SeriesRow[]> {
    const wanted = parseSeriesName(name);
    const files = this.#files(wanted.kind, { ...span, sinceUs: span.sinceUs - wanted.stepUs });
    if (files === null) return [];
    const rows = await this.#rows(seriesSql(wanted, files));
    return rows
      .map((row) => ({ series: name, timeUs: Number(row['time']), value: Number(row['value']) }))
      .filter(({ timeUs }) => timeUs >= span.sinceUs && timeUs < span.untilUs);
  }

  close(): void {
    this.#connection?.closeSync();
    this.#connection = null;
  }

  /** The files of a kind whose hour may hold what is asked for, as SQL; null without any. */
  #files(kind: string, span: { sinceUs: number; untilUs: number } | null): string | null {
    const root = join(this.#path, kind);
    if (!existsSync(root)) return null;
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.parquet'))
      .filter((file) => span === null || mayHold(file, span.untilUs))
      .filter((file) => span === null || kind === 'flows' || !endsBefore(file, span.sinceUs))
      .sort();
    if (files.length === 0) return null;
    return `read_parquet([${files.map((file) => sqlText(join(root, file))).join(', ')}], union_by_name = true)`;
  }

  async #rows(sql: string): Promise<Record<string, unknown>[]> {
    try {
      this.#connection ??= await connect(this.#limits);
      const reader = await this.#connection.runAndReadAll(sql);
      return reader.getRowObjects().map(plainRow);
    } catch (cause) {
      throw new WeirError('query.failed', `the history in ${this.#path} cannot be read`, { cause });
    }
  }
}

/** DuckDB takes longer to load than most commands to run. */
async function connect(limits: Readonly<Record<string, string>>): Promise<DuckDBConnection> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  return (await DuckDBInstance.create(':memory:', { ...limits })).connect();
}

const HOUR = /(\d{4}-\d{2}-\d{2})[/\\](\d{2})[/\\]/;

/** A file of hour H holds flows that start in it; those that start after the span cannot matter. */
function mayHold(file: string, untilUs: number): boolean {
  const match = HOUR.exec(file);
  return !match || Date.parse(`${match[1]}T${match[2]}:00:00Z`) * 1000 < untilUs;
}

/** Points and windows stand in the hour of their time; flows in that of their start. */
function endsBefore(file: string, sinceUs: number): boolean {
  const match = HOUR.exec(file);
  return match !== null && Date.parse(`${match[1]}T${match[2]}:59:59.999Z`) * 1000 + 999 < sinceUs;
}

function timeSql(query: FlowQuery): string {
  const tests = ['true'];
  if (Number.isFinite(query.sinceUs)) tests.push(`flowEnd >= make_timestamp(${Math.floor(query.sinceUs)})`);
  if (Number.isFinite(query.untilUs)) tests.push(`flowStart < make_timestamp(${Math.floor(query.untilUs)})`);
  return tests.join(' AND ');
}

function side(query: TopQuery, fields: FieldSql, files: string, extra: string, flows: string): string {
  const keys = query.by.flatMap((part, i) => {
    if (!isCut(part)) return [`${fields[part.field]} AS k${i}`];
    const [high, low] = halves(part.field, fields);
    return [`${high} AS k${i}h`, maskLow(high, low, part, i)];
  });
  return `SELECT ${[...keys, ''].join(', ')} ${fields['packets']} AS packets, ${fields['bytes']} AS bytes, ${flows} AS flows,
    flowStart, flowEnd FROM ${files} WHERE ${timeSql(query)} AND ${extra} AND ${predicateSql(query.predicate, fields)}`;
}

/** Addresses are cut to prefixes by their halves; outer ones are kept as texts only, so they are keys as a whole. */
function isCut({ prefix, field }: KeyPart): boolean {
  if (!prefix || !field.startsWith('outer.')) return prefix !== null;
  if (prefix.ipv4 === 32 && prefix.ipv6 === 128) return false;
  throw new WeirError('query.field', `${field} cannot be cut to networks`, { hint: `--by ${field}` });
}

/** Both halves of an address; inner ones are there where a tunnel was opened. */
function halves(field: string, fields: FieldSql): [string, string] {
  const inner = field.startsWith('inner.');
  const end = field.replace('inner.', '').slice(0, 3);
  const half = (name: string): string => {
    const sql = fields[`${end}.${name}`];
    return inner ? `(CASE WHEN outerSourceAddress IS NOT NULL THEN ${sql} END)` : sql;
  };
  return [half('high'), half('low')];
}

/** IPv4 lives in the low half (`::ffff:a.b.c.d`), so its prefix cuts there; IPv6 prefixes to /64 drop the low half. */
function maskLow(high: string, low: string, part: KeyPart, i: number): string {
  const { ipv4, ipv6 } = part.prefix ?? { ipv4: 32, ipv6: 128 };
  const cut4 = 2n ** BigInt(32 - ipv4);
  const cut6 = 2n ** BigInt(Math.min(64, 128 - ipv6));
  const mapped = `${high} = 0 AND ${low} >> 32 = 65535`;
  const cut = (step: bigint) => `${low} - (${low} % CAST(${step} AS UBIGINT))`;
  const cutLow6 = cut6 === 2n ** 64n ? 'CAST(0 AS UBIGINT)' : cut(cut6);
  return `CASE WHEN ${mapped} THEN ${cut(cut4)} ELSE ${cutLow6} END AS k${i}l`;
}

function topRow(row: Record<string, unknown>, by: KeyPart[]): TopRow {
  const key: TopRow['key'] = {};
  by.forEach((part, i) => {
    const value = isCut(part) ? addressKey(row[`k${i}h`], row[`k${i}l`], part) : row[`k${i}`];
    key[part.field] = (value ?? null) as string | number | null;
  });
  return {
    key,
    packets: Number(row['packets']),
    bytes: Number(row['bytes']),
    flows: Number(row['flows']),
    firstUs: Number(row['first']),
    lastUs: Number(row['last']),
  };
}

function addressKey(high: unknown, low: unknown, part: KeyPart): string | null {
  if (typeof high !== 'bigint' || typeof low !== 'bigint') return null;
  const words = new Int32Array(4);
  [high >> 32n, high, low >> 32n, low].forEach((value, i) => {
    words[i] = Number(BigInt.asIntN(32, value));
  });
  const { ipv4, ipv6 } = part.prefix ?? { ipv4: 32, ipv6: 128 };
  const mapped = words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
  maskAddress(words, 0, mapped ? 96 + ipv4 : ipv6);
  const whole = mapped ? ipv4 === 32 : ipv6 === 128;
  return whole ? formatAddress(words) : `${formatAddress(words)}/${mapped ? ipv4 : ipv6}`;
}

/** Timestamps to microseconds, big integers to numbers where they are exact (address halves stay as they are). */
function plainRow(row: Record<string, unknown>): Record<string, unknown> {
  for (const name in row) {
    const value = row[name];
    if (typeof value === 'object' && value !== null && 'micros' in value) row[name] = Number(value.micros);
    else if (typeof value === 'bigint' && !/^k\d+[hl]$|High$|Low$/.test(name)) row[name] = Number(value);
  }
  return row;
}

/** Microseconds of a query row as ISO text. */
export function isoTime(us: unknown): string {
  return formatUs(Number(us));
}
