import { parseDurationUs } from '../core/units.ts';
import { sqlText } from './sql-text.ts';

/** What the name of a series asks for. */
export type SeriesName = { stepUs: number } & (
  | { kind: 'series'; series: string }
  | { kind: 'windows'; rule: string; key: string; measure: string }
);

const RULE = /^rule\/([^/]+)\/(.*)\.([^.]+)$/s;

/** `NAME`, `rule/ID/KEY.MEASURE`, either with `@STEP` for means over longer steps; `stepUs` is 0 without. */
export function parseSeriesName(name: string): SeriesName {
  const at = name.lastIndexOf('@');
  const stepUs = at > 0 ? parseDurationUs(name.slice(at + 1)) || 0 : 0;
  const plain = stepUs > 0 ? name.slice(0, at) : name;
  const match = RULE.exec(plain);
  if (!match) return { kind: 'series', series: plain, stepUs };
  return { kind: 'windows', rule: match[1], key: match[2], measure: match[3], stepUs };
}

/**
 * Points `time`, `value` in order of time. A longer step is named by its end, as the steps in it are, and is there when at
 * least half of the steps that the busiest one has are.
 */
export function seriesSql(wanted: SeriesName, files: string): string {
  const points =
    wanted.kind === 'series'
      ? `SELECT time, any_value(value) AS value FROM ${files} WHERE series = ${sqlText(wanted.series)} GROUP BY time`
      : `SELECT "end" AS time, any_value(CAST(json_extract("values", ${sqlText(`$."${wanted.measure}"`)}) AS DOUBLE)) AS value
         FROM ${files} WHERE rule = ${sqlText(wanted.rule)} AND coalesce("key", '') = ${sqlText(wanted.key)} GROUP BY "end"`;
  const { stepUs } = wanted;
  if (stepUs === 0) return `SELECT time, value FROM (${points}) WHERE value IS NOT NULL ORDER BY time`;
  const end = `CAST(ceil(epoch_us(time) / ${stepUs}) * ${stepUs} AS BIGINT)`;
  const means = `SELECT ${end} AS us, avg(value) AS value, count(value) AS n FROM (${points}) GROUP BY us`;
  return `SELECT make_timestamp(us) AS time, value FROM (SELECT *, max(n) OVER () AS most FROM (${means}))
          WHERE n * 2 >= most AND value IS NOT NULL ORDER BY us`;
}
