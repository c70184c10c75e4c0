import type { ForecastPoint, LoadForecast } from '../model/series.ts';

/**
 * Forecasts that add up: a whole (a link) and its parts (its services). Where they disagree, each gives way as far as it is
 * unsure: weighted least squares with the variances of the intervals (the trace-minimising combination of Wickramasuriya,
 * Athanasopoulos and Hyndman 2019 with a diagonal covariance). Only points that all of them have are answered.
 */
export function reconcile(
  whole: LoadForecast,
  parts: readonly LoadForecast[],
): { whole: LoadForecast; parts: LoadForecast[] } {
  const steps = Math.min(whole.points.length, ...parts.map(({ points }) => points.length));
  const moved = { whole: { ...whole, points: [] as ForecastPoint[] }, parts: parts.map(emptied) };
  for (let i = 0; i < steps; i++) {
    const top = whole.points[i];
    const below = parts.map(({ points }) => points[i]);
    const variances = below.map(variance);
    const total = variances.reduce((sum, v) => sum + v, variance(top)) || 1;
    const gap = top.expected - below.reduce((sum, { expected }) => sum + expected, 0);
    const parted = below.map((point, k) => moveTo(point, point.expected + (gap * variances[k]) / total));
    parted.forEach((point, k) => {
      moved.parts[k].points.push(point);
    });
    // The sum of what the parts became, for a part that cannot go below zero leaves a remainder.
    moved.whole.points.push(
      moveTo(
        top,
        parted.reduce((sum, { expected }) => sum + expected, 0),
      ),
    );
  }
  return moved;
}

const emptied = (forecast: LoadForecast): LoadForecast => ({ ...forecast, points: [] });

function variance({ low95, high95 }: ForecastPoint): number {
  return ((high95 - low95) / 3.92) ** 2;
}

/** The point with another expectation; its bounds keep their ratio to it. */
function moveTo(point: ForecastPoint, expected: number): ForecastPoint {
  const to = Math.max(0, expected);
  const by = point.expected > 0 ? to / point.expected : 1;
  return {
    timeUs: point.timeUs,
    expected: to,
    low80: point.low80 * by,
    high80: point.high80 * by,
    low95: point.low95 * by,
    high95: point.high95 * by,
  };
}
