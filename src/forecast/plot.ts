import { formatUs } from '../core/time.ts';
import { formatNumber } from '../core/units.ts';
import type { LoadForecast } from '../model/series.ts';

const HEIGHT = 16;
const WIDTH = 96;
const LABEL = 9;
/** Share of the width that shows the past. */
const PAST = 0.6;

/**
 * History and forecast as text: `*` measured, `o` expected, `:` the 95 % band, `-` a limit. The forecast takes what it needs
 * of the width up to 40 %, the past shows as much time as fits at the same scale.
 * @param values regular series up to the first forecast point, NaN for missing
 * @param limit the capacity, for example; null: none
 */
export function plotForecast(
  values: ArrayLike<number>,
  stepUs: number,
  forecast: LoadForecast,
  limit: number | null = null,
): string[] {
  const ahead = Math.round(WIDTH * (1 - PAST));
  const columnUs = Math.max(stepUs, (forecast.points.length * forecast.stepUs) / ahead);
  const past = meansOf(values, columnUs / stepUs, WIDTH - ahead);
  const future = thinned(forecast, columnUs, ahead);
  const known = past.filter((v) => !Number.isNaN(v));
  const highest = Math.max(limit ?? 0, ...known, ...future.map((p) => Math.min(p.high95, 3 * p.expected)));
  const top = highest > 0 ? highest : 1;
  const row = (v: number) => Math.max(0, Math.min(HEIGHT - 1, Math.round((v / top) * (HEIGHT - 1))));
  const canvas = Array.from({ length: HEIGHT }, () => Array<string>(WIDTH + 1).fill(' '));
  if (limit !== null) canvas[row(limit)].fill('-');
  past.forEach((v, x) => {
    if (!Number.isNaN(v)) canvas[row(v)][x] = '*';
  });
  for (let y = 0; y < HEIGHT; y++) canvas[y][WIDTH - ahead] = '|';
  future.forEach((p, i) => {
    for (let y = row(p.low95); y <= row(p.high95); y++) canvas[y][WIDTH - ahead + 1 + i] = ':';
    canvas[row(p.expected)][WIDTH - ahead + 1 + i] = 'o';
  });
  const lines = canvas.map((cells, y) => `${label(y, top)} ${cells.join('').trimEnd()}`).reverse();
  const indent = ' '.repeat(LABEL + 1);
  const legend = `${indent}* measured   | now   o expected   : 95 % interval${limit === null ? '' : `   - ${formatNumber(limit)}`}`;
  return [...lines, indent + timesBelow(forecast, columnUs, WIDTH - ahead, future.length), legend];
}

/** When the plot begins, now, and when it ends; UTC. */
function timesBelow({ points, stepUs }: LoadForecast, columnUs: number, past: number, ahead: number): string {
  const nowUs = points[0].timeUs - stepUs;
  const text = (us: number) =>
    formatUs(Math.max(0, Math.round(us)))
      .slice(0, 16)
      .replace('T', ' ');
  const now = text(nowUs);
  const end = text(nowUs + ahead * columnUs);
  const middle = `${text(nowUs - past * columnUs).padEnd(past - Math.floor(now.length / 2))}${now}`;
  return `${middle.padEnd(Math.max(middle.length + 2, past + ahead - end.length + 1))}${end}`;
}

/** Means of groups of values, the last `columns` of them; the newest group ends with the newest value. */
function meansOf(values: ArrayLike<number>, group: number, columns: number): number[] {
  const means: number[] = [];
  for (let x = 0; x < columns; x++) {
    const from = Math.round(values.length - (columns - x) * group);
    const to = Math.round(values.length - (columns - x - 1) * group);
    let sum = 0;
    let n = 0;
    for (let i = Math.max(0, from); i < to; i++) {
      if (Number.isNaN(values[i])) continue;
      sum += values[i];
      n++;
    }
    means.push(n > 0 ? sum / n : Number.NaN);
  }
  return means;
}

function thinned({ points, stepUs }: LoadForecast, columnUs: number, columns: number) {
  const every = columnUs / stepUs;
  const count = Math.min(columns, Math.floor(points.length / every));
  return Array.from(
    { length: Math.max(1, count) },
    (_, i) => points[Math.min(points.length - 1, Math.round(i * every))],
  );
}

function label(y: number, top: number): string {
  if (y % 5 !== 0) return ' '.repeat(LABEL);
  return formatNumber((top * y) / (HEIGHT - 1)).padStart(LABEL);
}
