/** What a model's constants are at a given step: measured at 5 min and 1 h, a power law between and beyond. */
const HOUR_US = 3_600_000_000;
export const DAY_US = 24 * HOUR_US;
export const WEEK_US = 7 * DAY_US;

/** Forgetting factor: 0.999 at 1 h (six weeks), 0.9998 at 5 min (17 days), more steps but less time as steps shrink. */
export function forgetting(stepUs: number): number {
  return 1 - Math.min(0.02, 0.001 * (stepUs / HOUR_US) ** 0.648);
}

/**
 * Rate of the conformal levels: 0.01, slower for far horizons, whose misses come in runs. A day's errors a day ahead
 * move them by 0.08, whatever the step.
 */
export function conformalRate(horizon: number): number {
  return 0.01 / Math.max(1, horizon / 8);
}

/**
 * What a miss adds to ln of the width. Far ahead few independent errors tell what the level should be, and the width itself
 * must follow; near, the level alone does.
 */
export function wideningRate(stepUs: number, horizon: number): number {
  return 3 * conformalRate(horizon) * Math.min(1, (horizon * stepUs) / DAY_US);
}

/** Rate of the residual's scale. */
export function scaleRate(horizon: number): number {
  return 0.03 / Math.max(1, horizon / 9);
}

/** Gross outliers in a row that are taken for missing before the model believes them: three hours, at least one. */
export function gatePatience(stepUs: number): number {
  return Math.max(1, Math.min(1080, Math.round((3 * HOUR_US) / stepUs)));
}

/** One step, one hour and one day, as far as they differ. */
export function defaultHorizons(stepUs: number): number[] {
  const steps = [1, Math.round(HOUR_US / stepUs), Math.round(DAY_US / stepUs)];
  return [...new Set(steps.filter((h) => h >= 1))].sort((a, b) => a - b);
}
