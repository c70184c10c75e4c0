import type { ModelLayout } from './model-layout.ts';
import { SEASON_SCALE, WEEK_80, WEEK_95, WEEK_SCALE } from './model-scalars.ts';

/** How fast the widths of the weekly interval follow its misses: a wholly missed week makes them three times as wide. */
const WEEK_RATE = 1.2;

interface WeekState {
  readonly scalars: Float64Array;
  readonly scalarsAt: number;
  readonly layout: ModelLayout;
}

export function initWeek({ scalars, scalarsAt }: WeekState): void {
  scalars[scalarsAt + SEASON_SCALE] = scalars[scalarsAt + WEEK_SCALE] = 0.5;
  scalars[scalarsAt + WEEK_95] = 2.1;
  scalars[scalarsAt + WEEK_80] = 1.28;
}

/**
 * How far weeks are apart: the interval of what only last week can tell, and how wide it must be to hold its share.
 * @param change since a week ago in log space; NaN where that is not known
 */
export function noteWeek({ scalars: s, scalarsAt: o, layout: { week } }: WeekState, t: number, change: number): void {
  const apart = Math.abs(change);
  if (Number.isNaN(apart)) return;
  const rate = Math.max(1 / week, 1 / (t - week + 2));
  const score = apart / s[o + WEEK_SCALE];
  s[o + WEEK_SCALE] += rate * (1.25 * Math.min(apart, 6 * s[o + WEEK_SCALE]) - s[o + WEEK_SCALE]);
  s[o + WEEK_95] *= 1 + (WEEK_RATE / week) * ((score > s[o + WEEK_95] ? 1 : 0) - 0.05);
  s[o + WEEK_80] *= 1 + (WEEK_RATE / week) * ((score > s[o + WEEK_80] ? 1 : 0) - 0.2);
}

/** Half widths of what the last season alone can tell, in log space. @param weekly whether a week is known */
export function weekHalves({ scalars, scalarsAt, layout }: WeekState, weekly: boolean) {
  const scale = scalars[scalarsAt + (layout.week > 0 && weekly ? WEEK_SCALE : SEASON_SCALE)];
  return { half80: scale * scalars[scalarsAt + WEEK_80], half95: scale * scalars[scalarsAt + WEEK_95] };
}
