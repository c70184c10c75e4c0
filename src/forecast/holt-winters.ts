/**
 * Holt and Winters' exponential smoothing with a multiplicative season (Winters 1960), the classic to beat. Level, a
 * damped trend and one season of `m` steps; the three rates are chosen on a grid by the one-step error on a training part.
 */
export interface HoltWintersRates {
  alpha: number;
  beta: number;
  gamma: number;
}

const DAMPING = 0.98;
const GRID = { alpha: [0.05, 0.1, 0.2, 0.4, 0.7, 0.95], beta: [0, 0.01, 0.1], gamma: [0.02, 0.1, 0.3, 0.6] };

export class HoltWinters {
  private readonly rates: HoltWintersRates;
  private readonly season: Float64Array;
  private level = Number.NaN;
  private trend = 0;
  private n = 0;
  private readonly first: number[] = [];

  constructor(m: number, rates: HoltWintersRates) {
    this.rates = rates;
    this.season = new Float64Array(Math.max(1, m)).fill(1);
  }

  /** Steps of the season. */
  get steps(): number {
    return this.season.length;
  }

  /** The forecast `h` steps after the last value. */
  forecast(h: number): number {
    const damped = (DAMPING * (1 - DAMPING ** h)) / (1 - DAMPING);
    return (this.level + this.trend * damped) * this.season[(this.n + h - 1) % this.season.length];
  }

  update(value: number): void {
    const m = this.season.length;
    const y = Number.isNaN(value) ? this.forecast(1) : value;
    if (this.first.length < m) this.start(y);
    else this.smooth(y, this.n % m);
    this.n++;
  }

  /** The first season gives the first level and factors. */
  private start(y: number): void {
    this.first.push(Number.isNaN(y) ? (this.first.at(-1) ?? 0) : y);
    this.level = this.first.reduce((sum, v) => sum + v, 0) / this.first.length;
    if (this.first.length < this.season.length || this.level === 0) return;
    for (let i = 0; i < this.first.length; i++) this.season[i] = this.first[i] / this.level;
  }

  private smooth(y: number, i: number): void {
    const { alpha, beta, gamma } = this.rates;
    const before = this.level;
    const factor = this.season[i];
    const ahead = before + DAMPING * this.trend;
    this.level = factor > 1e-9 ? alpha * (y / factor) + (1 - alpha) * ahead : ahead;
    this.trend = beta * (this.level - before) + (1 - beta) * DAMPING * this.trend;
    if (this.level > 1e-9) this.season[i] = gamma * (y / this.level) + (1 - gamma) * factor;
  }
}

/** The rates with the least error `h` steps ahead on `values`; at most `limit` of them, the last ones, are looked at. */
export function chooseRates(values: ArrayLike<number>, m: number, h: number, limit = 6000): HoltWintersRates {
  let best: HoltWintersRates = { alpha: 0.2, beta: 0, gamma: 0.1 };
  let least = Number.POSITIVE_INFINITY;
  const from = Math.max(0, values.length - limit);
  for (const alpha of GRID.alpha) {
    for (const beta of GRID.beta) {
      for (const gamma of GRID.gamma) {
        const error = totalError(values, from, h, new HoltWinters(m, { alpha, beta, gamma }));
        if (error >= least) continue;
        least = error;
        best = { alpha, beta, gamma };
      }
    }
  }
  return best;
}

function totalError(values: ArrayLike<number>, from: number, h: number, model: HoltWinters): number {
  let sum = 0;
  for (let i = from; i + h <= values.length; i++) {
    const error = Math.abs(values[i + h - 1] - model.forecast(h));
    if (!Number.isNaN(error)) sum += error;
    model.update(values[i]);
  }
  return sum;
}
