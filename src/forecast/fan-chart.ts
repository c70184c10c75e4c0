import { Canvas, type Colour } from '../core/canvas.ts';
import { formatUs } from '../core/time.ts';
import { GLYPH_HEIGHT, textWidth } from '../core/tiny-font.ts';
import { formatNumber } from '../core/units.ts';
import type { ForecastPoint, LoadForecast } from '../model/series.ts';

export interface FanChart {
  width: number;
  height: number;
  /** Regular series up to the first forecast point, `stepUs` apart; NaN for missing. */
  values: ArrayLike<number>;
  stepUs: number;
  forecast: LoadForecast;
  /** A dashed line across, the capacity for example; null: none. */
  limit: number | null;
}

const MARGIN = 8;
const PAST = 0.6;
const HEADROOM = 1.08;
const GRID_LINES = 4;
const DASH = 14;
/** The band's upper edge counts for the scale up to this many times what is expected. */
const MOST_BAND = 3;

const BACKGROUND: Colour = [255, 255, 255];
const GRID: Colour = [228, 231, 234];
const MEASURED: Colour = [55, 71, 79];
const EXPECTED: Colour = [21, 101, 192];
const BAND: Colour = [100, 164, 232];
const LIMIT: Colour = [198, 40, 40];
const TEXT: Colour = [96, 108, 116];
/** Room for the times below. */
const FOOT = GLYPH_HEIGHT + 6;
const TIMES = 8;

/** History, forecast and its 80 and 95 % bands as PNG, from zero up, with numbers and times on the axes; for mails. */
export function fanChart(chart: FanChart): Buffer {
  const canvas = new Canvas(chart.width, chart.height, BACKGROUND);
  const inner = chart.width - 2 * MARGIN;
  const now = MARGIN + Math.round(inner * PAST);
  const ahead = columnsAhead(chart.forecast.points, chart.width - MARGIN - now);
  const past = columnsPast(chart, now - MARGIN, ahead.length);
  const top = topOf(chart, past, ahead);
  const y = scale(chart.height, top);
  grid(canvas, now);
  ahead.forEach((point, i) => {
    fill(canvas, now + i, y(point.high95), y(point.low95), 0.35);
    fill(canvas, now + i, y(point.high80), y(point.low80), 0.45);
  });
  stroke(canvas, MARGIN, past.map(y), MEASURED);
  stroke(
    canvas,
    now,
    ahead.map((point) => y(point.expected)),
    EXPECTED,
  );
  if (chart.limit !== null) dashes(canvas, Math.round(y(chart.limit)));
  levels(canvas, top);
  times(canvas, chart, now);
  return canvas.png();
}

/** One point a column of pixels. */
function columnsAhead(points: readonly ForecastPoint[], columns: number): ForecastPoint[] {
  if (points.length === 0) return [];
  return Array.from({ length: columns }, (_, x) => points[Math.floor((x * points.length) / columns)]);
}

/** The measured past at the same scale as the forecast, as far as there is any; means where steps share a column. */
function columnsPast({ values, stepUs, forecast }: FanChart, columns: number, ahead: number): number[] {
  const aheadUs = Math.max(1, forecast.points.length) * forecast.stepUs;
  const perColumn = Math.max(aheadUs / Math.max(1, ahead) / stepUs, 1e-6);
  return Array.from({ length: columns }, (_, x) => {
    const to = values.length - (columns - 1 - x) * perColumn;
    const from = Math.min(Math.ceil(to - perColumn), Math.ceil(to) - 1);
    return mean(values, Math.max(0, from), Math.ceil(to));
  });
}

function mean(values: ArrayLike<number>, from: number, to: number): number {
  let sum = 0;
  let n = 0;
  for (let i = from; i < to; i++) {
    if (Number.isNaN(values[i])) continue;
    sum += values[i];
    n++;
  }
  return n > 0 ? sum / n : Number.NaN;
}

/** The value at the upper edge. */
function topOf(chart: FanChart, past: readonly number[], ahead: readonly ForecastPoint[]): number {
  let top = chart.limit ?? 0;
  for (const value of past) if (value > top) top = value;
  for (const { high95, expected } of ahead) top = Math.max(top, Math.min(high95, MOST_BAND * expected));
  return top * HEADROOM || 1;
}

function scale(height: number, top: number): (value: number) => number {
  return (value) => Math.max(MARGIN, MARGIN + innerHeight(height) * (1 - Math.max(0, value) / top));
}

function innerHeight(height: number): number {
  return height - 2 * MARGIN - FOOT;
}

function grid(canvas: Canvas, now: number): void {
  for (let line = 0; line <= GRID_LINES; line++) {
    const y = Math.round(MARGIN + (innerHeight(canvas.height) * line) / GRID_LINES);
    for (let x = MARGIN; x < canvas.width - MARGIN; x++) canvas.blend(x, y, GRID, 1);
  }
  for (let y = MARGIN; y < MARGIN + innerHeight(canvas.height); y++) canvas.blend(now, y, GRID, 1);
}

function levels(canvas: Canvas, top: number): void {
  for (let line = 0; line < GRID_LINES; line++) {
    const y = Math.round(MARGIN + (innerHeight(canvas.height) * line) / GRID_LINES);
    canvas.text(MARGIN, y + 2, formatNumber(top * (1 - line / GRID_LINES)), TEXT);
  }
}

/** Dates where labels are most of a day apart, else times of the day; UTC. */
function times(canvas: Canvas, { forecast }: FanChart, now: number): void {
  const { points, stepUs } = forecast;
  if (points.length === 0) return;
  const perPixel = (points.length * stepUs) / (canvas.width - MARGIN - now);
  const part = perPixel * (canvas.width / TIMES) > 18 * 3600e6 ? [5, 10] : [11, 16];
  for (let i = 0; i <= TIMES; i++) {
    const x = MARGIN + ((canvas.width - 2 * MARGIN) * i) / TIMES;
    const timeUs = points[0].timeUs + (x - now) * perPixel;
    if (timeUs < 0) continue;
    const text = formatUs(Math.round(timeUs)).slice(...part);
    const left = Math.round(
      Math.max(MARGIN, Math.min(canvas.width - MARGIN - textWidth(text), x - textWidth(text) / 2)),
    );
    canvas.text(left, canvas.height - MARGIN - GLYPH_HEIGHT, text, TEXT);
  }
}

function fill(canvas: Canvas, x: number, top: number, bottom: number, share: number): void {
  for (let y = Math.round(top); y <= Math.round(bottom); y++) canvas.blend(x, y, BAND, share);
}

/** A line two pixels wide through one height a column; NaN is a gap. */
function stroke(canvas: Canvas, left: number, heights: readonly number[], colour: Colour): void {
  heights.forEach((y, i) => {
    if (Number.isNaN(y)) return;
    const before = heights[i - 1];
    const from = Number.isFinite(before) ? Math.min(before, y) : y;
    const to = Number.isFinite(before) ? Math.max(before, y) : y;
    for (let row = Math.round(from); row <= Math.round(to) + 1; row++) canvas.blend(left + i, row, colour, 1);
  });
}

function dashes(canvas: Canvas, y: number): void {
  for (let x = MARGIN; x < canvas.width - MARGIN; x++) {
    if (Math.floor(x / DASH) % 2 === 0) for (const row of [y - 1, y]) canvas.blend(x, row, LIMIT, 1);
  }
}
