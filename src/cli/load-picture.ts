import { formatUs } from '../core/time.ts';
import { formatQuantity } from '../core/units.ts';
import { type LoadBook, type LoadSeries, plotForecast } from '../forecast/forecast.ts';
import type { LoadForecast, LoadForecaster } from '../model/series.ts';

/** Series shown in words, and how much of a series a forecast needs to be worth a picture. */
const MOST_SERIES = 4;
const HOUR_US = 3600e6;
const DAY_US = 24 * HOUR_US;
const HORIZON_US = 90 * DAY_US;
/** Share of an interface's speed that counts as full. */
const FULL = 0.9;
const LOADS = /^(interface|total|inbound|outbound).*\.bps$/;

/** What `if_speed` is for a series' interface, bits per second; NaN where unknown. */
export type SpeedOf = (exporter: string, port: number) => number;

/** The load of the coming day, a line for each interface (else the total), when a line fills up, and a small plot. */
export function loadPicture(loads: LoadBook, speedOf: SpeedOf): string[] {
  const all = loads.all().filter((series) => LOADS.test(series.name));
  const long = all.filter((series) => series.points * series.stepUs >= 2 * DAY_US);
  if (long.length === 0) return learning(all);
  const interfaces = long.filter((series) => series.rule === 'interface');
  const chosen = (interfaces.length > 0 ? interfaces : long).slice(0, MOST_SERIES);
  const fillings = chosen.map((series) => filling(series.name, series.model, speedOf));
  const first = Math.max(
    0,
    fillings.findIndex((line) => line !== null),
  );
  const lines = chosen.flatMap((series, i) => [
    dayAhead(series),
    ...(fillings[i] === null ? [] : [`  ${fillings[i]}`]),
  ]);
  return [...lines, '', ...picture(chosen[first])];
}

/** When the line is full, in the words of the capacity forecast; null when it is not, or nobody said how fast it is. */
export function filling(name: string, model: LoadForecaster, speedOf: SpeedOf): string | null {
  const match = /^interface\/(.+)\/(\d+)(?:\.in|\.out)?\.bps$/.exec(name);
  const speed = match ? speedOf(match[1], Number(match[2])) : Number.NaN;
  if (!(speed > 0)) return null;
  const { etaUs, loUs, hiUs, probability } = model.capacity(FULL * speed, HORIZON_US);
  if (etaUs === null) return null;
  const day = (us: number | null) => (us === null ? 'beyond 90 days' : formatUs(us).slice(0, 10));
  const threshold = `90% of ${formatQuantity(speed, 'bps')}`;
  return `${threshold} on ${day(etaUs)} (between ${day(loUs)} and ${day(hiUs)}; within 90 days with ${Math.round(100 * probability)}%)`;
}

function learning(all: LoadSeries[]): string[] {
  const points = Math.max(0, ...all.map((series) => series.points));
  return [
    `still learning: ${points} steps of five minutes; a forecast needs two days (weir run, or replay a longer capture)`,
  ];
}

function dayAhead(series: LoadSeries): string {
  const forecast = series.model.forecast(DAY_US / series.model.forecast(1).stepUs);
  return `${series.name}: now ${formatQuantity(series.lastValue, 'bps')}; ${peakText(forecast)}`;
}

/** The highest point of a forecast day, with its interval, in words. */
export function peakText({ points }: LoadForecast): string {
  const peak = points.reduce((best, point) => (point.expected > best.expected ? point : best), points[0]);
  const rate = (value: number) => formatQuantity(value, 'bps');
  const when = formatUs(peak.timeUs).slice(0, 16).replace('T', ' ');
  return `peak of the coming day ${rate(peak.expected)} (95%: ${rate(peak.low95)} to ${rate(peak.high95)}) at ${when}Z`;
}

function picture(series: LoadSeries): string[] {
  const history = series.recent.slice(-Math.round((2 * DAY_US) / series.stepUs));
  const forecast = series.model.forecast(DAY_US / series.model.forecast(1).stepUs);
  return [`${series.name}, two days and the coming one:`, ...plotForecast(history, series.stepUs, forecast)];
}
