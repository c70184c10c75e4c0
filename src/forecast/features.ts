import type { ModelLayout } from './model-layout.ts';
import { CURRENT, LEVEL, PREVIOUS } from './model-scalars.ts';
import { MOST_FEATURES } from './rls.ts';
import type { RingState } from './season-ring.ts';

/** Where the value at the origin stands, behind the features. */
export const ORIGIN = MOST_FEATURES;
export const FEATURE_CELLS = MOST_FEATURES + 1;

/**
 * Fills `x` for the target step `t`, seen from `h` steps before it: what it was a day and a week before, and the level, each as a
 * departure from the value there, which is behind them.
 * @param now whether the origin is the current step, whose numbers are not quantised yet
 * @returns false when the origin is not known
 */
export function fillFeatures(
  x: Float64Array,
  m: RingState,
  { day, week, ring }: Pick<ModelLayout, 'day' | 'week' | 'ring'>,
  t: number,
  h: number,
  now: boolean,
): boolean {
  const origin = t - h;
  const s = m.scalars;
  const o = m.scalarsAt;
  const c = now ? s[o + CURRENT] : ring.at(m, origin);
  const before = now ? s[o + PREVIOUS] : ring.at(m, origin - 1);
  if (Number.isNaN(c) || Number.isNaN(before)) return false;
  x[ORIGIN] = c;
  x[0] = x[1] = x[5] = 0;
  if (day > 0) {
    const target = ring.at(m, t - day * Math.ceil(h / day));
    const same = ring.at(m, origin - day);
    if (!Number.isNaN(target)) {
      x[1] = target - c;
      if (!Number.isNaN(same)) {
        x[0] = target - same;
        const sameBefore = ring.at(m, origin - day - 1);
        if (!Number.isNaN(sameBefore)) x[5] = same - sameBefore;
      }
    }
  }
  x[2] = x[3] = 0;
  if (week > 0 && origin > week) {
    // A gap in last week: the day stands in.
    x[2] = x[0];
    x[3] = x[1];
    const target = ring.at(m, t - week * Math.ceil(h / week));
    const same = ring.at(m, origin - week);
    if (!Number.isNaN(target) && !Number.isNaN(same)) {
      x[2] = target - same;
      x[3] = target - c;
    }
  }
  x[4] = c - before;
  x[6] = 0.1;
  // The level is kept for one step only; further ahead it adds nothing to the day and the week.
  x[7] = h === 1 ? s[o + LEVEL] - c : 0;
  return true;
}
