import { formatUs } from '../core/time.ts';
import { formatQuantity } from '../core/units.ts';
import { type LoadBook, type LoadSeries, plotForecast } from '../forecast/forecast.ts';

/** Series shown in words, and how much of a series a forecast needs to be worth a picture. */
const MOST_SERIES = 4;
const HOUR_US = 3600e6;
const DAY_US = 24 * HOUR_US;

/** The load of the coming day: a line for each of the longest series, and a small plot of the first. */
export function loadPicture(loads: LoadBook): string[] {
  const all = loads
    .all()
    .filter((series) => /^(interface|total|inbound|outbound)/.test(series.name) && series.name.endsWith('.bps'));
  const long = all.filter((series) => series.points * series.stepUs >= 2 * DAY_US);
  if (long.length === 0) return learning(all);
  const chosen = long.sort((a, b) => b.points - a.points || (a.name < b.name ? -1 : 1)).slice(0, MOST_SERIES);
  return [...chosen.map(dayAhead), '', ...picture(chosen[0])];
}

function learning(all: LoadSeries[]): string[] {
  const points = Math.max(0, ...all.map((series) => series.points));
  return [
    `still learning: ${points} steps of five minutes; a forecast needs two days (weir run, or replay a longer capture)`,
  ];
}

function dayAhead(series: LoadSeries): string {
  const { points } = series.model.forecast(DAY_US / series.stepUs);
  const peak = points.reduce((best, point) => (point.expected > best.expected ? point : best), points[0]);
  const rate = (value: number) => formatQuantity(value, 'bps');
  const when = formatUs(peak.timeUs).slice(0, 16).replace('T', ' ');
  return `${series.name}: now ${rate(series.lastValue)}; peak of the coming day ${rate(peak.expected)} (95%: ${rate(peak.low95)} to ${rate(peak.high95)}) at ${when}Z`;
}

function picture(series: LoadSeries): string[] {
  const history = series.recent.slice(-Math.round((2 * DAY_US) / series.stepUs));
  const forecast = series.model.forecast(DAY_US / series.stepUs);
  return [`${series.name}, two days and the coming one:`, ...plotForecast(history, series.stepUs, forecast)];
}
