/**
 * Calibrated intervals without a distribution: a decayed histogram of |residual| / sigma on a logarithmic scale, whose
 * quantile levels follow the misses (adaptive conformal inference, Gibbs and Candes 2021, arXiv 2106.00170). The width
 * follows them too, for a level cannot ask for more than the largest score (quantile tracking in logarithms, after
 * Angelopoulos, Candes and Tibshirani 2023, arXiv 2307.16895).
 * One slice of an Int16Array for the bins, one of a Float32Array for the scalars.
 */
const HIGHEST = 50;
const DECAY = 0.9995;
/** The largest score bounds every interval, so it is forgotten too, or one outage would widen them for good. */
const LARGEST_DECAY = 0.999;
const LEAST_LARGEST = 3;
/** Bins count in eighths of a score, so that a histogram that has forgotten all it can forget fits 15 bits. */
const UNIT = 8;
const FULL = 32_000;
/** New scores weigh more instead of old ones less; past twice the weight all bins are halved. */
const HALVE_AT = 2;

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

/**
 * The calibration of one horizon. It holds no numbers of its own: those of a series come as its bins, `f` from `bins` on, and
 * its scalars, `s` from `at` on.
 */
export class Calibration {
  readonly size: number;
  private readonly logLowest: number;
  private readonly perLog: number;
  /** Upper edge of bin i is edge[i + 1]. */
  private readonly edge: Float64Array;
  private readonly prior: Int16Array;

  /** @param size bins, the first of which holds all scores below `lowest` */
  constructor(size: number, lowest: number) {
    const span = Math.log(HIGHEST / lowest);
    const edge = Float64Array.from({ length: size + 1 }, (_, i) =>
      i === 0 ? 0 : lowest * Math.exp((i / size) * span),
    );
    this.size = size;
    this.logLowest = Math.log(lowest);
    this.perLog = size / span;
    this.edge = edge;
    this.prior = Int16Array.from({ length: size }, (_, i) =>
      Math.round(UNIT * PRIOR_WEIGHT * (Math.exp(-edge[i]) - Math.exp(-edge[i + 1]))),
    );
  }

  init(f: Int16Array, bins: number, s: Float32Array, at: number): void {
    f.set(this.prior, bins);
    s[at + WEIGHT] = 1;
    s[at + TOTAL] = this.prior.reduce((sum, n) => sum + n, 0);
    s[at + LEVEL95] = 0.05;
    s[at + LEVEL80] = 0.2;
    s[at + LARGEST] = 5;
    s[at + SEEN] = 0;
    s[at + WIDTH95] = s[at + WIDTH80] = 0;
  }

  private binOf(logScore: number): number {
    if (!(logScore > this.logLowest)) return 0;
    const i = Math.floor((logScore - this.logLowest) * this.perLog);
    return i < this.size ? i : this.size - 1;
  }

  learn(f: Int16Array, bins: number, s: Float32Array, at: number, score: number, logScore: number): void {
    const w = s[at + WEIGHT];
    const count = Math.round(UNIT * w);
    const bin = bins + this.binOf(logScore);
    if (f[bin] < FULL) {
      f[bin] += count;
      s[at + TOTAL] += count;
    }
    s[at + WEIGHT] = w / DECAY;
    s[at + SEEN]++;
    s[at + LARGEST] = Math.max(score, s[at + LARGEST] * LARGEST_DECAY, LEAST_LARGEST);
    if (w > HALVE_AT) this.halve(f, bins, s, at);
  }

  private halve(f: Int16Array, bins: number, s: Float32Array, at: number): void {
    let total = 0;
    for (let i = bins; i < bins + this.size; i++) {
      f[i] >>= 1;
      total += f[i];
    }
    s[at + TOTAL] = total;
    s[at + WEIGHT] /= 2;
  }

  /** ln of both half widths in scales, 95 % first, in one pass over the bins. */
  logHalves(f: Int16Array, bins: number, s: Float32Array, at: number, out: Float64Array): void {
    const level95 = s[at + LEVEL95];
    const level80 = s[at + LEVEL80];
    const first = Math.min(level95, level80);
    const total = s[at + TOTAL];
    const largest = s[at + LARGEST];
    let above = 0;
    let i = this.size - 1;
    for (let k = 0; k < 2; k++) {
      const tail = k === 0 ? first : Math.max(level95, level80);
      const want = tail * total;
      let q = largest;
      if (tail > 0) {
        while (i > 0 && above + f[bins + i] < want) above += f[bins + i--];
        q = Math.min(largest, this.inBin(i, want - above, f[bins + i]));
      }
      const is95 = (k === 0) === (first === level95);
      out[is95 ? 0 : 1] = Math.log(q) + s[at + (is95 ? WIDTH95 : WIDTH80)];
    }
  }

  /** The score in bin `i` that `want` of its `inside` scores exceed. */
  private inBin(i: number, want: number, inside: number): number {
    const part = inside > 0 ? want / inside : 1;
    return this.edge[i + 1] - (this.edge[i + 1] - this.edge[i]) * Math.min(1, part);
  }

  /** The score that a share `tail` of past scores exceeds, interpolated inside its bin; the largest one when tail <= 0. */
  quantileAbove(f: Int16Array, bins: number, s: Float32Array, at: number, tail: number): number {
    if (tail <= 0) return s[at + LARGEST];
    const want = tail * s[at + TOTAL];
    let above = 0;
    let i = this.size - 1;
    while (i > 0 && above + f[bins + i] < want) above += f[bins + i--];
    return Math.min(s[at + LARGEST], this.inBin(i, want - above, f[bins + i]));
  }

  /**
   * Share of past scores at or above this one. Beyond the largest seen the tail falls with the fourth power of the
   * distance, as residuals of traffic roughly do (between Student t with 3 and with 5 degrees of freedom).
   */
  tailProbability(f: Int16Array, bins: number, s: Float32Array, at: number, score: number): number {
    const { edge } = this;
    const bin = this.binOf(Math.log(score));
    let above = 0;
    for (let i = this.size - 1; i > bin; i--) above += f[bins + i];
    above += f[bins + bin] * clamp((edge[bin + 1] - score) / (edge[bin + 1] - edge[bin]), 0, 1);
    const w = UNIT * s[at + WEIGHT];
    const largest = s[at + LARGEST];
    const fall = score > largest ? (largest / score) ** 4 : 1;
    return Math.min(1, Math.max(1e-12, ((above + 0.5 * w) / (s[at + TOTAL] + w)) * fall));
  }
}

/** For scores that are judged by how rare they are. */
export const FINE = new Calibration(48, 0.05);
/** For intervals only: half the memory. */
export const COARSE = new Calibration(24, 0.25);

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

export function scoresSeen(s: Float32Array, at: number): number {
  return s[at + SEEN];
}
