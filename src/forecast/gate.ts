import type { HeadState, HorizonHead } from './horizon-head.ts';
import type { ModelLayout } from './model-layout.ts';
import { HELD, SEASON_SCALE, SHIFTED } from './model-scalars.ts';
import type { SeasonRing } from './season-ring.ts';

/** Errors of more than this many scales are held for missing, for a while. */
const GATE = 8;
const GATE_AFTER = 12;

interface GateState extends HeadState {
  readonly scalars: Float64Array;
  readonly scalarsAt: number;
  readonly layout: ModelLayout;
  readonly ring: SeasonRing;
  readonly heads: readonly HorizonHead[];
}

/**
 * True while a gross outlier is to be taken for missing. It is believed when it lasts; for a day after that, a value
 * like yesterday's is believed at once, so that the end of a flood is not held for another outlier.
 */
export function isHeld(m: GateState, z: number, forecast: number, t: number): boolean {
  const s = m.scalars;
  const o = m.scalarsAt;
  const head = m.heads[0];
  const usual = isUsual(m, z, t);
  if (s[o + SHIFTED] > 0) s[o + SHIFTED]--;
  const near = !(Math.abs(z - forecast) > GATE * head.scale(m));
  if (near || head.learned(m) < GATE_AFTER || (s[o + SHIFTED] > 0 && usual)) {
    s[o + HELD] = 0;
    return false;
  }
  if (s[o + HELD] >= m.layout.patience * harm(Math.abs(z - forecast))) {
    s[o + HELD] = 0;
    s[o + SHIFTED] = Math.max(2, m.layout.day);
    return false;
  }
  s[o + HELD]++;
  head.noteError(m, z - forecast);
  return true;
}

/** A change by less than a fifth is believed at its next step, one by more than three only after the whole patience. */
const LITTLE = Math.log(1.2);
const MUCH = Math.log(3);
function harm(off: number): number {
  return Math.max(0.01, Math.min(1, (off - LITTLE) / (MUCH - LITTLE)));
}

/** Whether a value is near yesterday's, measured by how far days usually are apart. */
function isUsual(m: GateState, z: number, t: number): boolean {
  const s = m.scalars;
  const at = m.scalarsAt + SEASON_SCALE;
  const apart = m.layout.day > 0 ? Math.abs(z - m.ring.at(t - m.layout.day)) : Number.NaN;
  const scale = s[at];
  if (!Number.isNaN(apart)) s[at] += 0.02 * (1.25 * Math.min(apart, 4 * scale) - scale);
  return apart <= 2 * scale;
}
