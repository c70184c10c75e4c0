/**
 * The scoring rules of the Numenta Anomaly Benchmark, standard profile, written from the published description (Lavin and
 * Ahmad 2015, arXiv 1510.03336): a detection inside a labelled window earns more the earlier it is, only the best one
 * counts; a missed window costs 1; each detection outside costs up to 0.11, less right behind a window. The first 15 % of a
 * series (at most 750 rows) are a probation without scores. One threshold for all series, the best one.
 */
export interface LabelledSeries {
  name: string;
  /** Positions of the first and last row of each window. */
  windows: [number, number][];
  scores: ArrayLike<number>;
}

const FALSE_POSITIVE = 0.11;
const MISSED = 1;

function fading(position: number): number {
  return position > 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1;
}

interface Row {
  score: number;
  gain: number;
  /** Number of the window in the whole corpus, -1 outside. */
  window: number;
}

function rowsOf(series: LabelledSeries, firstWindow: number): Row[] {
  const n = series.scores.length;
  const probation = Math.floor(Math.min(0.15 * n, 0.15 * 5000));
  const rows: Row[] = [];
  for (let i = probation; i < n; i++) {
    const w = series.windows.findIndex(([from, to]) => i >= from && i <= to);
    rows.push({ score: series.scores[i], gain: gainOf(series.windows, w, i), window: w < 0 ? -1 : firstWindow + w });
  }
  return rows;
}

function gainOf(windows: [number, number][], inside: number, i: number): number {
  if (inside >= 0) {
    const [from, to] = windows[inside];
    return fading(-(to - i + 1) / (to - from + 1)) / fading(-1);
  }
  const before = windows.filter(([, to]) => to < i).at(-1);
  if (!before) return -FALSE_POSITIVE;
  return fading((i - before[1]) / Math.max(1, before[1] - before[0])) * FALSE_POSITIVE;
}

export interface NabResult {
  /** 100 is perfect, 0 is no detection at all. */
  score: number;
  threshold: number;
  found: number;
  windows: number;
  falsePositives: number;
}

/** The score under the best single threshold, or under the given one. */
export function nabScore(corpus: LabelledSeries[], threshold?: number): NabResult {
  let windows = 0;
  const rows: Row[] = [];
  for (const series of corpus) {
    rows.push(...rowsOf(series, windows));
    windows += series.windows.length;
  }
  rows.sort((a, b) => b.score - a.score);
  const reachable = new Set(rows.map((row) => row.window).filter((w) => w >= 0));
  return sweep(rows, reachable.size, windows, threshold);
}

function sweep(rows: Row[], reachable: number, windows: number, threshold: number | undefined): NabResult {
  const best = new Float64Array(windows).fill(-MISSED);
  const normal = (total: number) => (100 * (total + reachable)) / (2 * reachable);
  let total = -MISSED * reachable;
  let found = 0;
  let falsePositives = 0;
  let result: NabResult = { score: normal(total), threshold: 1.1, found, windows: reachable, falsePositives };
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    if (threshold !== undefined && row.score < threshold) break;
    if (row.window < 0) {
      total += row.gain;
      falsePositives++;
    } else if (row.gain > best[row.window]) {
      if (best[row.window] === -MISSED) found++;
      total += row.gain - best[row.window];
      best[row.window] = row.gain;
    }
    if (rows[i + 1]?.score === row.score) continue;
    if (threshold === undefined && normal(total) <= result.score) continue;
    result = { score: normal(total), threshold: row.score, found, windows: reachable, falsePositives };
  }
  return result;
}
