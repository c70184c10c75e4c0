import { join } from 'node:path';
import type { Metrics } from '../core/metrics.ts';
import { formatUs, parseTimeUs } from '../core/time.ts';
import { formatDuration, formatNumber, formatQuantity } from '../core/units.ts';
import { type CalendarOptions, calendarForecasters, forecasters, recordText } from '../forecast/forecast.ts';
import type { Transition } from '../model/alert.ts';
import type { KeyPart } from '../model/plan.ts';
import type { Key } from '../model/window-result.ts';
import type { DigestData } from '../notify/notify.ts';
import { HistoryReader, openState, readForecastRecords, readTransitions, type TopRow } from '../store/store.ts';
import { filling, peakText, type SpeedOf } from './load-picture.ts';

const DAY_US = 86400e6;
/** The published record looks back this far. */
const RECORD_US = 30 * DAY_US;
const TOP = 5;
const MOST_FORECASTS = 4;
const ADDRESS = { ipv4: 32, ipv6: 128 };

/** The report of the day that ends at `untilUs`: from stored alerts, flows and series, and this process's counters. */
export async function collectDigest(
  folder: string,
  untilUs: number,
  metrics: Metrics,
  speedOf: (key: Key) => number = () => Number.NaN,
  calendar: CalendarOptions = {},
): Promise<DigestData> {
  const fromUs = untilUs - DAY_US;
  const db = openState(folder, { readOnly: true });
  const transitions = readTransitions(db, { since: formatUs(fromUs), until: formatUs(untilUs) });
  const told = readForecastRecords(db, untilUs - RECORD_US).filter(({ horizonUs }) => horizonUs >= DAY_US);
  db.close();
  const reader = new HistoryReader(join(folder, 'history'));
  try {
    const now = await traffic(reader, fromUs, untilUs);
    const before = await traffic(reader, fromUs - DAY_US, fromUs);
    return {
      title: 'Daily report',
      from: formatUs(fromUs),
      until: formatUs(untilUs),
      alerts: alertRows(transitions, untilUs),
      talkers: [
        await talkers(reader, 'Top senders', 'src.ip', fromUs, untilUs),
        await talkers(reader, 'Top receivers', 'dst.ip', fromUs, untilUs),
      ],
      totals: [
        { name: 'bytes', value: formatQuantity(now.bytes, 'bytes'), change: change(now.bytes, before.bytes) },
        { name: 'packets', value: formatNumber(now.packets), change: change(now.packets, before.packets) },
        { name: 'flows', value: formatNumber(now.flows), change: change(now.flows, before.flows) },
      ],
      forecasts: [
        ...(await forecastLines(reader, (exporter, port) => speedOf({ exporter, in_if: port }), calendar)),
        ...told
          .sort((a, b) => b.n - a.n)
          .slice(0, MOST_FORECASTS)
          .map(recordText),
      ],
      drops: metrics
        .all()
        .filter(isDrop)
        .map(({ name, value }) => ({ cause: name, count: value })),
    };
  } finally {
    reader.close();
  }
}

const isDrop = ({ name, value }: { name: string; value: number }): boolean =>
  value > 0 && /drop|late|refused|evicted|error/.test(name);

function alertRows(transitions: Transition[], untilUs: number): DigestData['alerts'] {
  const byAlert = Map.groupBy(transitions, ({ alertId }) => alertId);
  const rows = new Map<string, DigestData['alerts'][number] & { longestUs: number }>();
  for (const episode of byAlert.values()) {
    const fired = episode.filter(({ state }) => state === 'firing' || state === 'escalated').at(-1);
    if (!fired) continue;
    const last = episode[episode.length - 1];
    const active = last.state !== 'resolved';
    const longestUs = (active ? untilUs : parseTimeUs(last.time)) - parseTimeUs(fired.since);
    const id = `${fired.rule} ${fired.severity}`;
    const { rule, title, severity } = fired;
    const row = rows.get(id) ?? { rule, title, severity, count: 0, active: 0, longest: '', longestUs: 0 };
    row.count++;
    if (active) row.active++;
    row.longestUs = Math.max(row.longestUs, longestUs);
    rows.set(id, row);
  }
  return [...rows.values()]
    .sort((a, b) => b.count - a.count || (a.rule < b.rule ? -1 : 1))
    .map(({ longestUs, ...row }) => ({ ...row, longest: formatDuration(longestUs) }));
}

async function traffic(reader: HistoryReader, sinceUs: number, untilUs: number): Promise<TopRow> {
  const span = { predicate: { op: 'true' as const }, sinceUs, untilUs, limit: 1 };
  const [row] = await reader.top({ ...span, by: [], order: 'bytes' });
  return row ?? { key: {}, packets: 0, bytes: 0, flows: 0, firstUs: 0, lastUs: 0 };
}

async function talkers(reader: HistoryReader, title: string, field: string, sinceUs: number, untilUs: number) {
  const by: KeyPart[] = [{ field, prefix: ADDRESS }];
  const rows = await reader.top({ predicate: { op: 'true' }, sinceUs, untilUs, limit: TOP, by, order: 'bytes' });
  const total = rows.reduce((sum, row) => sum + row.bytes, 0);
  return {
    title,
    rows: rows.map((row) => ({
      name: String(row.key[field] ?? '-'),
      amount: formatQuantity(row.bytes, 'bytes'),
      share: total > 0 ? row.bytes / total : 0,
    })),
  };
}

function change(now: number, before: number): string | null {
  if (before === 0) return null;
  const percent = Math.round((100 * (now - before)) / before);
  return `${percent >= 0 ? '+' : ''}${percent}%`;
}

/** Sentences for the longest stored interface and total loads: the peak of the coming day, when the line is full. */
async function forecastLines(reader: HistoryReader, speedOf: SpeedOf, calendar: CalendarOptions): Promise<string[]> {
  const factory = calendarForecasters(forecasters, calendar);
  const names = (await reader.seriesNames()).filter(
    ({ series }) => /^(interface|total)/.test(series) && series.endsWith('.bps'),
  );
  const lines: string[] = [];
  for (const { series } of names.sort((a, b) => b.points - a.points).slice(0, MOST_FORECASTS)) {
    const points = await reader.series(series);
    const stepUs = points.length > 1 ? points[1].timeUs - points[0].timeUs : 0;
    if (!(stepUs > 0)) continue;
    const model = factory.create({ stepUs });
    for (const { timeUs, value } of points) model.update(timeUs, value);
    const forecast = model.forecast(Math.round(DAY_US / model.forecast(1).stepUs));
    if (forecast.learned && forecast.points.length > 0) lines.push(`${series}: ${peakText(forecast)}`);
    const full = filling(series, model, speedOf);
    if (full !== null) lines.push(`${series}: ${full}`);
  }
  return lines;
}
