/**
 * Recursive least squares with exponential forgetting on one slice of a Float32Array:
 * the packed upper triangle of P, then theta. Arithmetic is in doubles, storage in floats: half the memory, and the
 * forecast error does not change in the third digit.
 */
export const MOST_FEATURES = 8;

/** Floats of the covariance of `n` features, behind which are their weights. */
function triangle(n: number): number {
  return (n * (n + 1)) / 2;
}

/** Floats a fit of `n` features needs. */
export function rlsSize(n: number): number {
  return triangle(n) + n;
}

/** Most of the covariance's trace, in units of the prior. */
const MAX_TRACE = 1e4;
/** The feature that is always the same. */
export const CONSTANT = 6;

/** The gain vector of one step; shared by all fits because a step runs to its end before the next begins. */
const gain = new Float64Array(MOST_FEATURES);

/**
 * P = `prior` I, theta = (0, 1, 0, ...): the forecast begins as "the same time yesterday". Features that are small need a
 * large prior, or the fit would take months to move.
 */
export function rlsInit(f: Float32Array, at: number, n: number, prior: number): void {
  f.fill(0, at, at + rlsSize(n));
  rlsResetCovariance(f, at, n, prior);
  f[at + triangle(n) + 1] = 1;
}

function rlsResetCovariance(f: Float32Array, at: number, n: number, prior: number): void {
  for (let i = 0, d = at; i < n; d += n - i, i++) f[d] = i === CONSTANT ? 1 : prior;
}

export function rlsPredict(f: Float32Array, at: number, n: number, x: Float64Array): number {
  let sum = 0;
  for (let i = 0, t = at + triangle(n); i < n; i++, t++) sum += f[t] * x[i];
  return sum;
}

/** theta += g e and P = (P - g x'P) / lambda, g = Px / (lambda + x'Px); `e` is the (clipped) error before the step. */
export function rlsLearn(
  f: Float32Array,
  at: number,
  n: number,
  x: Float64Array,
  e: number,
  lambda: number,
  weight: number,
  prior: number,
): void {
  const denominator = lambda / weight + multiply(f, at, n, x);
  // Rounding may cost P its positive definiteness after very long runs; starting it anew keeps theta.
  if (!(denominator > 0)) {
    f.fill(0, at, at + triangle(n));
    rlsResetCovariance(f, at, n, prior);
    return;
  }
  const scale = e / denominator;
  for (let i = 0, t = at + triangle(n); i < n; i++, t++) f[t] += gain[i] * scale;
  shrink(f, at, n, 1 / denominator, lambda, MAX_TRACE * prior);
}

/** gain = Px; returns x'Px. */
function multiply(f: Float32Array, at: number, n: number, x: Float64Array): number {
  gain.fill(0);
  for (let i = 0, d = at; i < n; i++) {
    const xi = x[i];
    let own = f[d++] * xi;
    for (let j = i + 1; j < n; j++, d++) {
      const p = f[d];
      own += p * x[j];
      gain[j] += p * xi;
    }
    gain[i] += own;
  }
  let quadratic = 0;
  for (let i = 0; i < n; i++) quadratic += gain[i] * x[i];
  return quadratic;
}

/** The covariance grows by 1/lambda only while its trace is bounded, or quiet features would wind it up. */
function shrink(f: Float32Array, at: number, n: number, inverse: number, lambda: number, most: number): void {
  let trace = 0;
  for (let i = 0, d = at; i < n; d += n - i, i++) trace += f[d];
  const grow = trace < most ? 1 / lambda : 1;
  for (let i = 0, d = at; i < n; i++) {
    const gi = gain[i] * inverse;
    for (let j = i; j < n; j++, d++) f[d] = (f[d] - gi * gain[j]) * grow;
  }
}
