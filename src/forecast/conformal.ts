/**
 * Calibrated intervals without a distribution: a decayed histogram of |residual| / sigma on a logarithmic scale, whose
 * quantile levels follow the misses (adaptive conformal inference, Gibbs and Candes 2021, arXiv 2106.00170). The width
 * follows them too, for a level cannot ask for more than the largest score (quantile tracking in logarithms, after
 * Angelopoulos, Candes and Tibshirani 2023, arXiv 2307.16895).
 * One slice of an Int16Array for the bins, one of a Float32Array for the scalars.
 */
const BINS = 48;
const LOWEST = 0.05;
const HIGHEST = 50;
const SPAN = Math.log(HIGHEST / LOWEST);
const PER_LOG = BINS / SPAN;
const DECAY = 0.9995;
/** The largest score bounds every interval, so it is forgotten too, or one outage would widen them for good. */
const LARGEST_DECAY = 0.997;
const LEAST_LARGEST = 3;
/** Bins count in eighths of a score, so that a histogram that has forgotten all it can forget fits 15 bits. */
const UNIT = 8;
const FULL = 32_000;
/** New scores weigh more instead of old ones less; past twice the weight all bins are halved. */
const HALVE_AT = 2;

/** Upper edge of bin i is EDGE[i + 1]. */
const EDGE = Float64Array.from({ length: BINS + 1 }, (_, i) => (i === 0 ? 0 : LOWEST * Math.exp((i / BINS) * SPAN)));

export const BINS_SIZE = BINS;
/** Scalars: weight of the next score, sum of the bins, level for 95 %, for 80 %, largest score, scores seen, ln of both widths. */
export const CONFORMAL_SCALARS = 8;
const WEIGHT = 0;
const TOTAL = 1;
const LEVEL95 = 2;
const LEVEL80 = 3;
const LARGEST = 4;
const SEEN = 5;
const WIDTH95 = 6;
const WIDTH80 = 7;
/** How far ln of the width goes. */
const NARROWEST = -1;
const WIDEST = 1.5;

/** Scores of a Laplace distribution, weighing as much as this many real ones: wide intervals until data speak. */
const PRIOR_WEIGHT = 12;

const PRIOR = Int16Array.from({ length: BINS }, (_, i) =>
  Math.round(UNIT * PRIOR_WEIGHT * (Math.exp(-EDGE[i]) - Math.exp(-EDGE[i + 1]))),
);
const PRIOR_TOTAL = PRIOR.reduce((sum, n) => sum + n, 0);

export function conformalInit(f: Int16Array, bins: number, s: Float32Array, at: number): void {
  f.set(PRIOR, bins);
  s[at + WEIGHT] = 1;
  s[at + TOTAL] = PRIOR_TOTAL;
  s[at + LEVEL95] = 0.05;
  s[at + LEVEL80] = 0.2;
  s[at + LARGEST] = 5;
  s[at + SEEN] = 0;
  s[at + WIDTH95] = s[at + WIDTH80] = 0;
}

function binOf(score: number): number {
  if (!(score > LOWEST)) return 0;
  const i = Math.floor(Math.log(score / LOWEST) * PER_LOG);
  return i < BINS ? i : BINS - 1;
}

export function conformalLearn(f: Int16Array, bins: number, s: Float32Array, at: number, score: number): void {
  const w = s[at + WEIGHT];
  const count = Math.round(UNIT * w);
  const bin = bins + binOf(score);
  if (f[bin] < FULL) {
    f[bin] += count;
    s[at + TOTAL] += count;
  }
  s[at + WEIGHT] = w / DECAY;
  s[at + SEEN]++;
  s[at + LARGEST] = Math.max(score, s[at + LARGEST] * LARGEST_DECAY, LEAST_LARGEST);
  if (w > HALVE_AT) halve(f, bins, s, at);
}

function halve(f: Int16Array, bins: number, s: Float32Array, at: number): void {
  let total = 0;
  for (let i = bins; i < bins + BINS; i++) {
    f[i] >>= 1;
    total += f[i];
  }
  s[at + TOTAL] = total;
  s[at + WEIGHT] /= 2;
}

/**
 * Moves levels and widths: a miss lowers the level and so widens the next interval, a hit narrows it a little.
 * @param widen what a miss adds to ln of the width
 */
export function conformalAdapt(
  s: Float32Array,
  at: number,
  miss95: boolean,
  miss80: boolean,
  rate: number,
  widen: number,
): void {
  const off95 = (miss95 ? 1 : 0) - 0.05;
  const off80 = (miss80 ? 1 : 0) - 0.2;
  s[at + LEVEL95] = clamp(s[at + LEVEL95] - rate * off95, -0.05, 0.5);
  s[at + LEVEL80] = clamp(s[at + LEVEL80] - rate * off80, -0.05, 0.8);
  s[at + WIDTH95] = clamp(s[at + WIDTH95] + widen * off95, NARROWEST, WIDEST);
  s[at + WIDTH80] = clamp(s[at + WIDTH80] + widen * off80, NARROWEST, WIDEST);
}

function clamp(v: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, v));
}

export function conformalHalf95(f: Int16Array, bins: number, s: Float32Array, at: number): number {
  return Math.exp(s[at + WIDTH95]) * quantileAbove(f, bins, s, at, s[at + LEVEL95]);
}

export function conformalHalf80(f: Int16Array, bins: number, s: Float32Array, at: number): number {
  return Math.exp(s[at + WIDTH80]) * quantileAbove(f, bins, s, at, s[at + LEVEL80]);
}

/** The score that a share `tail` of past scores exceeds, interpolated inside its bin; the largest one when tail <= 0. */
export function quantileAbove(f: Int16Array, bins: number, s: Float32Array, at: number, tail: number): number {
  if (tail <= 0) return s[at + LARGEST];
  const want = tail * s[at + TOTAL];
  let above = 0;
  let i = BINS - 1;
  while (i > 0 && above + f[bins + i] < want) above += f[bins + i--];
  const inside = f[bins + i];
  const part = inside > 0 ? (want - above) / inside : 1;
  const q = EDGE[i + 1] - (EDGE[i + 1] - EDGE[i]) * Math.min(1, part);
  return Math.min(q, s[at + LARGEST]);
}

/**
 * Share of past scores at or above this one. Beyond the largest seen the tail falls with the fourth power of the
 * distance, as residuals of traffic roughly do (between Student t with 3 and with 5 degrees of freedom).
 */
export function tailProbability(f: Int16Array, bins: number, s: Float32Array, at: number, score: number): number {
  const bin = binOf(score);
  let above = 0;
  for (let i = BINS - 1; i > bin; i--) above += f[bins + i];
  const lower = EDGE[bin];
  above += f[bins + bin] * clamp((EDGE[bin + 1] - score) / (EDGE[bin + 1] - lower), 0, 1);
  const w = UNIT * s[at + WEIGHT];
  const largest = s[at + LARGEST];
  const fall = score > largest ? (largest / score) ** 4 : 1;
  return Math.min(1, Math.max(1e-12, ((above + 0.5 * w) / (s[at + TOTAL] + w)) * fall));
}

export function scoresSeen(s: Float32Array, at: number): number {
  return s[at + SEEN];
}
