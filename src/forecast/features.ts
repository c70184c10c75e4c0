import type { ModelLayout } from './model-layout.ts';
import type { RingState } from './season-ring.ts';

/**
 * Fills `x` for the target step `t`, seen from `h` steps before it, where the value was `c` and before that `before`:
 * what it was a day and a week before, and the level, each as a departure from `c`.
 */
export function fillFeatures(
  x: Float64Array,
  m: RingState,
  { day, week, ring }: Pick<ModelLayout, 'day' | 'week' | 'ring'>,
  t: number,
  h: number,
  c: number,
  before: number,
  level: number,
): void {
  const origin = t - h;
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
  x[7] = level - c;
}
