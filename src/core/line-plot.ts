import { Canvas, type Colour } from './canvas.ts';

export interface LinePlot {
  width: number;
  height: number;
  /** In order of x; NaN is a gap. */
  points: readonly { x: number; y: number }[];
  /** A dashed line across; null: none. */
  limit: number | null;
  colours: { background: Colour; grid: Colour; line: Colour; fill: Colour; limit: Colour };
}

const MARGIN = 8;
const LINE_WIDTH = 5;
const GRID_LINES = 4;
const DASH = 14;
/** Space above the largest value. */
const HEADROOM = 1.08;

/** Draws one series over time as PNG, from zero to a little over the largest value; labels are the caller's. */
export function linePlot(plot: LinePlot): Buffer {
  const canvas = new Canvas(plot.width, plot.height, plot.colours.background);
  const columns = columnsOf(plot);
  drawGrid(canvas, plot);
  for (let x = 0; x < columns.length; x++) fillColumn(canvas, plot, columns, x);
  for (let x = 0; x < columns.length; x++) strokeColumn(canvas, plot, columns, x);
  if (plot.limit !== null) drawLimit(canvas, plot, plot.limit);
  return canvas.png();
}

/** The largest value that the plot shows; its top edge is `HEADROOM` times that. */
export function plotTop({ points, limit }: Pick<LinePlot, 'points' | 'limit'>): number {
  return points.reduce((most, { y }) => Math.max(most, y || 0), limit ?? 0);
}

function scaleY(plot: LinePlot): (value: number) => number {
  const top = plotTop(plot) * HEADROOM || 1;
  const height = plot.height - 2 * MARGIN;
  return (value) => MARGIN + height * (1 - Math.max(0, value) / top);
}

/** For each column of pixels, where the line is (y in pixels); NaN where there is none. */
function columnsOf(plot: LinePlot): Float64Array {
  const columns = new Float64Array(plot.width).fill(Number.NaN);
  const { points } = plot;
  if (points.length === 0) return columns;
  const y = scaleY(plot);
  const first = points[0].x;
  const span = points[points.length - 1].x - first;
  let i = 0;
  for (let column = MARGIN; column < plot.width - MARGIN; column++) {
    const x = first + (span * (column - MARGIN)) / Math.max(1, plot.width - 2 * MARGIN - 1);
    while (i < points.length - 2 && points[i + 1].x <= x) i++;
    const from = points[i];
    const to = points[Math.min(i + 1, points.length - 1)];
    const part = to.x > from.x ? (x - from.x) / (to.x - from.x) : 0;
    columns[column] = y(from.y + (to.y - from.y) * part);
  }
  return columns;
}

function drawGrid(canvas: Canvas, plot: LinePlot): void {
  for (let line = 0; line <= GRID_LINES; line++) {
    const y = Math.round(MARGIN + ((plot.height - 2 * MARGIN) * line) / GRID_LINES);
    for (let x = MARGIN; x < plot.width - MARGIN; x++) canvas.blend(x, y, plot.colours.grid, 1);
  }
}

function fillColumn(canvas: Canvas, plot: LinePlot, columns: Float64Array, x: number): void {
  const top = columns[x];
  if (Number.isNaN(top)) return;
  for (let y = Math.floor(top); y < plot.height - MARGIN; y++) {
    canvas.blend(x, y, plot.colours.fill, Math.min(1, y + 1 - top) * 0.8);
  }
}

/** Covers the pixels near the line, softly at its edges; on a slope a line is taller in a column than it is wide. */
function strokeColumn(canvas: Canvas, plot: LinePlot, columns: Float64Array, x: number): void {
  const y = columns[x];
  if (Number.isNaN(y)) return;
  const near = [x - 2, x - 1, x + 1, x + 2].map((at) => columns[at] || y);
  const half = LINE_WIDTH / 2;
  const tall = half * Math.hypot(1, (near[2] - near[1]) / 2);
  const top = Math.max(y - tall, Math.min(y, ...near) - half);
  const bottom = Math.min(y + tall, Math.max(y, ...near) + half);
  for (let row = Math.floor(top); row <= Math.ceil(bottom); row++) {
    canvas.blend(x, row, plot.colours.line, Math.min(1, row + 1 - top, bottom - row));
  }
}

function drawLimit(canvas: Canvas, plot: LinePlot, limit: number): void {
  const y = Math.round(scaleY(plot)(limit));
  for (let x = MARGIN; x < plot.width - MARGIN; x++) {
    if (Math.floor(x / DASH) % 2 === 1) continue;
    for (let line = -1; line <= 0; line++) canvas.blend(x, y + line, plot.colours.limit, 1);
  }
}
