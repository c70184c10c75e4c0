/**
 * How regular the connections of one pair are, 0..1, in the shape of RITA v5 (activecm/rita, `analysis/beacons.go`): mean
 * of a time score, a size score, a histogram score and a duration score.
 */
const BARS = 24;
const LEAST_BARS_BIMODAL = 11;
const LEAST_BARS_DURATION = 6;
const IDEAL_RUN_US = 12 * 3600e6;
const LEAST_SPREAD_US = 10e6;
/** Sizes spread by at least so many bytes before their skew says anything. */
const LEAST_SPREAD_BYTES = 10;

/**
 * @param times ascending, microseconds
 * @param sizes bytes of each, in any order
 * @param spanUs what the history covers, up to `nowUs`
 * @param leastTime a time score below this is no beacon, however regular the rest is: 0
 */
export function beaconScore(
  times: readonly number[],
  sizes: readonly number[],
  nowUs: number,
  spanUs: number,
  leastTime: number,
): number {
  const intervals: number[] = [];
  for (let i = 1; i < times.length; i++) if (times[i] > times[i - 1]) intervals.push(times[i] - times[i - 1]);
  const time = spreadScore(intervals, LEAST_SPREAD_US);
  if (!(time >= leastTime)) return 0;
  const bars = histogram(times, nowUs, spanUs);
  const scores = [
    time,
    spreadScore(sizes, LEAST_SPREAD_BYTES),
    histogramScore(bars),
    durationScore(times, bars, spanUs),
  ];
  return Math.round((1e6 * scores.reduce((sum, score) => sum + score, 0)) / scores.length) / 1e6;
}

/** [(1 - |Bowley skew|) + max(0, (median - MAD) / median)] / 2 */
export function spreadScore(values: readonly number[], leastSpread: number): number {
  if (values.length === 0) return 0;
  const sorted = Float64Array.from(values).sort();
  const [q1, q2, q3] = [0.25, 0.5, 0.75].map((q) => quantile(sorted, q));
  const spread = q3 - q1;
  const bowley = spread < leastSpread || q2 === q1 || q2 === q3 ? 0 : (q1 + q3 - 2 * q2) / spread;
  const mad = quantile(sorted.map((value) => Math.abs(value - q2)).sort(), 0.5);
  const dispersion = q2 > 0 ? Math.max(0, (q2 - mad) / q2) : 0;
  return (1 - Math.abs(bowley) + dispersion) / 2;
}

function quantile(sorted: Float64Array, q: number): number {
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.ceil(at);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low);
}

function histogram(times: readonly number[], nowUs: number, spanUs: number): Int32Array {
  const bars = new Int32Array(BARS);
  const beginUs = nowUs - spanUs;
  for (const time of times) {
    const bar = Math.floor(((time - beginUs) / spanUs) * BARS);
    bars[Math.max(0, Math.min(BARS - 1, bar))]++;
  }
  return bars;
}

function histogramScore(bars: Int32Array): number {
  const mean = bars.reduce((sum, bar) => sum + bar, 0) / BARS;
  const variance = bars.reduce((sum, bar) => sum + (bar - mean) ** 2, 0) / BARS;
  const even = Math.max(0, 1 - Math.sqrt(variance) / mean);
  return Math.max(even, bimodal(bars));
}

/** Share of the bars whose height is one of the two most common ones (heights in steps of 5 % of the highest). */
function bimodal(bars: Int32Array): number {
  const filled = bars.filter((bar) => bar > 0);
  if (filled.length < LEAST_BARS_BIMODAL) return 0;
  const step = Math.max(1, Math.ceil(0.05 * Math.max(...filled)));
  const counts = new Map<number, number>();
  for (const bar of filled) counts.set(Math.floor(bar / step), (counts.get(Math.floor(bar / step)) ?? 0) + 1);
  const [first = 0, second = 0] = [...counts.values()].sort((a, b) => b - a);
  return (first + second) / filled.length;
}

function durationScore(times: readonly number[], bars: Int32Array, spanUs: number): number {
  if (bars.filter((bar) => bar > 0).length < LEAST_BARS_DURATION) return 0;
  const coverage = (times[times.length - 1] - times[0]) / spanUs;
  let longest = 0;
  let run = 0;
  for (const bar of bars) {
    run = bar > 0 ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return Math.min(1, Math.max(coverage, (longest * (spanUs / BARS)) / IDEAL_RUN_US));
}
