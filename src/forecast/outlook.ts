import type { HeadState, HorizonHead } from './horizon-head.ts';

/** A forecast in log space with the half widths of its intervals. */
export interface Band {
  z: number;
  half95: number;
  half80: number;
}

/**
 * What is expected `h` steps after step `now`, up to the furthest head. Between two heads the further one's forecast for
 * that step, issued earlier, is corrected by as much as the nearer one departs from it; the correction fades with the
 * logarithm of the distance.
 */
export function outlookBand(state: HeadState, heads: readonly HorizonHead[], now: number, h: number): Band {
  let i = heads.length - 1;
  while (i > 0 && heads[i].horizon > h) i--;
  const near = heads[i];
  const own = near.issuedBand(state, now + near.horizon);
  if (h <= near.horizon || i + 1 === heads.length) return own;
  const far = heads[i + 1];
  const older = far.issuedBand(state, now + h);
  const share = Math.log(h / near.horizon) / Math.log(far.horizon / near.horizon);
  const correction = own.z - far.issued(state, now + near.horizon);
  const mix = (a: number, b: number) => a + (b - a) * share;
  const z = older.z + (1 - share) * correction;
  return {
    z: Number.isNaN(z) ? own.z : z,
    half95: Number.isNaN(z) ? far.half95(state) : mix(own.half95, older.half95),
    half80: Number.isNaN(z) ? far.half80(state) : mix(own.half80, older.half80),
  };
}
